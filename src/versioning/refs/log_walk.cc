#include "versioning/refs/log_walk.h"

#include <algorithm>
#include <ranges>
#include <span>
#include <tuple>
#include <utility>

#include "io/sync.h"

namespace tarn::versioning {
namespace {

constexpr std::size_t kYieldEvery = 500;

bool comes_later(const CommitPtr& a, const CommitPtr& b) {
  return std::tie(a->creation_date, a->id) < std::tie(b->creation_date, b->id);
}

}  // namespace

LogWalk::LogWalk(Commits& commits, Repository repository, CommitId start, LogWalkOptions options)
    : commits_(commits),
      repository_(std::move(repository)),
      partition_(repository_.partition()),
      options_(std::move(options)) {
  seen_.insert(start);
  undiscovered_.push_back(std::move(start));
}

void LogWalk::discovered(CommitPtr commit) {
  undiscovered_.pop_back();
  frontier_.push_back(std::move(commit));
  std::ranges::push_heap(frontier_, comes_later);
}

bool LogWalk::discover_cached() {
  while (!undiscovered_.empty()) {
    CommitPtr commit = commits_.cached(partition_, undiscovered_.back());
    if (commit == nullptr) return false;
    discovered(std::move(commit));
  }
  return true;
}

/// The next commit of the walk, whatever `after` says; null at the end.
CommitPtr LogWalk::take() {
  if (ended_ || frontier_.empty()) return nullptr;
  std::ranges::pop_heap(frontier_, comes_later);
  CommitPtr commit = std::move(frontier_.back());
  frontier_.pop_back();
  if (options_.since && commit->creation_date < *options_.since) {
    ended_ = true;
    return nullptr;
  }
  if (options_.stop_at == commit->id) {
    ended_ = true;
    return commit;
  }
  const auto parents =
      std::span(commit->parents)
          .first(options_.first_parent ? std::min<std::size_t>(commit->parents.size(), 1)
                                       : commit->parents.size());
  for (const CommitId& parent : std::views::reverse(parents)) {
    if (seen_.insert(parent).second) undiscovered_.push_back(parent);
  }
  return commit;
}

std::optional<CommitPtr> LogWalk::next_ready() {
  while (unbroken_ < kYieldEvery && discover_cached()) {
    CommitPtr commit = take();
    ++unbroken_;
    if (commit == nullptr || !options_.after) return commit;
    if (commit->id == *options_.after) options_.after.reset();
  }
  return std::nullopt;
}

Task<CommitPtr> LogWalk::next(Context& ctx) {
  for (;;) {
    if (auto ready = next_ready()) co_return *std::move(ready);
    if (unbroken_ >= kYieldEvery) {
      unbroken_ = 0;
      ctx.check_deadline();
      co_await io::yield();
    } else {
      discovered(co_await commits_.get(ctx, repository_, CommitId(undiscovered_.back())));
    }
  }
}

Task<Page<CommitPtr>> read_log_page(Context& ctx, LogWalk& walk, std::size_t amount,
                                    const CommitFilter& filter, bool limit) {
  Page<CommitPtr> page;
  for (;;) {
    auto ready = walk.next_ready();
    CommitPtr commit = ready ? *std::move(ready) : co_await walk.next(ctx);
    if (commit == nullptr) break;
    if (filter && !co_await filter(ctx, *commit)) continue;
    if (page.items.size() >= amount) {
      page.has_more = true;
      break;
    }
    page.items.push_back(std::move(commit));
    if (limit && page.items.size() == amount) break;
  }
  co_return page;
}

}  // namespace tarn::versioning
