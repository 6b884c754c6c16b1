#include "versioning/staging/combined_stream.h"

#include <map>
#include <random>

#include <gtest/gtest.h>

#include "kv/mem/mem_store.h"
#include "testing/co_test.h"
#include "versioning/staging/staging.h"
#include "versioning/testing/records.h"

namespace tarn::versioning {
namespace {

using testing::make_value;

/// Often has nothing at hand, as streams over a network.
class StutteringStream final : public RecordStream {
 public:
  StutteringStream(std::unique_ptr<RecordStream> inner, std::uint32_t seed)
      : inner_(std::move(inner)), random_(seed) {}

  bool next() override { return random_() % 2 == 0 && inner_->next(); }

  Task<bool> fill(Context& ctx) override { co_return inner_->next() || co_await inner_->fill(ctx); }

  void seek(std::string_view key) override { inner_->seek(key); }

  const RecordView& record() const override { return inner_->record(); }

 private:
  std::unique_ptr<RecordStream> inner_;
  std::mt19937 random_;
};

/// key → text, "-" for a tombstone.
using Layer = std::map<std::string, std::string>;

Task<std::unique_ptr<RecordStream>> combine_layers(Context& ctx, kv::Store& kv,
                                                   std::vector<Layer> layers,
                                                   Tombstones tombstones) {
  std::vector<std::unique_ptr<RecordStream>> streams;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const std::string token = "layer" + std::to_string(i);
    for (const auto& [key, text] : layers[i]) {
      std::vector<kv::Op> ops;
      ops.push_back(text == "-" ? tombstone_op(token, key) : set_op(token, key, make_value(text)));
      co_await kv.run(ctx, std::move(ops));
    }
    streams.push_back(
        std::make_unique<StutteringStream>(Staging(kv).open(token), static_cast<unsigned>(i)));
  }
  co_return combine(std::move(streams), tombstones);
}

/// "key=text " for each record, "key- " for tombstones.
Task<std::string> read_all(Context& ctx, RecordStream& stream) {
  std::string out;
  while (stream.next() || co_await stream.fill(ctx)) {
    const RecordView& record = stream.record();
    out +=
        std::string(record.key) + (record.tombstone ? "-" : "=") + std::string(record.data) + " ";
  }
  co_return out;
}

CO_TEST(CombinedStream, TheEarliestStreamWins) {
  kv::MemStore kv;
  auto changes = co_await combine_layers(
      ctx, kv, {{{"b", "new"}, {"c", "-"}}, {{"a", "old"}, {"b", "old"}, {"c", "old"}, {"d", "-"}}},
      Tombstones::keep);
  EXPECT_EQ(co_await read_all(ctx, *changes), "a=old b=new c- d- ");
}

CO_TEST(CombinedStream, VisibleRecordsLeaveOutWhatIsDeleted) {
  kv::MemStore kv;
  auto visible = co_await combine_layers(
      ctx, kv, {{{"b", "-"}, {"c", "2"}}, {{"c", "-"}}, {{"a", "1"}, {"b", "1"}, {"c", "1"}}},
      Tombstones::drop);
  EXPECT_EQ(co_await read_all(ctx, *visible), "a=1 c=2 ");
  EXPECT_FALSE(visible->next());
  EXPECT_FALSE(co_await visible->fill(ctx));
  visible->seek("");
  EXPECT_EQ(co_await read_all(ctx, *visible), "a=1 c=2 ");
}

CO_TEST(CombinedStream, NothingCombinesToNothing) {
  auto none = combine({}, Tombstones::drop);
  EXPECT_FALSE(none->next());
  EXPECT_FALSE(co_await none->fill(ctx));
}

CO_TEST(CombinedStream, PassesManyStagedDeletes) {
  kv::MemStore kv;
  Layer deleted;
  Layer committed;
  for (int i = 10'000; i < 15'000; ++i) {
    committed[std::to_string(i)] = "x";
    deleted[std::to_string(i)] = "-";
  }
  committed["z"] = "kept";
  auto visible = co_await combine_layers(ctx, kv, {deleted, committed}, Tombstones::drop);
  EXPECT_EQ(co_await read_all(ctx, *visible), "z=kept ");
}

CO_TEST(CombinedStream, SeekBackToADeletedKeyDoesNotReviveIt) {
  kv::MemStore kv;
  auto visible = co_await combine_layers(
      ctx, kv, {{{"b", "-"}, {"d", "4"}}, {{"a", "1"}, {"b", "1"}, {"c", "1"}}}, Tombstones::drop);
  EXPECT_TRUE(co_await visible->fill(ctx));
  EXPECT_EQ(visible->record().key, "a");
  EXPECT_TRUE(visible->next() || co_await visible->fill(ctx));
  EXPECT_EQ(visible->record().key, "c");
  visible->seek("b");
  EXPECT_EQ(co_await read_all(ctx, *visible), "c=1 d=4 ");
  visible->seek("a");
  EXPECT_EQ(co_await read_all(ctx, *visible), "a=1 c=1 d=4 ");
}

std::string random_key(std::mt19937& random) {
  return std::string(1, static_cast<char>('a' + random() % 8)) + std::to_string(random() % 4);
}

/// Random moves on the stream and on a map of what should be seen.
Task<> compare_with_model(Context& ctx, std::uint32_t seed, Tombstones tombstones) {
  std::mt19937 random(seed);
  std::vector<Layer> layers(1 + random() % 4);
  for (Layer& layer : layers) {
    for (unsigned n = random() % 12; n > 0; --n) {
      const std::string key = random_key(random);
      layer[key] = random() % 3 == 0 ? "-" : std::to_string(random() % 100);
    }
  }
  Layer expected;
  for (const Layer& layer : layers)
    expected.insert(layer.begin(), layer.end());
  if (tombstones == Tombstones::drop) {
    std::erase_if(expected, [](const auto& item) { return item.second == "-"; });
  }
  kv::MemStore kv;
  auto stream = co_await combine_layers(ctx, kv, layers, tombstones);
  auto at = expected.begin();
  for (int step = 0; step < 60; ++step) {
    const unsigned choice = random() % 8;
    if (choice == 0) {
      const std::string key = random_key(random);
      stream->seek(key);
      at = expected.lower_bound(key);
      continue;
    }
    const bool more = choice == 1 ? stream->next() : stream->next() || co_await stream->fill(ctx);
    if (!more && choice == 1) {  // a caller may change its mind between next() and fill()
      const std::string key = random_key(random);
      stream->seek(key);
      at = expected.lower_bound(key);
      continue;
    }
    EXPECT_EQ(more, at != expected.end()) << seed;
    if (!more || at == expected.end()) {
      if (more || expected.empty()) co_return;
      at = std::prev(expected.end());  // one back from the end
      stream->seek(at->first);
      continue;
    }
    EXPECT_EQ(stream->record().key, at->first) << seed;
    EXPECT_EQ(stream->record().tombstone, at->second == "-") << seed;
    if (choice == 2) {
      stream->seek(at->first);  // to where it stands
    } else {
      ++at;
    }
  }
}

CO_TEST(CombinedStream, AgreesWithAModelUnderRandomSeeks) {
  for (std::uint32_t seed = 0; seed < 300; ++seed) {
    co_await compare_with_model(ctx, seed, Tombstones::drop);
    co_await compare_with_model(ctx, seed, Tombstones::keep);
  }
}

}  // namespace
}  // namespace tarn::versioning
