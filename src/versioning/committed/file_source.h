// Where range and metarange files come from: the tier on local disk, then the object store, with
// everything from outside this process verified on the way in.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/context.h"
#include "base/task.h"
#include "block/object_store.h"
#include "io/blocking_pool.h"
#include "sst/table_reader.h"
#include "versioning/committed/committed.h"
#include "versioning/committed/range_store.h"

namespace tarn::versioning {

/// Thread-safe; keeps no file in memory. Throws as RangeStore does.
class FileSource {
 public:
  /// Whether this process has verified the file before.
  enum class Known : std::uint8_t { no, verified };

  struct Opened {
    sst::TableIndex index;
    Known before;  // `verified`: the very file that was verified then; `no`: verified just now
  };

  FileSource(block::ObjectStore& objects, io::BlockingPool& pool, const CommittedConfig& config);
  ~FileSource();
  FileSource(const FileSource&) = delete;
  FileSource& operator=(const FileSource&) = delete;

  block::ObjectRef ref(std::string_view storage_namespace, std::string_view id) const;

  Task<Opened> open_range(Context& ctx, const std::string& storage_namespace, const std::string& id,
                          Known known);
  Task<TreePtr> open_tree(Context& ctx, const std::string& storage_namespace,
                          const std::string& id);

  /// Exactly `bytes` bytes from `offset`, in a string with room for `room`.
  Task<std::string> read(Context& ctx, const std::string& storage_namespace, const std::string& id,
                         std::uint64_t offset, std::size_t bytes, std::size_t room = 0);

  /// Puts a file of our own making into the disk tier, if there is one.
  Task<> keep_on_disk(Context& ctx, const std::string& storage_namespace, const std::string& id,
                      std::shared_ptr<const std::string> bytes);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

[[noreturn]] void throw_missing_file(std::string_view id);

}  // namespace tarn::versioning
