#include "versioning/refs/merge_base.h"

#include <cstddef>
#include <cstdint>
#include <string>
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

}  // namespace

Task<std::optional<CommitId>> find_merge_base(Context& ctx, Commits& commits,
                                              const Repository& repository, const CommitId& source,
                                              const CommitId& destination) {
  if (source == destination) co_return (co_await commits.get(ctx, repository, source))->id;
  const std::string partition = repository.partition();
  Frontier frontier;
  std::unordered_map<CommitId, std::uint8_t> reached;
  frontier.push(co_await commits.get(ctx, repository, source));
  frontier.push(co_await commits.get(ctx, repository, destination));
  reached[source] = kFromSource;
  reached[destination] = kFromDestination;
  for (std::size_t popped = 1; !frontier.empty(); ++popped) {
    if (popped % kYieldEvery == 0) {
      ctx.check_deadline();
      co_await io::yield();
    }
    const CommitPtr commit = frontier.pop();
    const std::uint8_t flags = reached[commit->id];
    for (const CommitId& parent : commit->parents) {
      const auto [entry, is_new] = reached.try_emplace(parent, std::uint8_t{0});
      entry->second |= flags;
      if (entry->second == (kFromSource | kFromDestination)) co_return parent;
      if (!is_new) continue;
      CommitPtr known = commits.cached(partition, parent);
      frontier.push(known != nullptr ? std::move(known)
                                     : co_await commits.get(ctx, repository, parent));
    }
  }
  co_return std::nullopt;
}

}  // namespace tarn::versioning
