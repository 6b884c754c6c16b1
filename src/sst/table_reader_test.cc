#include "sst/table_reader.h"

#include <random>

#include <gtest/gtest.h>

#include "base/error.h"
#include "sst/table_testing.h"
#include "sst/varint.h"

namespace tarn::sst {
namespace {

using testing::Records;

TEST(TableView, ReadsBackEveryRecordAndProperty) {
  TableOptions options = metaranges_table();
  options.properties["schema_definition"] = "{\n}";
  const Records records = testing::random_records(1, 3'000, 6'000);
  const TableResult table = testing::write_table(records, std::move(options));
  const TableView view(table.bytes);
  EXPECT_TRUE(testing::read_table(table.bytes) == records);
  EXPECT_EQ(view.index().property("type"), "metaranges");
  EXPECT_EQ(view.index().property("schema_definition"), "{\n}");
  EXPECT_EQ(view.index().property("min_key"), records.front().first);
  EXPECT_EQ(view.index().property("max_key"), records.back().first);
  EXPECT_EQ(view.index().property("count"), "3000");
  EXPECT_EQ(view.index().property("estimated_size_bytes"), std::to_string(table.estimated_size));
  EXPECT_EQ(view.index().entries(), 3'000U);
  EXPECT_EQ(view.all_properties().at("rocksdb.comparator"), "leveldb.BytewiseComparator");
  EXPECT_EQ(compute_table_id(view), table.id);
}

TEST(TableView, ReadsATableWithoutRecords) {
  const TableResult table = testing::write_table({});
  const TableView view(table.bytes);
  EXPECT_TRUE(testing::read_table(table.bytes).empty());
  EXPECT_EQ(view.find(""), std::nullopt);
  EXPECT_EQ(view.find("a"), std::nullopt);
  EXPECT_EQ(compute_table_id(view), table.id);
}

TEST(TableView, FindsWhatIsThereAndNothingElse) {
  for (std::uint64_t seed = 0; seed < 8; ++seed) {
    const Records records = testing::random_records(seed, 1'500, seed % 2 == 0 ? 100 : 5'000);
    const TableResult table = testing::write_table(records);
    const TableView view(table.bytes);
    for (std::size_t i = 0; i < records.size(); ++i) {
      const auto& [key, value] = records[i];
      ASSERT_EQ(view.find(key), value);
      std::string after = key;
      after.push_back('\0');
      const bool is_next = i + 1 < records.size() && records[i + 1].first == after;
      ASSERT_EQ(view.find(after).has_value(), is_next);
    }
  }
}

TEST(TableView, SeeksLikeAnOrderedMap) {
  const Records records = testing::random_records(3, 1'000, 400);
  const std::map<std::string, std::string> model(records.begin(), records.end());
  const TableResult table = testing::write_table(records);
  const TableView view(table.bytes);
  TableView::Iterator at(view);
  const Records probes = testing::random_records(4, 1'000, 0);
  for (const auto& [probe, unused] : probes) {
    auto expected = model.lower_bound(probe);
    ASSERT_EQ(at.seek_ge(probe), expected != model.end());
    for (int steps = 0; steps < 30 && expected != model.end(); ++steps, ++expected) {
      ASSERT_EQ(at.key(), expected->first);
      ASSERT_EQ(at.value(), expected->second);
      ASSERT_EQ(at.next(), std::next(expected) != model.end());
    }
  }
}

TEST(TableIndex, HasATwoLevelIndexOnceOneBlockDoesNotHoldIt) {
  const TableResult small = testing::write_table(testing::random_records(6, 100, 100));
  const TableResult large = testing::write_table(testing::random_records(6, 8'000, 2'000));
  const auto type = [](const TableResult& table) {
    return TableView(table.bytes).all_properties().at("rocksdb.block.based.table.index.type")[0];
  };
  EXPECT_EQ(type(small), '\0');
  EXPECT_EQ(type(large), '\x02');
}

TEST(TableIndex, SaysHowMuchOfTheTailItNeeds) {
  for (const std::size_t count : {0U, 10U, 8'000U}) {
    const std::string file = testing::write_table(testing::random_records(7, count, 2'000)).bytes;
    std::uint64_t have = kFooterBytes;
    int rounds = 0;
    while (true) {
      const std::string_view tail = std::string_view(file).substr(file.size() - have);
      const std::uint64_t needed = tail_bytes_needed(file.size(), tail);
      if (needed <= have) break;
      have = needed;
      ASSERT_LE(++rounds, 3);
    }
    const TableView view(file);
    const std::string_view tail = std::string_view(file).substr(file.size() - have);
    const TableIndex index = TableIndex::parse(file.size(), tail);
    ASSERT_EQ(index.size(), view.index().size());
    for (std::size_t i = 0; i < index.size(); ++i) {
      EXPECT_EQ(index.handle(i), view.index().handle(i));
      EXPECT_EQ(index.separator(i), view.index().separator(i));
    }
    EXPECT_LT(have, count == 8'000 ? file.size() / 10 : 1'200);
    EXPECT_THROW(TableIndex::parse(file.size(), tail.substr(1)), Error);
  }
}

TEST(TableIndex, CountsItsMemory) {
  const TableResult table = testing::write_table(testing::random_records(8, 8'000, 2'000));
  const TableView view(table.bytes);
  EXPECT_GT(view.index().memory_bytes(), view.index().size() * 16);
  EXPECT_LT(view.index().memory_bytes(), table.bytes.size() / 10);
}

TEST(DecodeBlock, RefusesAChangedByte) {
  const TableResult table = testing::write_table(testing::random_records(9, 50, 100));
  const TableView view(table.bytes);
  const std::string stored(view.stored_block(0));
  EXPECT_NO_THROW(decode_block(stored));
  for (std::size_t i = 0; i < stored.size(); ++i) {
    std::string broken = stored;
    broken[i] ^= 0x10;
    EXPECT_THROW(decode_block(broken), Error) << i;
  }
}

TEST(DecodeBlock, RefusesAnUnknownCompression) {
  std::string stored = "payload";
  stored += block_trailer("payload", static_cast<BlockType>(7));
  EXPECT_THROW(decode_block(stored), Error);
}

/// Reads everything a server would; hostile files may only throw Error{corrupt}.
void exercise(std::string_view file) {
  try {
    const TableView view(file);
    static_cast<void>(view.find("key"));
    TableView::Iterator at(view);
    at.seek_ge(std::string(1, static_cast<char>(file.size())));
    compute_table_id(view);
  } catch (const Error& error) {
    ASSERT_EQ(error.code(), ErrorCode::corrupt);
  }
}

/// Recomputes the checksum of every block the index reaches, so that mutations get past it.
TEST(TableView, SurvivesHostileFiles) {
  std::mt19937_64 random(21);
  for (const std::size_t count : {0U, 1U, 40U, 3'000U}) {
    const std::string file = testing::write_table(testing::random_records(count, count, 900)).bytes;
    for (int round = 0; round < 600; ++round) {
      std::string broken = file;
      for (std::size_t flips = 1 + random() % 4; flips > 0; --flips) {
        const std::size_t span = random() % 2 == 0 ? 1'200 : file.size();
        const std::size_t at = file.size() - 1 - random() % std::min(span, file.size());
        broken[at] = static_cast<char>(random());
      }
      if (random() % 8 == 0) broken.resize(random() % broken.size());
      exercise(broken);
    }
  }
}

std::string stored_block(std::string payload) {
  payload += block_trailer(payload, BlockType::none);
  return payload;
}

/// A file around blocks that are damaged before their checksums are made.
TEST(TableView, SurvivesDamageUnderValidChecksums) {
  std::mt19937_64 random(22);
  const std::string good = testing::write_table(testing::random_records(2, 60, 200)).bytes;
  const TableView view(good);
  const std::string data_good = decode_block(view.stored_block(0));
  BlockBuilder properties(16);
  std::string two_level("\x02\0\0\0", 4);
  for (int round = 0; round < 4'000; ++round) {
    const auto damage = [&](std::string payload) {
      if (random() % 3 == 0 && !payload.empty()) {
        payload[random() % payload.size()] = static_cast<char>(random());
      }
      return payload;
    };
    std::string file = stored_block(damage(data_good));
    const BlockHandle data{.offset = 0, .size = data_good.size()};
    const auto handle_block = [&](std::string_view key, std::string_view trailer,
                                  BlockHandle handle) {
      std::string value;
      append_handle(value, handle);
      BlockBuilder block(1);
      block.add(key, trailer, 0, value);
      const std::string payload = damage(std::string(block.finish()));
      const BlockHandle at{.offset = file.size(), .size = payload.size()};
      file += stored_block(payload);
      return at;
    };
    BlockHandle index = handle_block("zzz", kSetTrailer, data);
    properties.reset();
    if (random() % 2 == 0) {
      index = handle_block("zzz", kSetTrailer, index);
      properties.add(property::kIndexType, {}, 0, two_level);
    }
    const std::string payload = damage(std::string(properties.finish()));
    const BlockHandle properties_at{.offset = file.size(), .size = payload.size()};
    file += stored_block(payload);
    const BlockHandle metaindex = handle_block(kPropertiesBlockName, {}, properties_at);
    file += encode_footer({.metaindex = metaindex, .index = index});
    exercise(file);
  }
}

TEST(TableView, RefusesAnIndexThatUnfoldsWithoutEnd) {
  // Each entry shares a long key with the one before.
  BlockBuilder index(1'000'000);
  std::string key(1 << 20, 'k');
  std::string handle;
  append_handle(handle, {.offset = 0, .size = 0});
  for (int i = 0; i < 400; ++i) {
    const std::string next = key + std::to_string(1'000 + i);
    index.add(next, kSetTrailer, i == 0 ? 0 : key.size(), handle);
  }
  std::string file = stored_block("");
  const auto add = [&](std::string_view payload) {
    const BlockHandle at{.offset = file.size(), .size = payload.size()};
    file += stored_block(std::string(payload));
    return at;
  };
  Footer footer;
  footer.index = add(index.finish());
  BlockBuilder properties(1);
  handle.clear();
  append_handle(handle, add(properties.finish()));
  BlockBuilder metaindex(1);
  metaindex.add(kPropertiesBlockName, {}, 0, handle);
  footer.metaindex = add(metaindex.finish());
  file += encode_footer(footer);
  EXPECT_LT(file.size(), 2U << 20);
  EXPECT_THROW(TableView{file}, Error);
}

}  // namespace
}  // namespace tarn::sst
