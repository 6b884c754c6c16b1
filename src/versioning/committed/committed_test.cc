// Reading through the caches: verification, misses, bounds, single flight.
#include "versioning/committed/committed.h"

#include <atomic>
#include <random>

#include <boost/asio/this_coro.hpp>
#include <gtest/gtest.h>

#include "base/format.h"
#include "block/testing/faulty_store.h"
#include "io/loops.h"
#include "io/task_group.h"
#include "testing/co_test.h"
#include "testing/temp_dir.h"
#include "versioning/committed/range_file.h"
#include "versioning/committed/range_store.h"
#include "versioning/committed/tree_test_support.h"

namespace tarn::versioning {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): support of these tests
using block::testing::FaultyStore;

Content numbered(int count) {
  Content content;
  for (int i = 0; i < count; ++i)
    content.emplace(format("k{:06}", i), format("v{}", i));
  return content;
}

Task<std::string> read_object(Context& ctx, block::ObjectStore& objects,
                              const block::ObjectRef& ref) {
  const auto source = co_await objects.get(ctx, ref);
  co_return co_await io::read_all(ctx, *source, 64 << 20);
}

Task<> write_object(Context& ctx, block::ObjectStore& objects, const block::ObjectRef& ref,
                    std::string bytes) {
  io::StringSource source(std::move(bytes));
  co_await objects.put(ctx, ref, source);
}

CO_TEST(Committed, FindsNothingInTheTreeThatHoldsNothing) {
  Trees trees;
  EXPECT_FALSE(co_await trees.committed.get(ctx, kSpace, "", "a"));
  EXPECT_TRUE((co_await trees.committed.ranges(ctx, kSpace, "")).empty());
}

CO_TEST(Committed, SaysWhenATreeOrARangeIsMissing) {
  Trees trees;
  const std::string unknown(64, 'a');
  CO_EXPECT_ERROR(trees.committed.ranges(ctx, kSpace, unknown), ErrorCode::not_found);
  CO_EXPECT_ERROR(trees.committed.get(ctx, kSpace, unknown, "a"), ErrorCode::data_missing);

  const MetaRangeId tree = co_await trees.write(ctx, numbered(10));
  const auto ids = co_await trees.range_ids(ctx, tree);
  co_await trees.objects.remove(ctx, trees.committed.object_of(kSpace, ids[0]));
  Trees reader(trees.objects, small_ranges());
  CO_EXPECT_ERROR(reader.committed.get(ctx, kSpace, tree, "k000000"), ErrorCode::data_missing);
}

CO_TEST(Committed, NeverMakesAnAddressOfSomethingThatIsNoId) {
  Trees trees;
  co_await write_object(ctx, trees.objects,
                        {.storage_namespace = std::string(kSpace), .address = "_lakefs/evil"}, "x");
  CO_EXPECT_ERROR(trees.committed.ranges(ctx, kSpace, "evil"), ErrorCode::not_found);
  CO_EXPECT_ERROR(trees.committed.ranges(ctx, kSpace, "../_lakefs/evil"), ErrorCode::not_found);
}

CO_TEST(Committed, KeepsTheTreesOfNamespacesApart) {
  Trees trees;
  const MetaRangeId tree = co_await trees.write(ctx, numbered(10));
  CO_EXPECT_ERROR(trees.committed.get(ctx, "mem://other", tree, "k000000"),
                  ErrorCode::data_missing);
}

// Flips every byte of a range in turn: each flip is either noticed or changes nothing.
CO_TEST(Committed, NeverYieldsRecordsThatDoNotVerify) {
  Trees trees;
  const Content content = numbered(6);
  const MetaRangeId tree = co_await trees.write(ctx, content);
  const auto ids = co_await trees.range_ids(ctx, tree);
  const auto range = trees.committed.object_of(kSpace, ids[0]);
  const std::string good = co_await read_object(ctx, trees.objects, range);
  int refused = 0;
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 0x40);
    co_await write_object(ctx, trees.objects, range, std::move(bad));
    Trees reader(trees.objects, small_ranges());
    Content seen;
    std::optional<ErrorCode> error;
    try {
      seen = co_await reader.read(ctx, tree);
    } catch (const Error& e) {
      error = e.code();
    }
    if (error) {
      EXPECT_EQ(*error, ErrorCode::corrupt) << i;
      ++refused;
    } else {
      EXPECT_EQ(seen, content) << i;
    }
  }
  EXPECT_GE(refused, static_cast<int>(good.size()) * 9 / 10);
}

CO_TEST(Committed, RefusesAnotherFileUnderTheIdOfARangeOrATree) {
  Trees trees;
  const MetaRangeId one = co_await trees.write(ctx, {{"a", "1"}});
  const MetaRangeId two = co_await trees.write(ctx, {{"a", "2"}});
  const auto ids_one = co_await trees.range_ids(ctx, one);
  const auto ids_two = co_await trees.range_ids(ctx, two);
  co_await trees.objects.copy(ctx, trees.committed.object_of(kSpace, ids_two[0]),
                              trees.committed.object_of(kSpace, ids_one[0]));
  Trees reader(trees.objects, small_ranges());
  CO_EXPECT_ERROR(reader.committed.get(ctx, kSpace, one, "a"), ErrorCode::corrupt);

  co_await trees.objects.copy(ctx, trees.committed.object_of(kSpace, two),
                              trees.committed.object_of(kSpace, one));
  Trees second(trees.objects, small_ranges());
  CO_EXPECT_ERROR(second.committed.get(ctx, kSpace, one, "a"), ErrorCode::corrupt);
}

CO_TEST(Committed, RefusesARangeWhereATreeIsWanted) {
  Trees trees;
  const MetaRangeId tree = co_await trees.write(ctx, {{"a", "1"}});
  const auto ids = co_await trees.range_ids(ctx, tree);
  CO_EXPECT_ERROR(trees.committed.ranges(ctx, kSpace, ids[0]), ErrorCode::corrupt);
}

CO_TEST(Committed, StreamsByRangesAndSkipsThem) {
  Trees trees;
  const Content content = numbered(100);
  const MetaRangeId tree = co_await trees.write(ctx, content);
  const auto ranges = co_await trees.committed.ranges(ctx, kSpace, tree);
  CO_ASSERT_GE(ranges.size(), 4U);
  const auto stream = trees.committed.open(std::string(kSpace), tree);
  std::size_t seen = 0;
  while (stream->next_range() || co_await stream->fill_range(ctx)) {
    EXPECT_TRUE(stream->at_range_head());
    EXPECT_EQ(stream->range().id, ranges[seen].id);
    ++seen;
    if (seen == 2) {  // one record of the second range, and on to the third
      EXPECT_TRUE(stream->next() || co_await stream->fill(ctx));
      EXPECT_FALSE(stream->at_range_head());
      EXPECT_EQ(stream->record().key, ranges[1].min_key);
    }
  }
  EXPECT_EQ(seen, ranges.size());
}

CO_TEST(Committed, SeeksForwardBackAndPastTheEnd) {
  Trees trees;
  const Content content = numbered(300);
  const MetaRangeId tree = co_await trees.write(ctx, content);
  const auto stream = trees.committed.open(std::string(kSpace), tree);
  std::mt19937 random(7);
  for (int i = 0; i < 200; ++i) {
    const std::string key = format("k{:06}", random() % 320) + (i % 2 == 0 ? "" : "x");
    stream->seek(key);
    auto expected = content.lower_bound(key);
    for (int steps = 0; steps < 3; ++steps) {
      const bool found = stream->next() || co_await stream->fill(ctx);
      CO_ASSERT_EQ(found, expected != content.end()) << key;
      if (!found) break;
      EXPECT_EQ(stream->record().key, expected++->first);
    }
  }
}

CO_TEST(Committed, ReadsOnAfterAFailureOfTheStore) {
  block::MemObjectStore objects;
  FaultyStore faulty(objects);
  Trees writer(objects, small_ranges());
  const Content content = numbered(120);
  const MetaRangeId tree = co_await writer.write(ctx, content);
  int failures = 0;
  for (std::uint64_t nth = 1; nth < 1000; ++nth) {
    Trees reader(faulty, small_ranges());
    faulty.fail_nth(nth);
    const auto stream = reader.committed.open(std::string(kSpace), tree);
    Content seen;
    bool failed = false;
    while (true) {
      bool more = false;
      try {
        more = stream->next() || co_await stream->fill(ctx);
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::unavailable);
        failed = true;
        continue;  // the stream tries again
      }
      if (!more) break;
      seen.emplace(stream->record().key, stream->record().identity);
    }
    EXPECT_EQ(seen, content) << nth;
    if (!failed) break;
    ++failures;
  }
  EXPECT_GE(failures, 10);
}

CO_TEST(Committed, FailsACommitWheneverTheStoreFailsAndSucceedsAfterwards) {
  block::MemObjectStore objects;
  FaultyStore faulty(objects);
  Trees trees(faulty, small_ranges());
  const MetaRangeId base = co_await trees.write(ctx, numbered(60));
  const Changes changes{{"k000003", "x"}, {"k000050", std::nullopt}, {"z", "y"}};
  const MetaRangeId wanted = (co_await trees.apply(ctx, base, changes)).id;
  int failures = 0;
  for (std::uint64_t nth = 1; nth < 1000; ++nth) {
    faulty.fail_nth(nth);
    Trees again(faulty, small_ranges());
    std::optional<MetaRangeId> id;
    try {
      id = (co_await again.apply(ctx, base, changes)).id;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::unavailable);
    }
    if (id) {
      EXPECT_EQ(*id, wanted);
      break;
    }
    ++failures;
  }
  EXPECT_GE(failures, 4);
}

CO_TEST(Committed, EndsTheUploadsOfAWriterThatIsDropped) {
  Trees trees;
  {
    auto writer = trees.committed.writer(std::string(kSpace));
    for (const auto& [key, identity] : numbered(100))
      co_await writer->write(ctx, key, identity, data_of(identity));
  }
  co_await trees.committed.close();
}

CO_TEST(Committed, StaysWithinItsMemoryWhateverTheTree) {
  CommittedConfig config;
  config.memory_cache_bytes = 1 << 20;
  Trees trees(config);
  constexpr int kRecords = 300'000;
  auto writer = trees.committed.writer(std::string(kSpace));
  for (int i = 0; i < kRecords; ++i)
    co_await writer->write(ctx, format("dir/{:08}", i), format("identity {}", i * 7919LL), "data");
  const WrittenTree tree = co_await writer->close(ctx);

  RangeStore store(trees.objects, trees.pool, config);
  std::uint64_t most = 0;
  std::int64_t blocks = 0;
  int records = 0;
  for (const RangeInfo& range : tree.ranges) {
    const RangeFilePtr file = co_await store.file(ctx, std::string(kSpace), range.id);
    for (std::size_t i = 0; i < file->index.size(); i += 8) {
      co_await store.block(ctx, file, i, 8);
      most = std::max(most, store.memory_bytes());
      ++blocks;
    }
  }
  EXPECT_GE(blocks, 300);
  EXPECT_LE(most, config.memory_cache_bytes + (256 << 10));
  const auto stream = trees.committed.open(std::string(kSpace), tree.id);
  while (stream->next() || co_await stream->fill(ctx))
    ++records;
  EXPECT_EQ(records, kRecords);
}

/// Counts what is fetched, by address.
Task<> run_get(Context ctx, RangeStore* store, std::string id, std::atomic<int>* found) {
  if (co_await store->file(ctx, std::string(kSpace), id)) ++*found;
}

CO_TEST(Committed, FetchesAFileOnceForAllWhoWantIt) {
  block::MemObjectStore objects;
  Trees writer(objects, small_ranges());
  const MetaRangeId tree = co_await writer.write(ctx, {{"a", "1"}});
  const auto ids = co_await writer.range_ids(ctx, tree);
  FaultyStore counted(objects);
  RangeStore store(counted, writer.pool, small_ranges());
  counted.never_fail();
  co_await store.file(ctx, std::string(kSpace), ids[0]);
  const std::uint64_t calls_of_one = counted.calls();

  RangeStore fresh(counted, writer.pool, small_ranges());
  counted.never_fail();
  std::atomic<int> found = 0;
  io::TaskGroup group;
  for (int i = 0; i < 20; ++i)
    group.spawn(co_await boost::asio::this_coro::executor, "get",
                run_get(Context(), &fresh, ids[0], &found));
  co_await group.join();
  EXPECT_EQ(found, 20);
  EXPECT_EQ(counted.calls(), calls_of_one);
}

Task<> run_lookups(Context ctx, Committed* committed, MetaRangeId tree, unsigned seed,
                   std::atomic<int>* right) {
  std::mt19937 random(seed);
  for (int i = 0; i < 400; ++i) {
    const int number = static_cast<int>(random() % 300);
    const auto value = co_await committed->get(ctx, kSpace, tree, format("k{:06}", number));
    if (value && value->identity == format("v{}", number)) ++*right;
  }
}

CO_TEST(Committed, ServesSeveralLoopsAtOnceFromCachesThatAreTooSmall) {
  ::tarn::testing::TempDir dir;
  block::MemObjectStore objects;
  io::Loops loops(3);  // outlives the pool below, which resumes coroutines on it
  Trees writer(objects, small_ranges());
  const MetaRangeId tree = co_await writer.write(ctx, numbered(300));
  CommittedConfig config = small_ranges();
  config.memory_cache_bytes = 20'000;
  config.disk_cache_dir = dir.path();
  config.disk_cache_bytes = 20'000;
  Trees reader(objects, config);
  std::atomic<int> right = 0;
  io::TaskGroup group;
  for (unsigned i = 0; i < 6; ++i)
    group.spawn(loops.executor(i % 3), "lookups",
                run_lookups(Context(), &reader.committed, tree, i, &right));
  co_await group.join();
  EXPECT_EQ(right, 6 * 400);
}

CO_TEST(Committed, GivesTheSameContentTheSameId) {
  Trees one;
  Trees two;
  EXPECT_EQ(co_await one.write(ctx, numbered(200)), co_await two.write(ctx, numbered(200)));
}

CO_TEST(Committed, ServesWarmLookupsWithoutTheStore) {
  block::MemObjectStore objects;
  FaultyStore counted(objects);
  Trees trees(counted, small_ranges());
  const MetaRangeId tree = co_await trees.write(ctx, numbered(50));
  for (const auto& [key, identity] : numbered(50))
    co_await trees.committed.get(ctx, kSpace, tree, key);
  counted.fail_nth(1, 1000);
  for (const auto& [key, identity] : numbered(50)) {
    const auto value = co_await trees.committed.get(ctx, kSpace, tree, key);
    CO_ASSERT_TRUE(value);
    EXPECT_EQ(value->identity, identity);
  }
  EXPECT_FALSE(co_await trees.committed.get(ctx, kSpace, tree, "k0000005"));
}

CO_TEST(Committed, ReadsFromDiskWhatItHasFetched) {
  ::tarn::testing::TempDir dir;
  block::MemObjectStore objects;
  FaultyStore counted(objects);
  CommittedConfig config = small_ranges();
  config.disk_cache_dir = dir.path();
  const Content content = numbered(100);
  MetaRangeId tree;
  {
    Trees writer(objects, small_ranges());
    tree = co_await writer.write(ctx, content);
    Trees reader(counted, config);
    EXPECT_EQ(co_await reader.read(ctx, tree), content);
  }
  counted.fail_nth(1, 1'000'000);  // all from disk now, by a process that has to verify again
  Trees reader(counted, config);
  EXPECT_EQ(co_await reader.read(ctx, tree), content);
}

CO_TEST(Committed, FetchesAnewWhatTheDiskSpoiled) {
  ::tarn::testing::TempDir dir;
  CommittedConfig config = small_ranges();
  config.disk_cache_dir = dir.path();
  block::MemObjectStore objects;
  const Content content = numbered(100);
  MetaRangeId tree;
  {
    Trees writer(objects, config);
    tree = co_await writer.write(ctx, content);
    EXPECT_EQ(co_await writer.read(ctx, tree), content);
  }
  int spoiled = 0;
  for (const auto& entry : std::filesystem::directory_iterator(dir.path() / "files")) {
    std::filesystem::resize_file(entry.path(), entry.file_size() - (spoiled++ % 3));
  }
  EXPECT_GE(spoiled, 5);
  Trees reader(objects, config);
  EXPECT_EQ(co_await reader.read(ctx, tree), content);
}

}  // namespace
}  // namespace tarn::versioning
