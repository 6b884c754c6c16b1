#include <utility>

#include "base/error.h"
#include "base/format.h"
#include "catalog/fsck_parts.h"
#include "io/byte_source.h"
#include "io/sync.h"
#include "sst/table_reader.h"
#include "sst/value.h"

namespace tarn::catalog {

namespace {

constexpr std::size_t kRangeFileBytesMax = 512U << 20;
constexpr std::size_t kRecordsBetweenYields = 1'000;

/// What is wrong with the file as a whole, if anything.
struct FileFault {
  Finding finding;
  std::string detail;
};

std::optional<FileFault> check_file(const std::string& file, const std::string& id) {
  try {
    const std::string content = sst::compute_table_id(sst::TableView(file));
    if (content == id) return std::nullopt;
    return FileFault{Finding::range_id_mismatch, format("its content is that of {}", content)};
  } catch (const Error& error) {
    if (error.code() != ErrorCode::corrupt) throw;
    return FileFault{Finding::range_corrupt, error.message()};
  }
}

}  // namespace

void TreeChecks::start(const versioning::Repository& repository) {
  repository_ = &repository;
  objects_.start(repository);
  trees_.clear();
  ranges_.clear();
  bad_trees_.clear();
  bad_ranges_.clear();
  hits_.clear();
}

Problem TreeChecks::problem(Finding finding, std::string where, std::string detail) const {
  return {.finding = finding,
          .repository = repository_->id.str(),
          .where = std::move(where),
          .detail = std::move(detail)};
}

Task<> TreeChecks::check(const versioning::Commit& commit, bool with_objects) {
  const std::string& tree = commit.meta_range_id;
  if (tree.empty() || !trees_.insert(short_name(tree))) co_return;
  std::vector<versioning::RangeInfo> ranges;
  try {
    ranges = co_await run_.stores.committed.ranges(run_.ctx, repository_->storage_namespace, tree);
  } catch (const Error& error) {
    const bool missing = error.code() == ErrorCode::not_found;
    if (!missing && error.code() != ErrorCode::corrupt) throw;
    bad_trees_[short_name(tree)] |=
        run_.add(problem(missing ? Finding::metarange_missing : Finding::metarange_corrupt,
                         "metarange " + tree, error.message()));
    co_return;
  }
  for (const auto& range : ranges) {
    if (ranges_.insert(short_name(range.id))) co_await check_range(range, with_objects);
  }
}

Task<> TreeChecks::check_range(const versioning::RangeInfo& range, bool with_objects) {
  ++run_.report.ranges;
  const std::string where = "range " + range.id;
  const auto source = co_await run_.stores.objects.get(
      run_.ctx, run_.stores.committed.object_of(repository_->storage_namespace, range.id));
  FindingBits bits = 0;
  if (source == nullptr) {
    bits = run_.add(problem(Finding::range_missing, where, "there is no such file"));
  } else if (source->size().value_or(0) > kRangeFileBytesMax) {
    bits = run_.add(problem(Finding::range_corrupt, where, "too large for a range file"));
  } else {
    const std::string file = co_await io::read_all(run_.ctx, *source, kRangeFileBytesMax);
    if (auto fault = check_file(file, range.id)) {
      bits = run_.add(problem(fault->finding, where, std::move(fault->detail)));
    } else {
      bits = co_await check_records(range, file, where, with_objects);
    }
  }
  if (bits == 0) co_return;
  bad_ranges_[short_name(range.id)] = bits;
  if (Problem* last = run_.findings.last(); last != nullptr && last->paths.count == 0) {
    last->paths.count = static_cast<std::uint64_t>(range.count);
    last->paths.kept = {range.min_key};
    if (range.count > 1) last->paths.kept.push_back(range.max_key);
  }
}

Task<FindingBits> TreeChecks::check_records(const versioning::RangeInfo& range,
                                            const std::string& file, std::string where,
                                            bool with_objects) {
  FindingBits bits = 0;
  std::int64_t count = 0;
  std::string first;
  std::string last;
  const sst::TableView view(file);
  sst::TableView::Iterator records(view);
  while (records.next()) {
    if (count == 0) first = records.key();
    last = records.key();
    ++run_.report.entries;
    if (++count % kRecordsBetweenYields == 0) co_await io::yield();
    try {
      const Entry entry = decode_entry(sst::decode_value(records.value()).data);
      if (!with_objects || !objects_.add(entry, records.key(), where)) continue;
    } catch (const Error& error) {
      if (error.code() != ErrorCode::corrupt) throw;
      bits |= run_.add(problem(Finding::entry_unreadable, where,
                               format("{}: {}", records.key(), error.message())));
      if (Problem* found = run_.findings.last()) found->paths.add(std::string(records.key()));
      continue;
    }
    co_await objects_.flush(bits);
  }
  co_await objects_.flush(bits);
  if (count != range.count || first != range.min_key || last != range.max_key) {
    bits |=
        run_.add(problem(Finding::range_bounds_mismatch, where,
                         format("holds {} entries from {} to {}, recorded are {} from {} to {}",
                                count, first, last, range.count, range.min_key, range.max_key)));
  }
  co_return bits;
}

Task<FindingBits> TreeChecks::hits(const versioning::MetaRangeId& tree) {
  if (tree.empty()) co_return 0;
  const std::uint64_t name = short_name(tree);
  if (const auto bad = bad_trees_.find(name); bad != bad_trees_.end()) co_return bad->second;
  if (bad_ranges_.empty()) co_return 0;
  if (const auto known = hits_.find(name); known != hits_.end()) co_return known->second;
  FindingBits bits = 0;
  for (const auto& range :
       co_await run_.stores.committed.ranges(run_.ctx, repository_->storage_namespace, tree)) {
    if (const auto bad = bad_ranges_.find(short_name(range.id)); bad != bad_ranges_.end()) {
      bits |= bad->second;
    }
  }
  hits_.emplace(name, bits);
  co_return bits;
}

}  // namespace tarn::catalog
