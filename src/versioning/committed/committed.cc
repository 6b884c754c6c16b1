#include "versioning/committed/committed.h"

#include <exception>
#include <utility>

#include "base/error.h"
#include "io/sync.h"
#include "sst/block.h"
#include "sst/value.h"
#include "versioning/committed/apply.h"
#include "versioning/committed/range_file.h"
#include "versioning/committed/range_store.h"
#include "versioning/committed/range_writer.h"
#include "versioning/committed/tree_diff.h"
#include "versioning/committed/tree_merge.h"
#include "versioning/committed/tree_stream.h"
#include "versioning/committed/tree_walk.h"

namespace tarn::versioning {

struct Committed::Impl {
  Impl(block::ObjectStore& objects_in, io::BlockingPool& pool, CommittedConfig config_in)
      : objects(objects_in), config(std::move(config_in)), store(objects, pool, config) {}

  WriterEnvironment environment() {
    return {.objects = objects, .store = store, .orphans = orphans, .config = config};
  }

  block::ObjectStore& objects;
  const CommittedConfig config;
  RangeStore store;
  OrphanedUploads orphans;
};

namespace {

/// A look-up that went as far as memory allows.
struct Lookup {
  bool complete = false;
  std::optional<Value> value;
};

std::optional<Value> find_in_block(const std::string& block, std::string_view key) {
  sst::BlockIterator records(block, sst::KeyForm::record);
  if (!records.seek_ge(key) || records.key() != key) return std::nullopt;
  const sst::ValueView value = sst::decode_value(records.value());
  return Value{.identity = std::string(value.identity), .data = std::string(value.data)};
}

const RangeInfo* find_range(const Tree& tree, std::string_view key) {
  const std::size_t at = tree.find(key);
  if (at == tree.ranges.size() || tree.ranges[at].min_key > key) return nullptr;
  return &tree.ranges[at];
}

Lookup find_in_memory(RangeStore& store, std::string_view storage_namespace, const MetaRangeId& id,
                      std::string_view key) {
  const TreePtr tree = store.find_tree(storage_namespace, id);
  if (!tree) return {};
  const RangeInfo* range = find_range(*tree, key);
  if (range == nullptr) return {.complete = true, .value = {}};
  const RangeFilePtr file = store.find_file(storage_namespace, range->id);
  if (!file) return {};
  const auto index = file->index.find(key);
  if (!index) return {.complete = true, .value = {}};
  const BlockPtr block = store.find_block(*file, *index);
  if (!block) return {};
  return {.complete = true, .value = find_in_block(*block, key)};
}

Task<std::optional<Value>> find_anywhere(Context& ctx, RangeStore& store,
                                         std::string storage_namespace, MetaRangeId id,
                                         std::string_view key) {
  const TreePtr tree = co_await store.tree(ctx, storage_namespace, std::move(id));
  const RangeInfo* range = find_range(*tree, key);
  if (range == nullptr) co_return std::nullopt;
  const RangeFilePtr file = co_await store.file(ctx, std::move(storage_namespace), range->id);
  const auto index = file->index.find(key);
  if (!index) co_return std::nullopt;
  BlockPtr block = store.find_block(*file, *index);
  if (!block) block = co_await store.block(ctx, file, *index, 0);
  co_return find_in_block(*block, key);
}

/// Gives up on a tree: nothing of it runs on after the caller has its error.
Task<> abandon(RangeWriter& writer, std::exception_ptr error) {
  co_await writer.settle();
  std::rethrow_exception(error);
}

}  // namespace

Committed::Committed(block::ObjectStore& objects, io::BlockingPool& pool, CommittedConfig config)
    : impl_(new Impl(objects, pool, std::move(config))) {}

Committed::~Committed() = default;

Task<> Committed::close() {
  return impl_->orphans.close();
}

Task<std::optional<Value>> Committed::get(Context& ctx, std::string_view storage_namespace,
                                          const MetaRangeId& tree, std::string_view key) {
  Lookup warm = find_in_memory(impl_->store, storage_namespace, tree, key);
  if (warm.complete) co_return std::move(warm.value);
  co_return co_await find_anywhere(ctx, impl_->store, std::string(storage_namespace), tree, key);
}

Task<std::vector<std::optional<Value>>> Committed::get_many(Context& ctx,
                                                            std::string_view storage_namespace,
                                                            const MetaRangeId& tree,
                                                            const std::vector<std::string>& keys) {
  constexpr std::size_t kKeysBetweenYields = 256;
  std::vector<std::optional<Value>> values(keys.size());
  TreeWalk walk(impl_->store, std::string(storage_namespace), tree);
  co_await walk.load(ctx);
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (i > 0 && keys[i] < keys[i - 1]) throw Error(ErrorCode::invalid_argument, "unsorted keys");
    walk.advance_to(keys[i]);
    if (walk.stalled()) co_await walk.load(ctx);
    if (walk.at_head() && walk.range().min_key == keys[i]) walk.step();
    if (walk.stalled()) co_await walk.load(ctx);
    if (walk.at_record() && walk.record().key == keys[i]) values[i] = walk.record().to_value();
    if ((i + 1) % kKeysBetweenYields == 0) co_await io::yield();
  }
  co_return values;
}

std::unique_ptr<TreeStream> Committed::open(std::string storage_namespace, MetaRangeId tree) {
  return std::make_unique<WalkStream>(impl_->store, std::move(storage_namespace), std::move(tree));
}

Task<std::vector<RangeInfo>> Committed::ranges(Context& ctx, std::string_view storage_namespace,
                                               const MetaRangeId& tree) {
  try {
    const TreePtr found = co_await impl_->store.tree(ctx, std::string(storage_namespace), tree);
    co_return found->ranges;
  } catch (const Error& error) {
    if (error.code() != ErrorCode::data_missing) throw;
    throw Error(ErrorCode::not_found, "metarange not found");
  }
}

std::unique_ptr<TreeWriter> Committed::writer(std::string storage_namespace,
                                              std::map<std::string, std::string> dump_properties) {
  return std::make_unique<RangeWriter>(impl_->environment(), std::move(storage_namespace),
                                       std::move(dump_properties));
}

Task<ApplyResult> Committed::apply(Context& ctx, std::string_view storage_namespace,
                                   const MetaRangeId& base, RecordStream& changes) {
  const std::string home(storage_namespace);
  RangeWriter out(impl_->environment(), home);
  TreeWalk walk(impl_->store, home, base);
  out.note_existing(base);
  std::exception_ptr error;
  try {
    ApplyResult result;
    result.summary = co_await apply_changes(ctx, impl_->store, walk, changes, out);
    result.id = (co_await out.close(ctx)).id;
    co_return result;
  } catch (...) {
    error = std::current_exception();
  }
  co_await abandon(out, error);
  std::unreachable();
}

std::unique_ptr<DiffStream> Committed::diff(std::string storage_namespace, MetaRangeId left,
                                            MetaRangeId right) {
  return std::make_unique<TreeDiff>(impl_->store, std::move(storage_namespace), std::move(left),
                                    std::move(right));
}

std::unique_ptr<DiffStream> Committed::compare(std::string storage_namespace,
                                               MetaRangeId destination, MetaRangeId source,
                                               MetaRangeId base) {
  return std::make_unique<TreeCompare>(impl_->store, std::move(storage_namespace),
                                       std::move(destination), std::move(source), std::move(base));
}

Task<TreeMergeResult> Committed::merge(Context& ctx, std::string_view storage_namespace,
                                       const MetaRangeId& destination, const MetaRangeId& source,
                                       const MetaRangeId& base, MergeStrategy strategy) {
  // The empty tree without a name is written under its real one, as the reference does.
  if (source == base && !destination.empty())
    co_return TreeMergeResult{.id = destination, .summary = {}, .first_conflict = {}};
  if (destination == base)
    co_return TreeMergeResult{.id = source, .summary = {}, .first_conflict = {}};
  const std::string home(storage_namespace);
  RangeWriter out(impl_->environment(), home);
  TreeWalk destination_walk(impl_->store, home, destination);
  TreeWalk source_walk(impl_->store, home, source);
  TreeWalk base_walk(impl_->store, home, base);
  for (const MetaRangeId* tree : {&destination, &source, &base})
    out.note_existing(*tree);
  std::exception_ptr error;
  try {
    TreeMergeResult result = co_await merge_trees(
        ctx, impl_->store,
        {.destination = destination_walk, .source = source_walk, .base = base_walk}, strategy, out);
    if (strategy == MergeStrategy::none && result.summary.conflicts > 0) {
      co_await out.settle();
    } else {
      result.id = (co_await out.close(ctx)).id;
    }
    co_return result;
  } catch (...) {
    error = std::current_exception();
  }
  co_await abandon(out, error);
  std::unreachable();
}

block::ObjectRef Committed::object_of(std::string_view storage_namespace,
                                      std::string_view id) const {
  return impl_->store.object_of(storage_namespace, id);
}

}  // namespace tarn::versioning
