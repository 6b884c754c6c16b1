#include "versioning/refs/merge_base.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "io/sync.h"

namespace tarn::versioning {
namespace {

constexpr std::size_t kYieldEvery = 500;

/// A binary heap whose order among equals is the reference's, since it decides which base is found:
/// sift up after appending; to pop, swap first and last, then sift down preferring the left child.
class Frontier {
 public:
  bool empty() const { return heap_.empty(); }

  void push(CommitPtr commit) {
    heap_.push_back(std::move(commit));
    std::size_t child = heap_.size() - 1;
    while (child > 0) {
      const std::size_t parent = (child - 1) / 2;
      if (!before(child, parent)) break;
      std::swap(heap_[child], heap_[parent]);
      child = parent;
    }
  }

  CommitPtr pop() {
    std::swap(heap_.front(), heap_.back());
    CommitPtr top = std::move(heap_.back());
    heap_.pop_back();
    for (std::size_t parent = 0;;) {
      std::size_t child = 2 * parent + 1;
      if (child >= heap_.size()) break;
      if (child + 1 < heap_.size() && before(child + 1, child)) ++child;
      if (!before(child, parent)) break;
      std::swap(heap_[child], heap_[parent]);
      parent = child;
    }
    return top;
  }

 private:
  bool before(std::size_t a, std::size_t b) const {
    if (heap_[a]->generation != heap_[b]->generation) {
      return heap_[a]->generation > heap_[b]->generation;
    }
    return heap_[a]->creation_date > heap_[b]->creation_date;
  }

  std::vector<CommitPtr> heap_;
};

constexpr std::uint8_t kFromSource = 1;
constexpr std::uint8_t kFromDestination = 2;
constexpr std::uint8_t kCommon = kFromSource | kFromDestination;
constexpr std::uint8_t kBelowCommon = 4;  // an ancestor of another common ancestor

struct Reached {
  std::uint8_t flags = 0;
  std::int64_t generation = 0;
};

/// The walk's state: what was reached from where, and what was found so far.
struct Search {
  Frontier frontier;
  std::unordered_map<CommitId, Reached> reached;
  std::optional<CommitId> found;   // the first that was seen to be common: the reference's
  std::optional<CommitId> newest;  // the first that was popped and is common
  std::int64_t found_generation = 0;

  void start(const CommitPtr& commit, std::uint8_t flags) {
    reached[commit->id] = {flags, commit->generation};
    frontier.push(commit);
  }

  /// Whether nothing left to pop can descend from what was found.
  bool is_over(const Commit& next) const { return found && next.generation <= found_generation; }

  CommitId answer() const {
    return (reached.at(*found).flags & kBelowCommon) != 0 ? *newest : *found;
  }
};

}  // namespace

// A commit that is seen to be common may have a descendant that is common too, but has not been
// reached yet (a branch begun long ago touches old commits early). The reference stops there and
// merges with too old a base: changes that both sides share become conflicts, and what one side
// took back comes back. So the walk goes on down to the generation of what was found.
Task<std::optional<CommitId>> find_merge_base(Context& ctx, Commits& commits,
                                              const Repository& repository, const CommitId& source,
                                              const CommitId& destination) {
  if (source == destination) co_return (co_await commits.get(ctx, repository, source))->id;
  Search search;
  search.start(co_await commits.get(ctx, repository, source), kFromSource);
  search.start(co_await commits.get(ctx, repository, destination), kFromDestination);
  for (std::size_t popped = 1; !search.frontier.empty(); ++popped) {
    if (popped % kYieldEvery == 0) {
      ctx.check_deadline();
      co_await io::yield();
    }
    const CommitPtr commit = search.frontier.pop();
    if (search.is_over(*commit)) break;
    std::uint8_t flags = search.reached[commit->id].flags;
    if ((flags & kCommon) == kCommon) {
      if (!search.newest) search.newest = commit->id;
      flags |= kBelowCommon;
    }
    for (const CommitId& parent : commit->parents) {
      const bool is_new = !search.reached.contains(parent);
      if (is_new) search.start(co_await commits.get(ctx, repository, parent), 0);
      Reached& entry = search.reached[parent];
      entry.flags |= flags;
      if (search.found || (entry.flags & kCommon) != kCommon) continue;
      search.found = parent;
      search.found_generation = entry.generation;
    }
  }
  if (!search.found) co_return std::nullopt;
  co_return search.answer();
}

}  // namespace tarn::versioning
