#include "versioning/committed/tree_diff.h"

#include <utility>

#include "io/sync.h"

namespace tarn::versioning {

namespace {

/// Orders two walks by the first key each may still yield; an ended walk is last.
int compare_low(const TreeWalk& a, const TreeWalk& b) {
  if (a.at_end() || b.at_end()) return static_cast<int>(a.at_end()) - static_cast<int>(b.at_end());
  return a.low().compare(b.low());
}

bool at_same_range(const TreeWalk& a, const TreeWalk& b) {
  return a.at_head() && b.at_head() && a.range().id == b.range().id;
}

}  // namespace

Task<bool> TreeDiffStream::fill(Context& ctx) {
  while (true) {
    switch (search()) {
      case Search::found: co_return true;
      case Search::ended: co_return false;
      case Search::stalled: co_await load(ctx); break;
      case Search::tired: co_await io::yield(); break;
    }
  }
}

TreeDiffStream::Search TreeDiffStream::found(DiffType type, const RecordView& record) {
  difference_.type = type;
  difference_.key.assign(record.key);
  difference_.value.identity.assign(record.identity);
  difference_.value.data.assign(record.data);
  return Search::found;
}

TreeDiff::TreeDiff(RangeStore& store, std::string storage_namespace, MetaRangeId left,
                   MetaRangeId right)
    : left_(store, storage_namespace, std::move(left)),
      right_(store, std::move(storage_namespace), std::move(right)) {}

void TreeDiff::seek(std::string_view key) {
  const std::string copy(key);  // it may be our own difference's
  left_.seek(copy);
  right_.seek(copy);
}

Task<> TreeDiff::load(Context& ctx) {
  if (left_.stalled()) co_await left_.load(ctx);
  if (right_.stalled()) co_await right_.load(ctx);
}

TreeDiffStream::Search TreeDiff::search() {
  for (std::uint32_t steps = 0; steps < kStepsPerSearch; ++steps) {
    if (left_.stalled() || right_.stalled()) return Search::stalled;
    if (left_.at_end() && right_.at_end()) return Search::ended;
    if (at_same_range(left_, right_)) {
      left_.skip_range();
      right_.skip_range();
      continue;
    }
    if (const std::size_t blocks = equal_blocks(left_, right_); blocks > 0) {
      left_.skip_blocks(blocks);
      right_.skip_blocks(blocks);
      continue;
    }
    // Whoever is behind moves; a head is entered only when nothing before it is left, which gives
    // the other side every chance to reach the head of the same range.
    const int order = compare_low(left_, right_);
    if (order <= 0 && left_.at_head()) {
      left_.step();
    } else if (order >= 0 && right_.at_head()) {
      right_.step();
    } else if (order < 0) {
      const Search result = found(DiffType::removed, left_.record());
      left_.step();
      return result;
    } else if (order > 0) {
      const Search result = found(DiffType::added, right_.record());
      right_.step();
      return result;
    } else {
      const bool equal = left_.record().identity == right_.record().identity;
      if (!equal) found(DiffType::changed, right_.record());
      left_.step();
      right_.step();
      if (!equal) return Search::found;
    }
  }
  return Search::tired;
}

TreeCompare::TreeCompare(RangeStore& store, std::string storage_namespace, MetaRangeId destination,
                         MetaRangeId source, MetaRangeId base)
    : base_(store, storage_namespace, std::move(base)),
      source_(store, storage_namespace, std::move(source)),
      destination_(store, std::move(storage_namespace), std::move(destination)) {}

void TreeCompare::seek(std::string_view key) {
  const std::string copy(key);
  base_.seek(copy);
  source_.seek(copy);
  destination_.seek(copy);
}

Task<> TreeCompare::load(Context& ctx) {
  if (base_.stalled()) co_await base_.load(ctx);
  if (source_.stalled()) co_await source_.load(ctx);
  if (destination_.stalled()) co_await destination_.load(ctx);
}

bool TreeCompare::destination_has_range(const RangeInfo& range) const {
  const Tree& tree = *destination_.tree();
  const std::size_t at = tree.find(range.max_key);
  return at < tree.ranges.size() && tree.ranges[at].id == range.id;
}

void TreeCompare::skip_source_range() {
  const std::string after = source_.range().max_key + '\0';
  source_.skip_range();
  base_.advance_to(after);
}

bool TreeCompare::judge(std::string_view key, const RecordView* base, const RecordView* source) {
  const bool here = destination_.at_record() && destination_.record().key == key;
  const RecordView* destination = here ? &destination_.record() : nullptr;
  const auto equal = [](const RecordView* a, const RecordView* b) {
    return a == nullptr || b == nullptr ? a == b : a->identity == b->identity;
  };
  if (equal(source, destination)) return false;
  DiffType type = DiffType::conflict;
  if (equal(destination, base)) {
    type = base == nullptr     ? DiffType::added
           : source == nullptr ? DiffType::removed
                               : DiffType::changed;
  }
  // Where the source lacks the key it differs from the destination, which thus has it.
  found(type, source != nullptr ? *source : *destination);
  return true;
}

TreeDiffStream::Search TreeCompare::search() {
  for (std::uint32_t steps = 0; steps < kStepsPerSearch; ++steps) {
    if (base_.stalled() || source_.stalled() || destination_.stalled()) return Search::stalled;
    if (base_.at_end() && source_.at_end()) return Search::ended;
    if (at_same_range(base_, source_)) {
      base_.skip_range();
      source_.skip_range();
      continue;
    }
    if (const std::size_t blocks = equal_blocks(base_, source_); blocks > 0) {
      base_.skip_blocks(blocks);
      source_.skip_blocks(blocks);
      continue;
    }
    const int order = compare_low(base_, source_);
    if (order >= 0 && source_.at_head()) {
      if (destination_has_range(source_.range())) {
        skip_source_range();
      } else {
        source_.step();
      }
      continue;
    }
    if (order <= 0 && base_.at_head()) {
      base_.step();
      continue;
    }
    const RecordView* base = order <= 0 ? &base_.record() : nullptr;
    const RecordView* source = order >= 0 ? &source_.record() : nullptr;
    bool differs = false;
    if (order != 0 || base->identity != source->identity) {
      const std::string_view key = base != nullptr ? base->key : source->key;
      destination_.advance_to(key);
      if (destination_.at_head() && destination_.range().min_key == key) destination_.step();
      if (destination_.stalled()) return Search::stalled;  // and judge again
      differs = judge(key, base, source);
    }
    if (base != nullptr) base_.step();
    if (source != nullptr) source_.step();
    if (differs) return Search::found;
  }
  return Search::tired;
}

}  // namespace tarn::versioning
