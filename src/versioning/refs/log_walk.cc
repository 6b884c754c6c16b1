#include "versioning/refs/log_walk.h"

#include <algorithm>
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
      options_(std::move(options)),
      start_(std::move(start)) {}

Task<> LogWalk::discover(Context& ctx, CommitId id) {
  if (!seen_.insert(id).second) co_return;
  frontier_.push_back(co_await commits_.get(ctx, repository_, id));
  std::ranges::push_heap(frontier_, comes_later);
}

Task<CommitPtr> LogWalk::step(Context& ctx) {
  if (start_) co_await discover(ctx, *std::exchange(start_, std::nullopt));
  if (const CommitPtr given = std::exchange(last_, nullptr)) {
    for (const CommitId& parent : given->parents) {
      co_await discover(ctx, parent);
      if (options_.first_parent) break;
    }
    if (seen_.size() % kYieldEvery == 0) {
      ctx.check_deadline();
      co_await io::yield();
    }
  }
  if (ended_ || frontier_.empty()) co_return nullptr;
  std::ranges::pop_heap(frontier_, comes_later);
  CommitPtr commit = std::move(frontier_.back());
  frontier_.pop_back();
  if (options_.since && commit->creation_date < *options_.since) {
    ended_ = true;
    co_return nullptr;
  }
  if (options_.stop_at == commit->id) {
    ended_ = true;
  } else {
    last_ = commit;
  }
  co_return commit;
}

Task<CommitPtr> LogWalk::next(Context& ctx) {
  while (options_.after) {
    const CommitPtr skipped = co_await step(ctx);
    if (!skipped) co_return nullptr;
    if (skipped->id == *options_.after) options_.after.reset();
  }
  co_return co_await step(ctx);
}

Task<Page<Commit>> read_log_page(Context& ctx, LogWalk& walk, std::size_t amount,
                                 const CommitFilter& filter, bool limit) {
  Page<Commit> page;
  while (const CommitPtr commit = co_await walk.next(ctx)) {
    if (filter && !co_await filter(ctx, *commit)) continue;
    if (page.items.size() >= amount) {
      page.has_more = true;
      break;
    }
    page.items.push_back(*commit);
    if (limit && page.items.size() == amount) break;
  }
  co_return page;
}

}  // namespace tarn::versioning
