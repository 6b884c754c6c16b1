// The moving parts of streaming: buffers of one size, bodies regrouped to it, and a pool job that
// runs while its starter reads on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

#include "base/context.h"
#include "base/task.h"
#include "io/blocking_pool.h"
#include "io/byte_source.h"

namespace tarn::block::fs {

inline constexpr std::size_t kPieceBytes = 256 * 1024;
inline constexpr std::size_t kLargeBytes = 4 * 1024 * 1024;  // a job's worth of bytes at hand

/// A piece of storage and how much of it is filled. Owners: a coroutine and its pool job in turn.
struct Buffer {
  std::unique_ptr<char[]> bytes;
  std::size_t size = 0;

  std::string_view view() const { return {bytes.get(), size}; }
};

/// Keeps a few buffers for reuse: fresh ones cost page faults. Thread-safe.
class BufferPool : public std::enable_shared_from_this<BufferPool> {
 public:
  static constexpr std::size_t kKeptMax = 32;

  /// Empty, with room for kPieceBytes; goes back when the last owner lets go, even if that is
  /// after the pool's.
  std::shared_ptr<Buffer> take();

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<char[]>> kept_;  // by mutex_
};

/// Regroups a body, which comes in pieces of any size, into full buffers.
class Pieces {
 public:
  Pieces(io::ByteSource& body, std::uint64_t bytes_max) : body_(body), left_(bytes_max) {}

  /// Appends to `out` until it is full or the body has ended. Throws Error{too_large} beyond
  /// bytes_max.
  Task<> fill(Context& ctx, Buffer& out);

  /// What the body holds ready in one piece too large to be worth regrouping, at most kLargeBytes
  /// of it, else "". Lives until the next fill().
  std::string_view take_large();

  bool ended() const { return ended_; }

 private:
  io::ByteSource& body_;
  std::uint64_t left_;
  std::string_view rest_;  // of the last piece; valid until the next read
  bool ended_ = false;
};

/// A job on the pool, under way. Whoever started it awaits wait() before it lets go of anything
/// the job uses, failed or not.
class StartedJob {
 public:
  StartedJob() = default;  // nothing under way
  StartedJob(io::BlockingPool& pool, std::move_only_function<void()> job);

  /// Returns when the job has ended; rethrows what it threw, once. Cannot be cut short.
  Task<> wait();

 private:
  struct State;
  std::shared_ptr<State> state_;  // the other owner is the job
};

}  // namespace tarn::block::fs
