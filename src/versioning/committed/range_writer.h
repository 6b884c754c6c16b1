// Builds trees: cuts records into ranges, uploads finished ranges while the next is built, writes
// the metarange. storage-format.md 3.10.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/context.h"
#include "base/task.h"
#include "io/task_group.h"
#include "versioning/committed/committed.h"
#include "versioning/committed/range_store.h"

namespace tarn::versioning {

/// Uploads whose writer was dropped without close(). Thread-safe.
class OrphanedUploads {
 public:
  /// Keeps `group` until its tasks have ended.
  void adopt(std::unique_ptr<io::TaskGroup> group);
  Task<> close();

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<io::TaskGroup>> groups_;
};

/// What every writer of a server shares; it outlives them.
struct WriterEnvironment {
  block::ObjectStore& objects;
  RangeStore& store;
  OrphanedUploads& orphans;
  const CommittedConfig& config;
};

/// The synchronous append() calls are for our own loops, which must see to backlogged():
///
///   writer.append(record);
///   if (writer.backlogged()) co_await writer.start_uploads(ctx);
class RangeWriter final : public TreeWriter {
 public:
  RangeWriter(WriterEnvironment environment, std::string storage_namespace,
              std::map<std::string, std::string> dump_properties = {});
  ~RangeWriter() override;

  Task<> write(Context& ctx, std::string_view key, std::string_view identity,
               std::string_view data) override;
  Task<> write_range(Context& ctx, const RangeInfo& range) override;
  Task<WrittenTree> close(Context& ctx) override;

  void append(const RecordView& record);
  void append_range(const RangeInfo& range);
  /// Whether blocks of `file` may be copied from `record`, the first of one, without another result
  /// than from appending its records.
  bool takes_blocks_of(const RangeFile& file, const RecordView& record);
  /// Appends a block of such a file that is not the file's last; `payload` is what `stored` decodes
  /// to. False, and nothing appended, if the range might end in it.
  bool append_block(std::string_view payload, std::string_view stored, std::uint64_t name);
  /// Begins a range like such a file, up to a checkpoint of it; `stored` as TableWriter::resume()
  /// wants it.
  void begin_range(const RangeFile& file, std::size_t checkpoint, std::string stored);

  /// Whether the next record joins a range that has been begun.
  bool in_range() const;

  /// A tree that exists: its metarange need not be written again.
  void note_existing(const MetaRangeId& tree);

  /// A finished range waits in memory.
  bool backlogged() const;
  /// Hands finished ranges to uploads, waiting for a free one. Throws what an earlier one threw.
  Task<> start_uploads(Context& ctx);
  /// Waits until the uploads have ended, whatever their fate; none can follow. For whoever gives
  /// up.
  Task<> settle();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tarn::versioning
