#include "sst/table_writer.h"

#include <random>

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/format.h"
#include "base/hash.h"
#include "catalog.pb.h"
#include "sst/ident.h"
#include "sst/range_splitter.h"
#include "sst/table_testing.h"
#include "sst/value.h"

namespace tarn::sst {
namespace {

using testing::Records;

struct Expected {
  std::string_view id;
  std::uint64_t estimated_size;
  std::uint64_t file_bytes;
  std::string_view file_sha256;
};

void expect_file(const TableResult& result, const Expected& expected) {
  EXPECT_EQ(result.id, expected.id);
  EXPECT_EQ(result.estimated_size, expected.estimated_size);
  EXPECT_EQ(result.file_bytes, expected.file_bytes);
  EXPECT_EQ(result.bytes.size(), expected.file_bytes);
  EXPECT_EQ(to_hex(sha256(result.bytes)), expected.file_sha256);
}

/// A committed value as the catalog makes it.
std::string committed_value(const catalog::Entry& entry) {
  const std::map<std::string, std::string> metadata(entry.metadata().begin(),
                                                    entry.metadata().end());
  IdentEncoder identity;
  identity.add_int64(entry.size()).add_string(entry.e_tag()).add_string_map(metadata);
  if (!entry.content_type().empty()) identity.add_string(entry.content_type());
  return encode_value(identity.digest(), entry.SerializeAsString());
}

/// Splits records into ranges as a commit on an empty base does, then writes the metarange.
struct Tree {
  std::vector<TableResult> ranges;
  TableResult metarange;
};

Tree write_tree(const Records& records) {
  Tree tree;
  std::optional<TableWriter> range;
  const auto close = [&] {
    tree.ranges.push_back(range->finish());
    range.reset();
  };
  for (const auto& [key, value] : records) {
    if (!range) range.emplace(ranges_table());
    range->add(key, value);
    if (breaks_after({}, key, range->estimated_size())) close();
  }
  if (range) close();
  TableWriter metarange(metaranges_table());
  for (const TableResult& written : tree.ranges) {
    const RangeData data{.min_key = written.min_key,
                         .max_key = written.max_key,
                         .estimated_size = written.estimated_size,
                         .count = written.count};
    metarange.add(written.max_key, encode_value(written.id, encode_range_data(data)));
  }
  tree.metarange = metarange.finish();
  return tree;
}

TEST(TableWriter, NamesTablesByRecordsAndProperties) {
  const Records records{{"key", "value"}};
  EXPECT_EQ(testing::write_table(records, {}).id,
            "1f60902cb44890618d61597673a62e44cf526f5991d9db687141218985fe60b8");
  EXPECT_EQ(testing::write_table(records).id,
            "2c09f4be51c35d7e4c47a35538fe07160564ea706a2c34e2b860e90cb0edcbcf");
  EXPECT_EQ(testing::write_table({}).id,
            "5105eaf20d56aa444d5402b4eab9d952aecff97791980db9141ca8e2590ce149");
}

TEST(TableWriter, WritesTheReferencesEmptyMetarange) {
  TableWriter writer(metaranges_table());
  EXPECT_EQ(writer.estimated_size(), 8U);
  expect_file(writer.finish(),
              {"00fb7eff1a97c500eb3ca8d2ef5464131d6b6a5f9512e41eba97843522213b66", 8, 887,
               "83bf413bf2d8acee9b529d255c0b943d91e65a12ddff2e453726a418922ae61c"});
}

TEST(TableWriter, WritesTheReferencesSmallTree) {
  catalog::Entry entry;
  entry.set_address("data/gqv3epl4fd2o8m3men70/ce8co454fd2o8m3menag");
  entry.mutable_last_modified()->set_seconds(1'700'000'000);
  entry.set_size(4);
  entry.set_e_tag("eb4585ad9fe0426781ed7c49252f8225");
  entry.set_address_type(catalog::Entry::RELATIVE);
  entry.set_content_type("application/octet-stream");
  const std::string value = committed_value(entry);
  EXPECT_EQ(to_hex(decode_value(value).identity),
            "00fd43dd40498655fd033ec92b7d7741d7531938a08bdaa27b23f40902103f24");
  EXPECT_EQ(value.substr(33, 2), *from_hex("f001"));

  const Tree tree = write_tree({{"a/b.txt", value}, {"data/204677", value}, {"z", value}});
  ASSERT_EQ(tree.ranges.size(), 2U);
  expect_file(tree.ranges[0],
              {"1744ab8120eba4f101cc332cee12b509fcfff8818840f6207d891c1c16f43d64", 364, 1'104,
               "80c3251315d23dc895efcb0efc5e4e28f3ba02bc6e7e6367e4c62702bc7e4028"});
  EXPECT_EQ(tree.ranges[0].min_key, "a/b.txt");
  EXPECT_EQ(tree.ranges[0].max_key, "data/204677");
  EXPECT_EQ(tree.ranges[0].count, 2);
  expect_file(tree.ranges[1],
              {"bcb54fe287b43bb48f4c66334b8db7b26139738502f5e5e027312a2c59ae22a1", 180, 1'060,
               "a70e2dbaeeecbb8b726c59f849bbc6b552f579fe183305396a00206640bfaa1e"});
  expect_file(tree.metarange,
              {"1ba4c84b3ad5145f473242874af8142ab532cb88fe9d209a85e58773b0488dcf", 218, 1'112,
               "80e9cc7414ec9b059c890c2b2cb535c94939dc4e2938114ab8a44e4c92fb5bbf"});
}

Records large_tree_records() {
  Records records;
  catalog::Entry entry;
  entry.set_address_type(catalog::Entry::RELATIVE);
  entry.set_content_type("text/plain");
  for (int i = 0; i < 100'000; ++i) {
    const std::string text = std::to_string(i);
    entry.set_address(format("data/gqv3epl4fd2o8m3men70/{:020d}", i));
    entry.mutable_last_modified()->set_seconds(1'700'000'000 + i);
    entry.set_size(i);
    entry.set_e_tag(to_hex(md5(text)));
    (*entry.mutable_metadata())["n"] = text;
    records.emplace_back(format("obj/{:08d}", i), committed_value(entry));
  }
  return records;
}

TEST(TableWriter, WritesTheReferencesLargeTree) {
  const Tree tree = write_tree(large_tree_records());
  ASSERT_EQ(tree.ranges.size(), 4U);
  expect_file(tree.ranges[0],
              {"694357f4ea3d7c36055cf10d2820d9302381da340f0df81c3247def79d43dc59", 4'868'205,
               4'903'432, "cfbf01e4d4f0085cb1cba82280883ef2ffc85ff25ae1db22b34995eab0b616cc"});
  expect_file(tree.ranges[1],
              {"6fb186e3047659ada8bb83ac7f13a54861e0ea031012cd0a33218c29aa7ee8fd", 540'896, 541'206,
               "5e9f83acec6476ba6e115c4748be3245f71499a74807666a0ba83b76d955c5dd"});
  expect_file(tree.ranges[2],
              {"13d5bdaee845b2eedbef72c0f2ce8372ce95a2d7c5d0d82fa71ce37214db89a3", 3'940'686,
               3'965'789, "479a304b878278580374d09d7d42ac863c08117a8db0c5e6eb730021e70af6b5"});
  expect_file(tree.ranges[3],
              {"a270568f3b9d96f202acd717a471283a959e333064d7dacac8a1e0fb08206feb", 108'100, 107'172,
               "2c5ac5d0def8d3981f79d5328588ff3c61d179afe5120325a00c0b0338c6077f"});
  EXPECT_EQ(tree.ranges[0].max_key, "obj/00051494");
  EXPECT_EQ(tree.ranges[2].count, 41'708);
  expect_file(tree.metarange,
              {"d64db65d6750e9ac026bd00677e98962609a9254238210e2709c53400702f6df", 493, 1'322,
               "c371c038974b430d2158a569c50994a15e8865a29ba3bc1ba2ebced8e32b9169"});
}

TEST(TableWriter, RefusesUnsortedKeysAndGoesOn) {
  TableWriter writer(ranges_table());
  writer.add("b", "1");
  for (const char* key : {"b", "a", ""}) {
    try {
      writer.add(key, "2");
      ADD_FAILURE() << key;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
      EXPECT_EQ(error.message(), "unsorted keys");
    }
  }
  writer.add("ba", "3");
  EXPECT_EQ(writer.count(), 2);
  EXPECT_EQ(writer.max_key(), "ba");
  EXPECT_EQ(writer.finish().id, testing::write_table({{"b", "1"}, {"ba", "3"}}).id);
}

TEST(TableWriter, OrdersKeysAsUnsignedBytes) {
  TableWriter writer(ranges_table());
  writer.add("", "");
  writer.add("\x7f", "");
  writer.add("\x80", "");
  EXPECT_THROW(writer.add("\x7f\xff", ""), Error);
}

TEST(TableWriter, StoresABlockRawUnlessCompressionSavesMoreThanAnEighth) {
  std::mt19937_64 random(4);
  std::string noise(3'000, '\0');
  for (char& c : noise)
    c = static_cast<char>(random());
  int at_limit = 0;
  for (std::size_t zeros = 300; zeros < 600; ++zeros) {
    const TableResult table = testing::write_table({{"k", noise + std::string(zeros, '\0')}});
    const TableView view(table.bytes);
    const std::string_view stored = view.stored_block(0);
    const std::string payload = decode_block(stored);
    const std::size_t limit = payload.size() - payload.size() / 8;
    const std::size_t compressed = SnappyEncoder().encode(payload).size();
    const auto type = static_cast<BlockType>(stored[stored.size() - kBlockTrailerBytes]);
    ASSERT_EQ(type, compressed < limit ? BlockType::snappy : BlockType::none) << zeros;
    if (compressed == limit) ++at_limit;
  }
  EXPECT_GT(at_limit, 0);
}

TEST(TableWriter, HandsTheSameBytesToASinkInBoundedPieces) {
  const Records records = testing::random_records(5, 4'000, 5'000);
  const TableResult whole = testing::write_table(records);
  TableOptions options = ranges_table();
  std::string pieces;
  std::size_t largest = 0;
  int count = 0;
  options.sink = [&](std::string&& piece) {
    largest = std::max(largest, piece.size());
    pieces += piece;
    ++count;
  };
  const TableResult streamed = testing::write_table(records, std::move(options));
  EXPECT_TRUE(streamed.bytes.empty());
  EXPECT_EQ(streamed.file_bytes, whole.bytes.size());
  EXPECT_TRUE(pieces == whole.bytes);
  EXPECT_EQ(streamed.id, whole.id);
  EXPECT_GT(count, 2);
  EXPECT_LT(largest, 300'000U);
}

TEST(TableWriter, CopiesAnOfferedBlockOnlyIfItIsTheOneItWouldWrite) {
  Records records;
  for (int i = 0; i < 100; ++i)
    records.emplace_back(format("key{:04d}", i), std::string(100, 'v'));
  const TableResult old = testing::write_table(records);
  const TableView view(old.bytes);
  ASSERT_GT(view.index().size(), 2U);
  // Offered in another stored form, so that copying shows.
  const auto rewrite = [&](std::string_view changed_key) {
    TableWriter writer(ranges_table());
    for (TableView::Iterator at(view); at.next();) {
      writer.add(at.key(), at.key() == changed_key ? "changed" : at.value());
      if (at.block() == 0 && at.at_block_end()) {
        std::string stored(at.block_payload());
        stored += block_trailer(stored, BlockType::none);
        writer.offer_stored_block(at.block_payload(), stored);
      }
    }
    const TableResult result = writer.finish();
    const std::string_view stored = TableView(result.bytes).stored_block(0);
    return static_cast<BlockType>(stored[stored.size() - kBlockTrailerBytes]);
  };
  EXPECT_EQ(rewrite("key0099"), BlockType::none);
  EXPECT_EQ(rewrite("key0000"), BlockType::snappy);
}

/// Writes `records`, taking over stored blocks of `old` where its records pass by unchanged.
TableResult rewrite_over(std::string_view old, const Records& records, int& offers) {
  const TableView view(old);
  EXPECT_TRUE(view.index().reusable_blocks());
  TableView::Iterator at(view);
  bool more = at.next();
  TableWriter writer(ranges_table());
  for (const auto& [key, value] : records) {
    writer.add(key, value);
    while (more && at.key() < key)
      more = at.next();
    if (more && at.key() == key && at.at_block_end()) {
      writer.offer_stored_block(at.block_payload(), view.stored_block(at.block()));
      ++offers;
    }
  }
  return writer.finish();
}

TEST(TableWriter, GivesTheBytesOfAFullRewriteWhenBlocksAreOffered) {
  std::mt19937_64 random(17);
  int offers = 0;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    const Records base = testing::random_records(seed, 600, seed % 3 == 0 ? 9'000 : 300);
    const TableResult old = testing::write_table(base);
    std::map<std::string, std::string> edited(base.begin(), base.end());
    for (std::size_t edits = random() % 4; edits > 0; --edits) {
      const std::string key = base[random() % base.size()].first;
      switch (random() % 3) {
        case 0: edited.erase(key); break;
        case 1: edited[key] = std::string(random() % 500, 'e'); break;
        case 2: edited[key + "+"] = "inserted"; break;
      }
    }
    const Records records(edited.begin(), edited.end());
    const TableResult whole = testing::write_table(records);
    const TableResult reused = rewrite_over(old.bytes, records, offers);
    ASSERT_TRUE(reused.bytes == whole.bytes) << seed;
    ASSERT_EQ(reused.id, whole.id);
    ASSERT_EQ(reused.estimated_size, whole.estimated_size);
  }
  EXPECT_GT(offers, 500);
}

/// As rewrite_over, but takes blocks over whole where no record in them differs; the first of them
/// at once, up to a checkpoint of `old`.
TableResult copy_over(const TableResult& old, const Records& records, int& copied, int& resumed) {
  const TableView view(old.bytes);
  std::vector<Records> blocks(view.index().size());
  TableView::Iterator at(view);
  while (at.next())
    blocks[at.block()].emplace_back(at.key(), at.value());
  TableWriter writer(ranges_table());
  std::size_t block = 0;
  std::size_t i = 0;
  const auto alike = [&] {
    const std::size_t size = blocks[block].size();
    return i + size <= records.size() &&
           std::equal(blocks[block].begin(), blocks[block].end(), records.begin() + i);
  };
  const auto& checkpoints = old.history.checkpoints;
  std::size_t checkpoint = 0;  // the next
  for (; block < blocks.size() && alike(); ++block) {
    if (checkpoint < checkpoints.size() && checkpoints[checkpoint]->blocks == block) ++checkpoint;
    i += blocks[block].size();
  }
  block = i = 0;
  if (checkpoint > 0) {
    const TableCheckpoint& at_checkpoint = *checkpoints[checkpoint - 1];
    const BlockHandle last = view.index().handle(at_checkpoint.blocks - 1);
    writer.resume(view.index(), old.history, checkpoint - 1,
                  old.bytes.substr(0, last.offset + last.stored_bytes()));
    block = at_checkpoint.blocks;
    i = static_cast<std::size_t>(at_checkpoint.count);
    ++resumed;
  }
  while (i < records.size()) {
    const auto& [key, value] = records[i];
    while (block < blocks.size() && blocks[block].front().first < key)
      ++block;
    const bool here = block < blocks.size() && blocks[block].front().first == key;
    if (here && alike() && writer.begins_block(key, value.size())) {
      std::string scratch;
      const std::string_view stored = view.stored_block(block);
      writer.add_stored_block(decode_block(stored, scratch), stored);
      ++copied;
      i += blocks[block].size();
    } else {
      writer.add(key, value);
      ++i;
    }
  }
  return writer.finish();
}

TEST(TableWriter, GivesTheBytesOfAFullRewriteWhenBlocksAreTakenOver) {
  std::mt19937_64 random(18);
  int copied = 0;
  int resumed = 0;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    const Records base =
        testing::random_records(seed, seed % 5 == 1 ? 6'000 : 600, seed % 3 == 0 ? 9'000 : 300);
    const TableResult old = testing::write_table(base);
    std::map<std::string, std::string> edited(base.begin(), base.end());
    for (std::size_t edits = random() % 4; edits > 0; --edits) {
      const auto& [key, value] = base[random() % base.size()];
      switch (random() % 3) {
        case 0: edited.erase(key); break;
        case 1: edited[key] = std::string(value.size(), 'e'); break;
        case 2: edited[key + "+"] = "inserted"; break;
      }
    }
    const Records records(edited.begin(), edited.end());
    const TableResult whole = testing::write_table(records);
    const TableResult reused = copy_over(old, records, copied, resumed);
    ASSERT_TRUE(reused.bytes == whole.bytes) << seed;
    ASSERT_EQ(reused.id, whole.id);
    ASSERT_EQ(reused.estimated_size, whole.estimated_size);
    ASSERT_EQ(reused.min_key, whole.min_key);
    ASSERT_EQ(reused.max_key, whole.max_key);
    ASSERT_EQ(reused.count, whole.count);
    ASSERT_EQ(reused.history.checkpoints.size(), whole.history.checkpoints.size());
  }
  EXPECT_GT(copied, 500);
  EXPECT_GT(resumed, 5);
}

TEST(TableWriter, DoesNotResumeOverDamagedBlocks) {
  const TableResult old = testing::write_table(testing::random_records(1, 6'000, 300));
  const TableView view(old.bytes);
  ASSERT_FALSE(old.history.checkpoints.empty());
  const BlockHandle last = view.index().handle(old.history.checkpoints[0]->blocks - 1);
  const std::string stored = old.bytes.substr(0, last.offset + last.stored_bytes());
  TableWriter(ranges_table()).resume(view.index(), old.history, 0, stored);
  for (std::size_t at : {std::size_t{0}, stored.size() / 2, stored.size() - 1}) {
    std::string damaged = stored;
    damaged[at] ^= 1;
    EXPECT_THROW(TableWriter(ranges_table()).resume(view.index(), old.history, 0, damaged), Error);
  }
  EXPECT_THROW(TableWriter(ranges_table())
                   .resume(view.index(), old.history, 0, stored.substr(0, stored.size() / 2)),
               Error);
}

TEST(TableWriter, RefusesToTakeOverABlockThatSortsBefore) {
  const Records records = testing::random_records(3, 600, 300);
  const TableResult old = testing::write_table(records);
  const TableView view(old.bytes);
  std::string scratch;
  const std::string_view stored = view.stored_block(0);
  const std::string_view payload = decode_block(stored, scratch);
  TableWriter writer(ranges_table());
  writer.add_stored_block(payload, stored);
  EXPECT_THROW(writer.add_stored_block(payload, stored), Error);
}

}  // namespace
}  // namespace tarn::sst
