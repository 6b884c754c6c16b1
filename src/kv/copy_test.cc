#include "kv/copy.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/format.h"
#include "kv/copy_record.h"
#include "kv/mem/mem_store.h"
#include "kv/testing/faulty_store.h"
#include "testing/co_test.h"

namespace tarn::kv {
namespace {

using testing::Fault;
using testing::FaultyStore;

const CopyReport ignore = [](CopyPhase, std::uint64_t, std::uint64_t) {};

/// Small pages and slices, so that little data crosses many borders.
CopyOptions small_pages() {
  return {.source_name = "test", .page_rows = 10, .writers = 2, .pages_per_record = 2};
}

Task<> fill(Context& ctx, Store& store, int partitions, int rows) {
  std::vector<Op> ops;
  for (int p = 0; p < partitions; ++p) {
    for (int r = 0; r < rows; ++r) {
      const std::string partition = format("partition-{}", p) + std::string(p % 3, '\0');
      ops.push_back(Op::set(partition, format("{:03}", r), std::string(r % 7, 'v')));
    }
  }
  co_await store.run(ctx, std::move(ops));
}

using All = std::map<std::pair<std::string, std::string>, std::string>;

Task<All> read_everything(Context& ctx, Store& store) {
  All all;
  for (const Row& row : co_await store.read_rows(ctx, std::nullopt, kPageKeysMax))
    all[{row.address.partition, row.address.key}] = row.value;
  co_return all;
}

CO_TEST(KvCopy, CopiesEveryRowOfEveryPartition) {
  MemStore from;
  MemStore to;
  co_await fill(ctx, from, 5, 33);
  std::uint64_t reported = 0;
  const auto report = [&](CopyPhase, std::uint64_t rows, std::uint64_t) { reported = rows; };
  const CopyOutcome outcome = co_await copy_store(ctx, from, to, small_pages(), report);
  EXPECT_EQ(outcome.rows, 165u);
  EXPECT_EQ(reported, 165u);
  EXPECT_FALSE(outcome.resumed);
  CO_EXPECT_ERROR(check_no_unfinished_copy(ctx, to), ErrorCode::conflict);
  co_await finish_copy(ctx, to);
  co_await check_no_unfinished_copy(ctx, to);
  EXPECT_TRUE(co_await read_everything(ctx, to) == co_await read_everything(ctx, from));
}

CO_TEST(KvCopy, AnEmptyStoreIsCopiedToo) {
  MemStore from;
  MemStore to;
  EXPECT_EQ((co_await copy_store(ctx, from, to, small_pages(), ignore)).rows, 0u);
}

CO_TEST(KvCopy, ForeignRowsInTheTargetAreRefusedAndKept) {
  MemStore from;
  MemStore to;
  co_await fill(ctx, from, 1, 3);
  co_await to.set(ctx, "other", "k", "v");
  CO_EXPECT_ERROR(copy_store(ctx, from, to, small_pages(), ignore), ErrorCode::already_exists);
  CopyOptions over = small_pages();
  over.start_over = true;
  CO_EXPECT_ERROR(copy_store(ctx, from, to, over, ignore), ErrorCode::already_exists);
  EXPECT_EQ((co_await read_everything(ctx, to)).size(), 1u);
}

CO_TEST(KvCopy, AnUnfinishedCopyIsNeitherSourceNorTargetOfAnother) {
  MemStore from;
  MemStore to;
  co_await fill(ctx, from, 1, 3);
  co_await copy_store(ctx, from, to, small_pages(), ignore);
  CopyOptions other = small_pages();
  other.source_name = "elsewhere";
  CO_EXPECT_ERROR(copy_store(ctx, from, to, other, ignore), ErrorCode::already_exists);
  MemStore third;
  CO_EXPECT_ERROR(copy_store(ctx, to, third, small_pages(), ignore), ErrorCode::invalid_argument);
}

/// Whether the copy ended; a failure that was injected is swallowed.
Task<bool> try_copy(Context& ctx, Store& from, Store& to, CopyOutcome& outcome) {
  try {
    outcome = co_await copy_store(ctx, from, to, small_pages(), ignore);
    co_return true;
  } catch (const Error& error) {
    if (error.code() != ErrorCode::unavailable) throw;
    co_return false;
  }
}

CO_TEST(KvCopy, GoesOnAfterAFailureOfAnyCallOnEitherSide) {
  MemStore from;
  co_await fill(ctx, from, 4, 21);
  const All expected = co_await read_everything(ctx, from);
  for (const bool source_fails : {true, false}) {
    for (const Fault fault : {Fault::before, Fault::midway, Fault::after}) {
      std::uint64_t interrupted = 0;
      for (std::uint64_t n = 1;; ++n) {
        MemStore to;
        FaultyStore faulty_from(from);
        FaultyStore faulty_to(to);
        (source_fails ? faulty_from : faulty_to).fail_nth(n, fault);
        CopyOutcome outcome;
        if (co_await try_copy(ctx, faulty_from, faulty_to, outcome)) break;  // n calls are enough
        ++interrupted;
        EXPECT_TRUE(co_await try_copy(ctx, faulty_from, faulty_to, outcome));
        EXPECT_EQ(outcome.rows, expected.size());
        co_await finish_copy(ctx, to);
        EXPECT_TRUE(co_await read_everything(ctx, to) == expected);
      }
      EXPECT_GT(interrupted, 9u);
    }
  }
}

CO_TEST(KvCopy, AResumedCopyDoesNotWriteAgainWhatItNoted) {
  MemStore from;
  MemStore to;
  co_await fill(ctx, from, 10, 10);
  FaultyStore faulty(to);
  faulty.fail_nth(16, Fault::before);
  CopyOutcome outcome;
  CO_ASSERT_FALSE(co_await try_copy(ctx, from, faulty, outcome));
  const std::uint64_t before = faulty.calls();
  CO_ASSERT_TRUE(co_await try_copy(ctx, from, faulty, outcome));
  EXPECT_TRUE(outcome.resumed);
  EXPECT_LT(faulty.calls() - before, before);
}

CO_TEST(KvCopy, StartingOverForgetsWhatTheSourceNoLongerHolds) {
  MemStore from;
  MemStore to;
  co_await fill(ctx, from, 3, 12);
  FaultyStore faulty(to);
  faulty.fail_nth(9, Fault::before);
  CopyOutcome outcome;
  CO_ASSERT_FALSE(co_await try_copy(ctx, from, faulty, outcome));
  co_await from.erase(ctx, "partition-0", "000");
  CopyOptions over = small_pages();
  over.start_over = true;
  outcome = co_await copy_store(ctx, from, to, over, ignore);
  EXPECT_FALSE(outcome.resumed);
  co_await finish_copy(ctx, to);
  EXPECT_TRUE(co_await read_everything(ctx, to) == co_await read_everything(ctx, from));
}

/// Forwards to a target into which another copy writes its record at the n-th run().
class RivalledStore final : public Store {
 public:
  RivalledStore(Store& inner, int nth) : inner_(inner), left_(nth) {}

  Task<std::optional<std::string>> get(Context& ctx, std::string_view partition,
                                       std::string_view key) override {
    return inner_.get(ctx, partition, key);
  }

  Task<std::vector<std::optional<std::string>>> get_many(Context& ctx,
                                                         std::vector<Address> addresses) override {
    return inner_.get_many(ctx, std::move(addresses));
  }

  Task<std::vector<OpResult>> run(Context& ctx, std::vector<Op> ops) override {
    if (--left_ == 0) {
      co_await inner_.set(ctx, kCopyPartition, kCopyKey,
                          encode_copy_record({.source = "test", .rows = 999}));
    }
    co_return co_await inner_.run(ctx, std::move(ops));
  }

  std::unique_ptr<Cursor> scan(std::string_view partition, ScanOptions options) override {
    return inner_.scan(partition, std::move(options));
  }

  Task<std::vector<Row>> read_rows(Context& ctx, std::optional<Address> after,
                                   std::uint32_t rows_max) override {
    return inner_.read_rows(ctx, std::move(after), rows_max);
  }

  Task<> close() override { return inner_.close(); }

 private:
  Store& inner_;
  int left_;
};

CO_TEST(KvCopy, OfTwoCopiesIntoOneTargetOneStops) {
  MemStore from;
  MemStore to;
  co_await fill(ctx, from, 4, 30);
  RivalledStore rivalled(to, 4);
  CO_EXPECT_ERROR(copy_store(ctx, from, rivalled, small_pages(), ignore), ErrorCode::conflict);
}

CO_TEST(KvCopy, ContentsAreEqualWhateverTheOrderAndDifferByOneByte) {
  MemStore a;
  MemStore b;
  co_await fill(ctx, a, 3, 20);
  co_await fill(ctx, b, 3, 20);
  const auto read = [&](Store& store, std::uint32_t page) {
    return read_contents(ctx, store, page, CopyPhase::reading_source, ignore);
  };
  const Contents first = co_await read(a, 7);
  EXPECT_EQ(first.rows, 60u);
  EXPECT_TRUE(first == co_await read(b, 1'000));
  co_await b.set(ctx, "partition-0", "003", "vvw");
  const Contents changed = co_await read(b, 7);
  EXPECT_EQ(changed.rows, first.rows);
  EXPECT_EQ(changed.bytes, first.bytes);
  EXPECT_NE(changed.digest.hex(), first.digest.hex());
}

TEST(RowDigest, DoesNotDependOnOrderAndKeepsFieldsApart) {
  const Row one{{"p", "kv"}, "x"};
  const Row two{{"p", "k"}, "vx"};
  RowDigest forward;
  forward.add(one);
  forward.add(two);
  RowDigest backward;
  backward.add(two);
  backward.add(one);
  EXPECT_EQ(forward, backward);
  RowDigest once;
  once.add(one);
  RowDigest other;
  other.add(two);
  EXPECT_NE(once, other);
  EXPECT_EQ(RowDigest().hex(), std::string(64, '0'));
}

CO_TEST(KvCopy, DifferencesAreNamed) {
  MemStore a;
  MemStore b;
  co_await fill(ctx, a, 2, 15);
  co_await fill(ctx, b, 2, 15);
  co_await b.erase(ctx, "partition-0", "001");
  co_await b.set(ctx, "partition-0", "002", "changed");
  co_await b.set(ctx, "\xff", "extra", "v");
  std::vector<std::string> found;
  const auto collect = [&](std::string_view text) { found.emplace_back(text); };
  EXPECT_EQ(co_await locate_differences(ctx, a, b, 100, 4, ignore, collect), 3u);
  const std::vector<std::string> expected = {
      "partition partition-0, key 001: missing in the target",
      "partition partition-0, key 002: has another value in the target",
      "partition 0xff, key extra: only in the target"};
  EXPECT_EQ(found, expected);
  EXPECT_EQ(co_await locate_differences(ctx, a, b, 2, 4, ignore, collect), 2u);
}

}  // namespace
}  // namespace tarn::kv
