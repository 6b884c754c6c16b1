// Builds trees: cuts records into ranges, uploads finished ranges while the next is built, writes
// the metarange. storage-format.md 3.10.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/context.h"
#include "base/task.h"
#include "io/task_group.h"
#include "versioning/committed/committed.h"
#include "versioning/committed/range_store.h"

namespace tarn::versioning {

/// What every writer of a server shares.
struct WriterEnvironment {
  block::ObjectStore& objects;
  RangeStore& store;
  io::TaskGroup& uploads;  // runs the uploads, and so outlives an abandoned writer
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

  /// A finished range waits in memory.
  bool backlogged() const;
  /// Hands finished ranges to uploads, waiting for a free one. Throws what an earlier one threw.
  Task<> start_uploads(Context& ctx);
  /// Waits until no upload is under way, whatever their fate: for whoever gives up.
  Task<> settle();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tarn::versioning
