// The contract of kv::Store as tests. A backend's test file defines a StoreHarness and says
//   INSTANTIATE_TEST_SUITE_P(Mem, StoreSuite, ::testing::Values(&make_mem_harness));
// Include it in one file of a test binary.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/task.h"
#include "io/loops.h"
#include "io/sync.h"
#include "io/task_group.h"
#include "kv/store.h"
#include "testing/co_test.h"

namespace tarn::kv::testing {

/// Owns an empty store and what it needs.
class StoreHarness {
 public:
  virtual ~StoreHarness() = default;
  virtual Store& store() = 0;

  /// The largest value the backend promises to take, at most 400 KiB.
  virtual std::size_t value_bytes_max() const { return 400 * 1'024; }
};

using MakeHarness = std::unique_ptr<StoreHarness> (*)();

class StoreSuite : public ::testing::TestWithParam<MakeHarness> {
 public:
  StoreSuite() : harness(GetParam()()), store(harness->store()) {}

  io::Loops loops{3};  // first: a store's threads may still be waking a loop when a call returns
  std::unique_ptr<StoreHarness> harness;
  Store& store;
};

using Rows = std::vector<std::pair<std::string, std::string>>;

inline Task<> read_on(Context& ctx, Cursor& cursor, Rows& rows) {
  while (cursor.next() || co_await cursor.fill(ctx)) {
    rows.emplace_back(cursor.key(), cursor.value());
  }
}

inline Task<Rows> read_all(Context& ctx, Store& store, std::string_view partition,
                           ScanOptions options = {}) {
  Rows rows;
  auto cursor = store.scan(partition, std::move(options));
  co_await read_on(ctx, *cursor, rows);
  co_return rows;
}

inline Task<std::string> read_keys(Context& ctx, Store& store, std::string_view partition,
                                   ScanOptions options = {}) {
  std::string keys;
  for (auto& [key, value] : co_await read_all(ctx, store, partition, std::move(options))) {
    if (!keys.empty()) keys += ' ';
    keys += key;
  }
  co_return keys;
}

inline Task<> set_keys(Context& ctx, Store& store, std::string partition,
                       std::vector<std::string> keys) {
  std::vector<Op> ops;
  for (auto& key : keys)
    ops.push_back(Op::set(partition, key, "value of " + key));
  co_await store.run(ctx, std::move(ops));
}

inline Task<std::string> next_key(Context& ctx, Cursor& cursor) {
  if (cursor.next() || co_await cursor.fill(ctx)) co_return std::string(cursor.key());
  co_return "(end)";
}

// --- one value ---

CO_TEST_P(StoreSuite, GetOfAnUnknownKeyIsEmptyAndDoesNotThrow) {
  EXPECT_EQ(co_await self.store.get(ctx, "p", "k"), std::nullopt);
}

CO_TEST_P(StoreSuite, GetReturnsWhatSetStored) {
  co_await self.store.set(ctx, "p", "k", "v1");
  EXPECT_EQ(co_await self.store.get(ctx, "p", "k"), "v1");
  co_await self.store.set(ctx, "p", "k", "v2");
  EXPECT_EQ(co_await self.store.get(ctx, "p", "k"), "v2");
}

CO_TEST_P(StoreSuite, ZeroLengthValueIsAValue) {
  co_await self.store.set(ctx, "p", "k", "");
  EXPECT_EQ(co_await self.store.get(ctx, "p", "k"), "");
  EXPECT_EQ(co_await self.store.set_if(ctx, "p", "k", "x", Expect::absent()), SetIf::lost);
  EXPECT_EQ(co_await self.store.set_if(ctx, "p", "k", "x", Expect::value("")), SetIf::stored);
  EXPECT_EQ(co_await self.store.set_if(ctx, "p", "k", "y", Expect::value("")), SetIf::lost);
}

CO_TEST_P(StoreSuite, EraseForgetsAndIsIdempotent) {
  co_await self.store.set(ctx, "p", "k", "v");
  co_await self.store.erase(ctx, "p", "k");
  EXPECT_EQ(co_await self.store.get(ctx, "p", "k"), std::nullopt);
  co_await self.store.erase(ctx, "p", "k");
  co_await self.store.erase(ctx, "never", "seen");
  EXPECT_EQ(co_await self.store.get(ctx, "p", "k"), std::nullopt);
}

CO_TEST_P(StoreSuite, PartitionsAreSeparateWhateverBytesTheirNamesHold) {
  const std::vector<std::pair<std::string, std::string>> addresses = {
      {"a", "b/c"},
      {"a/b", "c"},
      {"a/", "b/c"},
      {"ab", "/c"},
      {std::string("a\0", 2), "b"},
      {"a", std::string("\0b", 2)},
      {std::string("a\0b", 3), "c"},
      {"\xff", "\xff"},
      {"\xff\xff", "\xff"},
      {std::string(1'024, '\xff'), std::string(1'024, '\xff')},
  };
  for (const auto& [partition, key] : addresses) {
    EXPECT_EQ(
        co_await self.store.set_if(ctx, partition, key, partition + "|" + key, Expect::absent()),
        SetIf::stored);
  }
  for (const auto& [partition, key] : addresses) {
    EXPECT_EQ(co_await self.store.get(ctx, partition, key), partition + "|" + key);
  }
  const Rows expected = {{std::string("\0b", 2), std::string("a|\0b", 4)}, {"b/c", "a|b/c"}};
  EXPECT_EQ(co_await read_all(ctx, self.store, "a"), expected);
  EXPECT_EQ((co_await read_all(ctx, self.store, "\xff")).size(), 1u);
}

CO_TEST_P(StoreSuite, LargeBinaryValueComesBackUnchanged) {
  std::string value(self.harness->value_bytes_max(), '\0');
  std::mt19937 random(7);
  for (char& byte : value)
    byte = static_cast<char>(random());
  co_await self.store.set(ctx, "p", "k", value);
  EXPECT_TRUE(co_await self.store.get(ctx, "p", "k") == value);
}

// --- conditional writes ---

CO_TEST_P(StoreSuite, SetIfAbsentStoresOnce) {
  EXPECT_EQ(co_await self.store.set_if(ctx, "p", "k", "v1", Expect::absent()), SetIf::stored);
  EXPECT_EQ(co_await self.store.set_if(ctx, "p", "k", "v2", Expect::absent()), SetIf::lost);
  EXPECT_EQ(co_await self.store.get(ctx, "p", "k"), "v1");
  co_await self.store.erase(ctx, "p", "k");
  EXPECT_EQ(co_await self.store.set_if(ctx, "p", "k", "v3", Expect::absent()), SetIf::stored);
}

CO_TEST_P(StoreSuite, SetIfPresentNeedsAnyValue) {
  EXPECT_EQ(co_await self.store.set_if(ctx, "p", "k", "v1", Expect::present()), SetIf::lost);
  EXPECT_EQ(co_await self.store.get(ctx, "p", "k"), std::nullopt);
  co_await self.store.set(ctx, "p", "k", "");
  EXPECT_EQ(co_await self.store.set_if(ctx, "p", "k", "v2", Expect::present()), SetIf::stored);
  EXPECT_EQ(co_await self.store.get(ctx, "p", "k"), "v2");
}

CO_TEST_P(StoreSuite, SetIfValueComparesStoredBytes) {
  const std::string stored("v\0\xff", 3);
  EXPECT_EQ(co_await self.store.set_if(ctx, "p", "k", "new", Expect::value(stored)), SetIf::lost);
  co_await self.store.set(ctx, "p", "k", stored);
  EXPECT_EQ(co_await self.store.set_if(ctx, "p", "k", "new", Expect::value("v")), SetIf::lost);
  EXPECT_EQ(co_await self.store.set_if(ctx, "p", "k", "new", Expect::value(stored)), SetIf::stored);
  EXPECT_EQ(co_await self.store.get(ctx, "p", "k"), "new");
}

// --- many at once ---

// --- guarded writes ---

/// One of each kind that changes something in partition `p`, which holds "there" = "old" and
/// "gone" = "old".
inline std::vector<Op> each_kind(const std::string& p) {
  std::vector<Op> ops;
  ops.push_back(Op::set(p, "set", "new"));
  ops.push_back(Op::set(p, "there", "new"));
  ops.push_back(Op::set_if(p, "absent", "new", Expect::absent()));
  ops.push_back(Op::set_if(p, "present", "new", Expect::present()));
  ops.push_back(Op::set_if(p, "value", "new", Expect::value("old")));
  ops.push_back(Op::erase(p, "gone"));
  return ops;
}

inline Task<> prepare_each_kind(Context& ctx, Store& store, std::string p) {
  std::vector<Op> ops;
  for (const char* key : {"there", "present", "value", "gone"})
    ops.push_back(Op::set(p, key, "old"));
  co_await store.run(ctx, std::move(ops));
}

CO_TEST_P(StoreSuite, AStoreWithoutGuardsRefusesGuardedWrites) {
  if (self.store.guard() != Guard::none) co_return;
  co_await self.store.set(ctx, "p", "guard", "v1");
  std::vector<Op> ops;
  ops.push_back(Op::only_while(Op::set("q", "a", "1"), {"p", "guard"}, "v1"));
  CO_EXPECT_ERROR(self.store.run(ctx, std::move(ops)), ErrorCode::not_implemented);
  EXPECT_EQ(co_await read_keys(ctx, self.store, "q"), "");
}

CO_TEST_P(StoreSuite, WritesOfEveryKindHappenWhileTheirGuardHolds) {
  if (self.store.guard() == Guard::none) co_return;
  co_await self.store.set(ctx, "p", "guard", "v1");
  for (const bool together : {true, false}) {
    const std::string p = together ? "q" : "r";
    co_await prepare_each_kind(ctx, self.store, p);
    std::vector<OpResult> results;
    std::vector<Op> ops;
    for (Op& op : each_kind(p)) {
      ops.push_back(Op::only_while(std::move(op), {"p", "guard"}, "v1"));
      if (together) continue;
      auto one = co_await self.store.run(ctx, std::exchange(ops, {}));
      results.push_back(std::move(one.front()));
    }
    if (together) results = co_await self.store.run(ctx, std::move(ops));
    for (std::size_t i = 0; i < results.size(); ++i)
      EXPECT_TRUE(results[i].stored) << i;
    const Rows expected = {
        {"absent", "new"}, {"present", "new"}, {"set", "new"}, {"there", "new"}, {"value", "new"}};
    EXPECT_EQ(co_await read_all(ctx, self.store, p), expected);
  }
}

CO_TEST_P(StoreSuite, WritesOfEveryKindAreLostWithTheirGuard) {
  if (self.store.guard() == Guard::none) co_return;
  co_await self.store.set(ctx, "p", "guard", "v2");
  co_await prepare_each_kind(ctx, self.store, "q");
  for (const Address& guard : {Address{"p", "guard"}, Address{"p", "nobody"}}) {
    std::vector<Op> ops;
    for (Op& op : each_kind("q"))
      ops.push_back(Op::only_while(std::move(op), guard, "v1"));
    ops.push_back(Op::only_while(Op::erase("q", "never there"), guard, "v1"));
    for (const OpResult& result : co_await self.store.run(ctx, std::move(ops)))
      EXPECT_FALSE(result.stored);
    const Rows expected = {{"gone", "old"}, {"present", "old"}, {"there", "old"}, {"value", "old"}};
    EXPECT_EQ(co_await read_all(ctx, self.store, "q"), expected);
  }
}

CO_TEST_P(StoreSuite, AGuardedWriteNeedsItsOwnConditionAsWell) {
  if (self.store.guard() == Guard::none) co_return;
  co_await self.store.set(ctx, "p", "guard", "v1");
  co_await self.store.set(ctx, "q", "there", "old");
  const Address guard{"p", "guard"};
  std::vector<Op> ops;
  ops.push_back(Op::only_while(Op::set_if("q", "there", "1", Expect::absent()), guard, "v1"));
  ops.push_back(Op::only_while(Op::set_if("q", "a", "1", Expect::present()), guard, "v1"));
  ops.push_back(Op::only_while(Op::set_if("q", "b", "1", Expect::value("old")), guard, "v1"));
  ops.push_back(Op::only_while(Op::set_if("q", "there", "1", Expect::value("x")), guard, "v1"));
  for (const OpResult& result : co_await self.store.run(ctx, std::move(ops)))
    EXPECT_FALSE(result.stored);
  const Rows expected = {{"there", "old"}};
  EXPECT_EQ(co_await read_all(ctx, self.store, "q"), expected);
}

CO_TEST_P(StoreSuite, AGuardedEraseOfNothingHasNotLost) {
  if (self.store.guard() == Guard::none) co_return;
  co_await self.store.set(ctx, "p", "guard", "v1");
  std::vector<Op> ops;
  ops.push_back(Op::only_while(Op::erase("q", "a"), {"p", "guard"}, "v1"));
  ops.push_back(Op::only_while(Op::erase("q", "b"), {"p", "guard"}, "v1"));
  for (const OpResult& result : co_await self.store.run(ctx, std::move(ops)))
    EXPECT_TRUE(result.stored);
}

CO_TEST_P(StoreSuite, GuardedWritesOfOneRunMayHaveDifferentGuards) {
  if (self.store.guard() == Guard::none) co_return;
  const Address guard{"p", "guard"};
  co_await self.store.set(ctx, "p", "guard", "v1");
  co_await set_keys(ctx, self.store, "q", {"e", "f"});
  std::vector<Op> ops;
  ops.push_back(Op::only_while(Op::set("q", "a", "1"), guard, "v1"));
  ops.push_back(Op::only_while(Op::set("q", "b", "1"), guard, "v2"));
  ops.push_back(Op::only_while(Op::set("q", "c", "1"), {"p", "nobody"}, "v1"));
  ops.push_back(Op::only_while(Op::set("q", "d", "1"), guard, "v1"));
  ops.push_back(Op::only_while(Op::erase("q", "e"), guard, "v2"));
  ops.push_back(Op::only_while(Op::erase("q", "f"), guard, "v1"));
  ops.push_back(Op::get("p", "guard"));
  const auto results = co_await self.store.run(ctx, std::move(ops));
  std::string stored;
  for (const OpResult& result : results)
    stored += result.stored ? '+' : '-';
  EXPECT_EQ(stored, "+--+-++");
  EXPECT_EQ(results[6].found, "v1");
  EXPECT_EQ(co_await read_keys(ctx, self.store, "q"), "a d e");
  EXPECT_EQ(co_await self.store.get(ctx, "q", "a"), "1");
}

CO_TEST_P(StoreSuite, AGuardedWriteSeesItsGuardAsTheSameRunLeftIt) {
  if (self.store.guard() == Guard::none) co_return;
  const Address guard{"p", "guard"};
  std::vector<Op> ops;
  ops.push_back(Op::set("p", "guard", "v2"));
  ops.push_back(Op::only_while(Op::set("q", "a", "1"), guard, "v1"));
  ops.push_back(Op::only_while(Op::set("q", "b", "1"), guard, "v2"));
  ops.push_back(Op::of_guard(Op::set("p", "guard", "v3")));
  ops.push_back(Op::only_while(Op::set("q", "c", "1"), guard, "v2"));
  ops.push_back(Op::only_while(Op::set("q", "d", "1"), guard, "v3"));
  const auto results = co_await self.store.run(ctx, std::move(ops));
  std::string stored;
  for (const OpResult& result : results)
    stored += result.stored ? '+' : '-';
  EXPECT_EQ(stored, "+-++-+");
  EXPECT_EQ(co_await read_keys(ctx, self.store, "q"), "b d");
}

// --- gets of many ---

CO_TEST_P(StoreSuite, GetManyAnswersInTheOrderAsked) {
  co_await set_keys(ctx, self.store, "p", {"a", "b", "c"});
  co_await self.store.set(ctx, "q", "a", "other");
  std::vector<Address> asked = {{"p", "c"}, {"p", "x"}, {"q", "a"}, {"p", "a"}, {"p", "c"}};
  const std::vector<std::optional<std::string>> expected = {"value of c", std::nullopt, "other",
                                                            "value of a", "value of c"};
  EXPECT_EQ(co_await self.store.get_many(ctx, std::move(asked)), expected);
  EXPECT_TRUE((co_await self.store.get_many(ctx, {})).empty());
}

CO_TEST_P(StoreSuite, GetManyTakesThousands) {
  std::vector<Op> ops;
  std::vector<Address> asked;
  for (int i = 0; i < 3'000; ++i) {
    if (i % 3 != 0) ops.push_back(Op::set("p", std::to_string(i), "v" + std::to_string(i)));
    asked.push_back({"p", std::to_string(i)});
  }
  co_await self.store.run(ctx, std::move(ops));
  const auto found = co_await self.store.get_many(ctx, std::move(asked));
  CO_ASSERT_EQ(found.size(), 3'000u);
  for (int i = 0; i < 3'000; ++i) {
    EXPECT_EQ(found[i], i % 3 != 0 ? std::optional("v" + std::to_string(i)) : std::nullopt);
  }
}

CO_TEST_P(StoreSuite, RunReadsItsOwnWritesInOrder) {
  co_await self.store.set(ctx, "p", "old", "1");
  std::vector<Op> ops;
  ops.push_back(Op::get("p", "old"));
  ops.push_back(Op::set("p", "old", "2"));
  ops.push_back(Op::get("p", "old"));
  ops.push_back(Op::erase("p", "old"));
  ops.push_back(Op::get("p", "old"));
  ops.push_back(Op::set_if("p", "old", "3", Expect::absent()));
  ops.push_back(Op::get("p", "old"));
  ops.push_back(Op::set_if("p", "old", "4", Expect::value("3")));
  ops.push_back(Op::get("p", "old"));
  const auto results = co_await self.store.run(ctx, std::move(ops));
  CO_ASSERT_EQ(results.size(), 9u);
  EXPECT_EQ(results[0].found, "1");
  EXPECT_EQ(results[2].found, "2");
  EXPECT_EQ(results[4].found, std::nullopt);
  EXPECT_TRUE(results[5].stored);
  EXPECT_EQ(results[6].found, "3");
  EXPECT_TRUE(results[7].stored);
  EXPECT_EQ(results[8].found, "4");
  EXPECT_EQ(co_await self.store.get(ctx, "p", "old"), "4");
}

CO_TEST_P(StoreSuite, LostSetIfDoesNotStopTheStepsAfterIt) {
  co_await self.store.set(ctx, "p", "taken", "1");
  std::vector<Op> ops;
  ops.push_back(Op::set("p", "before", "b"));
  ops.push_back(Op::set_if("p", "taken", "2", Expect::absent()));
  ops.push_back(Op::get("p", "taken"));
  ops.push_back(Op::set("p", "after", "a"));
  const auto results = co_await self.store.run(ctx, std::move(ops));
  CO_ASSERT_EQ(results.size(), 4u);
  EXPECT_TRUE(results[0].stored);
  EXPECT_FALSE(results[1].stored);
  EXPECT_EQ(results[2].found, "1");
  EXPECT_TRUE(results[3].stored);
  EXPECT_EQ(co_await self.store.get(ctx, "p", "before"), "b");
  EXPECT_EQ(co_await self.store.get(ctx, "p", "after"), "a");
}

CO_TEST_P(StoreSuite, RunOfGetsOnlyAndEmptyRunAnswer) {
  co_await set_keys(ctx, self.store, "p", {"a"});
  std::vector<Op> ops;
  ops.push_back(Op::get("p", "a"));
  ops.push_back(Op::get("p", "b"));
  const auto results = co_await self.store.run(ctx, std::move(ops));
  CO_ASSERT_EQ(results.size(), 2u);
  EXPECT_EQ(results[0].found, "value of a");
  EXPECT_EQ(results[1].found, std::nullopt);
  EXPECT_TRUE((co_await self.store.run(ctx, {})).empty());
}

// --- scans ---

CO_TEST_P(StoreSuite, ScanIsOrderedByUnsignedBytes) {
  const std::string nul("a\0", 2);
  co_await set_keys(ctx, self.store, "p", {"b", "\xff", "a", "\x80", nul, "ab", "A", "\x01"});
  std::vector<std::string> keys;
  for (auto& [key, value] : co_await read_all(ctx, self.store, "p")) {
    EXPECT_EQ(value, "value of " + key);
    keys.push_back(key);
  }
  const std::vector<std::string> expected = {"\x01", "A", "a", nul, "ab", "b", "\x80", "\xff"};
  EXPECT_EQ(keys, expected);
}

CO_TEST_P(StoreSuite, ScanStaysInItsPartition) {
  co_await set_keys(ctx, self.store, "o", {"z"});
  co_await set_keys(ctx, self.store, "p", {"a", "b"});
  co_await set_keys(ctx, self.store, "p0", {"c"});
  co_await set_keys(ctx, self.store, "q", {"a"});
  EXPECT_EQ(co_await read_keys(ctx, self.store, "p"), "a b");
  EXPECT_EQ(co_await read_keys(ctx, self.store, "none"), "");
}

CO_TEST_P(StoreSuite, ScanHonoursFromAndPrefix) {
  co_await set_keys(ctx, self.store, "p", {"a", "b", "b/1", "b/2", "b/3", "b0", "c"});
  EXPECT_EQ(co_await read_keys(ctx, self.store, "p", {.from = "b/2"}), "b/2 b/3 b0 c");
  EXPECT_EQ(co_await read_keys(ctx, self.store, "p", {.from = "b/25"}), "b/3 b0 c");
  EXPECT_EQ(co_await read_keys(ctx, self.store, "p", {.prefix = "b/"}), "b/1 b/2 b/3");
  EXPECT_EQ(co_await read_keys(ctx, self.store, "p", {.from = "b/2", .prefix = "b/"}), "b/2 b/3");
  EXPECT_EQ(co_await read_keys(ctx, self.store, "p", {.from = "a", .prefix = "b/"}), "b/1 b/2 b/3");
  EXPECT_EQ(co_await read_keys(ctx, self.store, "p", {.from = "c", .prefix = "b/"}), "");
  EXPECT_EQ(co_await read_keys(ctx, self.store, "p", {.from = "d"}), "");
}

CO_TEST_P(StoreSuite, PrefixOfHighestBytesEndsWithThePartition) {
  co_await set_keys(ctx, self.store, "p", {"a", "\xff", "\xff\xff", "\xff\xff\xff"});
  co_await set_keys(ctx, self.store, "q", {"\xff\xff"});
  EXPECT_EQ(co_await read_keys(ctx, self.store, "p", {.prefix = "\xff\xff"}),
            "\xff\xff \xff\xff\xff");
}

CO_TEST_P(StoreSuite, PagesOfAnySizeGiveTheSameRows) {
  std::vector<std::string> keys;
  for (char first = 'a'; first <= 'g'; ++first)
    keys.push_back(std::string(1, first));
  co_await set_keys(ctx, self.store, "p", keys);
  for (std::uint32_t page = 1; page <= 9; ++page) {
    EXPECT_EQ(co_await read_keys(ctx, self.store, "p", {.page_keys = page}), "a b c d e f g");
    EXPECT_EQ(co_await read_keys(ctx, self.store, "p", {.from = "c", .page_keys = page}),
              "c d e f g");
  }
}

CO_TEST_P(StoreSuite, EndOfAScanStaysTheEnd) {
  co_await set_keys(ctx, self.store, "p", {"a", "b"});
  auto cursor = self.store.scan("p", {.page_keys = 2});
  Rows rows;
  co_await read_on(ctx, *cursor, rows);
  EXPECT_EQ(rows.size(), 2u);
  EXPECT_FALSE(cursor->next());
  EXPECT_FALSE(co_await cursor->fill(ctx));
  EXPECT_FALSE(co_await cursor->fill(ctx));
}

CO_TEST_P(StoreSuite, SeekMovesForwardAndBackward) {
  co_await set_keys(ctx, self.store, "p", {"a", "b", "c", "d", "e", "f", "g", "h"});
  for (std::uint32_t page : {1u, 2u, 3u, 100u}) {
    auto cursor = self.store.scan("p", {.page_keys = page});
    cursor->seek("c");
    EXPECT_EQ(co_await next_key(ctx, *cursor), "c");
    EXPECT_EQ(co_await next_key(ctx, *cursor), "d");
    cursor->seek("g");
    EXPECT_EQ(co_await next_key(ctx, *cursor), "g");
    cursor->seek("aa");
    EXPECT_EQ(co_await next_key(ctx, *cursor), "b");
    EXPECT_EQ(co_await next_key(ctx, *cursor), "c");
    cursor->seek("c");
    EXPECT_EQ(co_await next_key(ctx, *cursor), "c");
    cursor->seek("z");
    EXPECT_EQ(co_await next_key(ctx, *cursor), "(end)");
    EXPECT_EQ(co_await next_key(ctx, *cursor), "(end)");
    cursor->seek("");
    EXPECT_EQ(co_await next_key(ctx, *cursor), "a");
    cursor->seek("h");
    EXPECT_EQ(co_await next_key(ctx, *cursor), "h");
    EXPECT_EQ(co_await next_key(ctx, *cursor), "(end)");
    cursor->seek("f");
    EXPECT_EQ(co_await next_key(ctx, *cursor), "f");
  }
}

CO_TEST_P(StoreSuite, SeekNeverLeavesThePrefix) {
  co_await set_keys(ctx, self.store, "p", {"a", "b/1", "b/2", "c"});
  auto cursor = self.store.scan("p", {.from = "b/2", .prefix = "b/", .page_keys = 1});
  EXPECT_EQ(co_await next_key(ctx, *cursor), "b/2");
  cursor->seek("a");
  EXPECT_EQ(co_await next_key(ctx, *cursor), "b/1");
  cursor->seek("c");
  EXPECT_EQ(co_await next_key(ctx, *cursor), "(end)");
  cursor->seek("b/2");
  EXPECT_EQ(co_await next_key(ctx, *cursor), "b/2");
  EXPECT_EQ(co_await next_key(ctx, *cursor), "(end)");
}

CO_TEST_P(StoreSuite, RowsErasedBehindACursorDoNotDisturbIt) {
  co_await set_keys(ctx, self.store, "p", {"a", "b", "c", "d", "e"});
  auto cursor = self.store.scan("p", {.page_keys = 1});
  std::string seen;
  while (cursor->next() || co_await cursor->fill(ctx)) {
    const std::string key(cursor->key());
    seen += key;
    co_await self.store.erase(ctx, "p", key);
  }
  EXPECT_EQ(seen, "abcde");
  EXPECT_EQ(co_await read_keys(ctx, self.store, "p"), "");
}

CO_TEST_P(StoreSuite, ScanAgreesWithAModelAfterRandomWrites) {
  std::mt19937 random(11);
  std::map<std::string, std::string> model;
  for (int round = 0; round < 40; ++round) {
    std::vector<Op> ops;
    for (int i = 0; i < 25; ++i) {
      std::string key(1 + random() % 3, '\0');
      for (char& byte : key)
        byte = "\x00\x7f\x80\xff"[random() % 4];
      if (random() % 3 == 0) {
        ops.push_back(Op::erase("p", key));
        model.erase(key);
      } else {
        ops.push_back(Op::set("p", key, std::to_string(random())));
        model[key] = ops.back().value;
      }
    }
    co_await self.store.run(ctx, std::move(ops));
    const std::uint32_t page = 1 + random() % 20;
    EXPECT_EQ(co_await read_all(ctx, self.store, "p", {.page_keys = page}),
              Rows(model.begin(), model.end()));
  }
}

// --- the whole store ---

inline Task<std::map<std::pair<std::string, std::string>, std::string>> read_store(
    Context& ctx, Store& store, std::uint32_t rows_max) {
  std::map<std::pair<std::string, std::string>, std::string> found;
  std::optional<Address> after;
  while (true) {
    const std::vector<Row> rows = co_await store.read_rows(ctx, after, rows_max);
    if (rows.empty()) co_return found;
    EXPECT_LE(rows.size(), rows_max);
    for (const Row& row : rows) {
      const bool fresh =
          found.emplace(std::pair(row.address.partition, row.address.key), row.value).second;
      EXPECT_TRUE(fresh) << row.address.partition << " " << row.address.key << " twice";
    }
    after = rows.back().address;
  }
}

CO_TEST_P(StoreSuite, ReadRowsGivesEveryRowOnceWhateverThePage) {
  EXPECT_TRUE((co_await self.store.read_rows(ctx, std::nullopt, 10)).empty());
  std::map<std::pair<std::string, std::string>, std::string> model;
  std::vector<Op> ops;
  for (const std::string& partition :
       {std::string("a"), std::string("a/b"), std::string("ab"), std::string("a\0", 2),
        std::string("\xff"), std::string(1'024, '\xff'), std::string("z")}) {
    for (const std::string& key :
         {std::string("k"), std::string("k\0", 2), std::string("\xff"), std::string(1'024, 'x')}) {
      const std::string value = key == "k" ? "" : partition + "|" + key;
      model[{partition, key}] = value;
      ops.push_back(Op::set(partition, key, value));
    }
  }
  co_await self.store.run(ctx, std::move(ops));
  for (std::uint32_t page : {1u, 3u, 4u, 1'000u}) {
    EXPECT_TRUE(co_await read_store(ctx, self.store, page) == model) << page;
  }
}

CO_TEST_P(StoreSuite, ReadRowsGoesOnAfterARowThatIsGone) {
  co_await set_keys(ctx, self.store, "p", {"a", "b", "c"});
  co_await set_keys(ctx, self.store, "q", {"a"});
  const auto first = co_await self.store.read_rows(ctx, std::nullopt, 2);
  CO_ASSERT_EQ(first.size(), 2u);
  const Address last = first.back().address;
  co_await self.store.erase(ctx, last.partition, last.key);
  EXPECT_EQ((co_await self.store.read_rows(ctx, last, 10)).size(), 2u);
}

// --- many writers ---

inline Task<> count_win(Store& store, std::string value, std::atomic<int>& wins) {
  Context ctx;
  if (co_await store.set_if(ctx, "p", "contested", value, Expect::absent()) == SetIf::stored) {
    ++wins;
  }
}

CO_TEST_P(StoreSuite, OfManyConcurrentSetIfsExactlyOneWins) {
  std::atomic<int> wins = 0;
  io::TaskGroup group;
  for (int i = 0; i < 200; ++i) {
    group.spawn(self.loops.any(), "count_win", count_win(self.store, std::to_string(i), wins));
  }
  co_await group.join();
  EXPECT_EQ(wins, 1);
}

inline Task<> increment(Store& store, int times) {
  Context ctx;
  for (int done = 0; done < times;) {
    const auto seen = co_await store.get(ctx, "p", "counter");
    Expect expect = seen ? Expect::value(*seen) : Expect::absent();
    std::string next = std::to_string(seen ? std::stoi(*seen) + 1 : 1);
    const SetIf outcome =
        co_await store.set_if(ctx, "p", "counter", std::move(next), std::move(expect));
    if (outcome == SetIf::stored) ++done;
  }
}

CO_TEST_P(StoreSuite, ConcurrentCompareAndSetLosesNoIncrement) {
  io::TaskGroup group;
  for (int i = 0; i < 6; ++i)
    group.spawn(self.loops.any(), "increment", increment(self.store, 25));
  co_await group.join();
  EXPECT_EQ(co_await self.store.get(ctx, "p", "counter"), "150");
}

/// Many writers of one kind, each with keys of its own in partition `name`.
struct GuardedKind {
  const char* name;
  Op (*write)(std::string partition, std::string writer, int n);  // its n-th
  bool one_record;  // each writer changes one, from "0" on, to the number of its writes
  bool erases;      // what was there before
};

inline constexpr int kGuardedWriters = 8;
inline constexpr int kGuardedWritesMax = 500;  // of each writer of the kinds that need records

inline std::string numbered(const std::string& writer, int n) {
  return writer + '/' + std::to_string(n);
}

inline std::vector<GuardedKind> guarded_kinds() {
  return {
      {"set",
       [](std::string p, std::string writer, int n) {
         return Op::set(std::move(p), numbered(writer, n), "v");
       },
       false, false},
      {"insert",
       [](std::string p, std::string writer, int n) {
         return Op::set_if(std::move(p), numbered(writer, n), "v", Expect::absent());
       },
       false, false},
      {"replace",
       [](std::string p, std::string writer, int n) {
         return Op::set_if(std::move(p), std::move(writer), std::to_string(n + 1),
                           Expect::present());
       },
       true, false},
      {"replace_if",
       [](std::string p, std::string writer, int n) {
         return Op::set_if(std::move(p), std::move(writer), std::to_string(n + 1),
                           Expect::value(std::to_string(n)));
       },
       true, false},
      {"erase",
       [](std::string p, std::string writer, int n) {
         return Op::erase(std::move(p), numbered(writer, n));
       },
       false, true},
  };
}

/// Writes under the guard until it has been moved on; counts what was stored.
inline Task<> write_while(Store& store, GuardedKind kind, int writer, std::atomic<int>& stored) {
  Context ctx;
  for (int n = 0; !kind.erases || n < kGuardedWritesMax; ++n) {
    std::vector<Op> ops;
    ops.push_back(Op::only_while(kind.write(kind.name, std::to_string(writer), n),
                                 {"guards", kind.name}, "open"));
    const auto results = co_await store.run(ctx, std::move(ops));
    if (!results.front().stored) co_return;
    ++stored;
  }
}

/// How many guarded writes the store shows.
inline Task<int> count_writes(Context& ctx, Store& store, GuardedKind kind) {
  const Rows rows = co_await read_all(ctx, store, kind.name);
  int count = 0;
  for (const auto& [key, value] : rows)
    count += kind.one_record ? std::stoi(value) : 1;
  co_return kind.erases ? kGuardedWriters* kGuardedWritesMax - count : count;
}

inline Task<> race_for_guard(Context& ctx, StoreSuite& self, GuardedKind kind) {
  std::vector<Op> records;
  for (int writer = 0; writer < kGuardedWriters; ++writer) {
    const std::string name = std::to_string(writer);
    if (kind.one_record) records.push_back(Op::set(kind.name, name, "0"));
    for (int n = 0; kind.erases && n < kGuardedWritesMax; ++n)
      records.push_back(Op::set(kind.name, numbered(name, n), "v"));
  }
  records.push_back(Op::set("guards", kind.name, "open"));
  co_await self.store.run(ctx, std::move(records));
  std::atomic<int> stored = 0;
  io::TaskGroup group;
  for (int i = 0; i < kGuardedWriters; ++i)
    group.spawn(self.loops.any(), "write_while", write_while(self.store, kind, i, stored));
  while (stored < 100)
    co_await io::yield();
  std::vector<Op> closing;
  closing.push_back(Op::of_guard(Op::set("guards", kind.name, "closed")));
  co_await self.store.run(ctx, std::move(closing));
  const int then = co_await count_writes(ctx, self.store, kind);
  co_await group.join();
  const int in_the_end = co_await count_writes(ctx, self.store, kind);
  EXPECT_EQ(in_the_end, stored) << kind.name;
  if (self.store.guard() == Guard::exact) EXPECT_EQ(then, in_the_end) << kind.name;
}

CO_TEST_P(StoreSuite, ConcurrentGuardedWritesEndWhenTheirGuardIsMovedOn) {
  if (self.store.guard() == Guard::none) co_return;
  for (const GuardedKind& kind : guarded_kinds())
    co_await race_for_guard(ctx, self, kind);
}

// --- limits and ends ---

CO_TEST_P(StoreSuite, AddressesOutsideTheLimitsAreRefused) {
  const std::string longest(1'024, 'x');
  const std::string too_long(1'025, 'x');
  co_await self.store.set(ctx, longest, longest, "v");
  EXPECT_EQ(co_await self.store.get(ctx, longest, longest), "v");
  constexpr auto kRefused = ErrorCode::invalid_argument;
  CO_EXPECT_ERROR(self.store.get(ctx, "", "k"), kRefused);
  CO_EXPECT_ERROR(self.store.get(ctx, "p", ""), kRefused);
  CO_EXPECT_ERROR(self.store.get(ctx, too_long, "k"), kRefused);
  CO_EXPECT_ERROR(self.store.get(ctx, "p", too_long), kRefused);
  CO_EXPECT_ERROR(self.store.get_many(ctx, std::vector<Address>(1, Address{"p", ""})), kRefused);
  EXPECT_THROW(self.store.scan("", {}), Error);
  EXPECT_THROW(self.store.scan(too_long, {}), Error);
}

CO_TEST_P(StoreSuite, RefusedRunChangesNothing) {
  std::vector<Op> ops;
  ops.push_back(Op::set("p", "good", "v"));
  ops.push_back(Op::set("p", "", "v"));
  CO_EXPECT_ERROR(self.store.run(ctx, std::move(ops)), ErrorCode::invalid_argument);
  CO_EXPECT_ERROR(self.store.set(ctx, "p", "huge", std::string(kValueBytesMax + 1, 'x')),
                  ErrorCode::too_large);
  EXPECT_EQ(co_await read_keys(ctx, self.store, "p"), "");
}

CO_TEST_P(StoreSuite, ExpiredContextWritesNothing) {
  Context expired(Context::SteadyClock::now() - std::chrono::seconds(1));
  CO_EXPECT_ERROR(self.store.set(expired, "p", "k", "v"), ErrorCode::deadline_exceeded);
  EXPECT_EQ(co_await self.store.get(ctx, "p", "k"), std::nullopt);
}

CO_TEST_P(StoreSuite, ClosedStoreRefusesEverything) {
  co_await set_keys(ctx, self.store, "p", {"a", "b"});
  auto cursor = self.store.scan("p", {.page_keys = 1});
  EXPECT_TRUE(co_await cursor->fill(ctx));
  co_await self.store.close();
  co_await self.store.close();
  CO_EXPECT_ERROR(self.store.get(ctx, "p", "a"), ErrorCode::unavailable);
  CO_EXPECT_ERROR(self.store.get_many(ctx, std::vector<Address>(1, Address{"p", "a"})),
                  ErrorCode::unavailable);
  CO_EXPECT_ERROR(self.store.set(ctx, "p", "a", "v"), ErrorCode::unavailable);
  CO_EXPECT_ERROR(cursor->fill(ctx), ErrorCode::unavailable);
}

}  // namespace tarn::kv::testing
