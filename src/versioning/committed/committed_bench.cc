// What a look-up, a commit, a diff and a merge cost. Prints one line each.
#include <cstdio>

#include <time.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "base/format.h"
#include "base/hash.h"
#include "block/mem/mem_object_store.h"
#include "io/blocking_pool.h"
#include "versioning/committed/committed.h"

namespace tarn::versioning {
namespace {

constexpr std::string_view kSpace = "mem://bench";
constexpr int kRecords = 200'000;

/// Every `step`-th key, with values of the given generation.
class Keys final : public RecordStream {
 public:
  Keys(int from, int step, int generation) : at_(from), step_(step), generation_(generation) {
    for (int i = 0; i < 64; ++i)
      identities_.push_back(sha256(format("{} {}", i, generation)));
  }

  bool next() override {
    if (at_ >= kRecords) return false;
    key_ = format("dir{:03}/object-{:08}", at_ / 1000, at_);
    data_ = format("data/gqv3epl4fd2o8m3men70/{:020}-{}-{:032}", at_, generation_, at_ * 7919LL);
    record_ = {.key = key_, .identity = identities_[at_ % 64], .data = data_};
    at_ += step_;
    return true;
  }

  Task<bool> fill(Context&) override { co_return next(); }

  void seek(std::string_view) override {}

  const RecordView& record() const override { return record_; }

 private:
  int at_, step_, generation_;
  std::vector<std::string> identities_;
  std::string key_, data_;
  RecordView record_;
};

/// Processor time of all threads, in microseconds: the machine may be busy with other things.
class Clock {
 public:
  double lap() {
    const double before = last_;
    const double now = read();
    last_ = read();
    return now - before;
  }

 private:
  static double read() {
    timespec now{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
  }

  double last_ = read();
};

Task<int> count(Context& ctx, std::unique_ptr<DiffStream> stream) {
  int n = 0;
  while (stream->next() || co_await stream->fill(ctx))
    ++n;
  co_return n;
}

Task<> run(Committed& committed) {
  Context ctx;
  const std::string space(kSpace);
  Clock clock;
  Keys all(0, 1, 0);
  while (all.next()) {
  }
  const double generate = clock.lap() / kRecords;
  Keys first(0, 1, 0);
  const ApplyResult base = co_await committed.apply(ctx, kSpace, "", first);
  std::printf("commit of everything     %8.3f us per record\n", clock.lap() / kRecords - generate);
  Keys one(kRecords / 2, kRecords, 1);
  const ApplyResult small = co_await committed.apply(ctx, kSpace, base.id, one);
  std::printf("commit of one change     %8.0f us\n", clock.lap());
  Keys tenth(0, 10, 1), other(5, 10, 2);
  const ApplyResult left = co_await committed.apply(ctx, kSpace, base.id, tenth);
  std::printf("commit of each tenth     %8.3f us per record of the tree\n",
              clock.lap() / kRecords - generate / 10);
  const ApplyResult right = co_await committed.apply(ctx, kSpace, base.id, other);
  clock.lap();
  for (int pass = 0; pass < 2; ++pass) {
    const int seen = co_await count(ctx, committed.diff(space, left.id, right.id));
    std::printf("diff, %6d differences  %8.3f us per record of one side\n", seen,
                clock.lap() / kRecords);
  }
  const int compared = co_await count(ctx, committed.compare(space, left.id, right.id, base.id));
  std::printf("compare, %6d          %8.3f us per record of one side\n", compared,
              clock.lap() / kRecords);
  const TreeMergeResult merged =
      co_await committed.merge(ctx, kSpace, left.id, right.id, base.id, MergeStrategy::none);
  std::printf("merge, conflicts %ld       %8.3f us per record of one side\n",
              static_cast<long>(merged.summary.conflicts), clock.lap() / kRecords);
  int found = 0;
  constexpr int kGets = 400'000;
  std::vector<std::string> keys;
  keys.reserve(5'000);
  for (int i = 0; i < 5'000; ++i)
    keys.push_back(format("dir{:03}/object-{:08}", i * 7 / 1000, i * 7));
  for (const std::string& key : keys)
    found += (co_await committed.get(ctx, kSpace, base.id, key)).has_value() ? 1 : 0;
  clock.lap();
  for (int i = 0; i < kGets; ++i)
    found += (co_await committed.get(ctx, kSpace, base.id, keys[(i * 31LL) % 5'000])).has_value();
  std::printf("warm get                 %8.3f us (%d found)\n", clock.lap() / kGets, found);
  clock.lap();
  const auto stream = committed.open(space, base.id);
  int seen = 0;
  while (stream->next() || co_await stream->fill(ctx))
    ++seen;
  std::printf("scan                     %8.3f us per record\n", clock.lap() / seen);
  static_cast<void>(small);
}

}  // namespace
}  // namespace tarn::versioning

int main() {
  tarn::block::MemObjectStore objects;
  tarn::io::BlockingPool pool({.name = "bench", .threads = 2});
  tarn::versioning::Committed committed(objects, pool, {});
  boost::asio::io_context loop(1);
  boost::asio::co_spawn(loop, tarn::versioning::run(committed),
                        [](const std::exception_ptr& error) {
                          if (error) std::rethrow_exception(error);
                        });
  loop.run();
}
