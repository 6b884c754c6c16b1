// Pull streams with a synchronous fast path, so that a million records do not make a million
// coroutine frames:
//   while (stream->next() || co_await stream->fill(ctx)) use(stream->record());
#pragma once

#include <string_view>

#include "base/context.h"
#include "base/task.h"
#include "versioning/types.h"

namespace tarn::versioning {

/// Records in strictly ascending key order. Single consumer.
class RecordStream {
 public:
  virtual ~RecordStream() = default;
  /// Moves on if the next record is at hand; false = call fill().
  virtual bool next() = 0;
  /// Does the I/O and moves on; false = the end, until seek(). Throws Error.
  virtual Task<bool> fill(Context& ctx) = 0;
  /// The following next()/fill() lands on the first record with key >= `key`. Forward or back.
  virtual void seek(std::string_view key) = 0;
  /// The current record; views live until the stream moves.
  virtual const RecordView& record() const = 0;

 protected:
  RecordStream() = default;
  RecordStream(const RecordStream&) = delete;
  RecordStream& operator=(const RecordStream&) = delete;
};

/// Differences in ascending key order; same protocol.
class DiffStream {
 public:
  virtual ~DiffStream() = default;
  virtual bool next() = 0;
  virtual Task<bool> fill(Context& ctx) = 0;
  virtual void seek(std::string_view key) = 0;
  virtual const Difference& difference() const = 0;

 protected:
  DiffStream() = default;
  DiffStream(const DiffStream&) = delete;
  DiffStream& operator=(const DiffStream&) = delete;
};

}  // namespace tarn::versioning
