// The end-to-end vectors of storage-format.md 9.4 and 9.10: ids the reference gives.
#include <map>
#include <string>

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/format.h"
#include "base/hash.h"
#include "sst/ident.h"
#include "testing/co_test.h"
#include "versioning/committed/tree_test_support.h"

namespace tarn::versioning {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): support of these tests

constexpr std::string_view kEmptyTree =
    "00fb7eff1a97c500eb3ca8d2ef5464131d6b6a5f9512e41eba97843522213b66";
constexpr std::string_view kSmallTree =
    "1ba4c84b3ad5145f473242874af8142ab532cb88fe9d209a85e58773b0488dcf";
constexpr std::string_view kLargeTree =
    "d64db65d6750e9ac026bd00677e98962609a9254238210e2709c53400702f6df";

std::string small_identity() {
  return *from_hex("00fd43dd40498655fd033ec92b7d7741d7531938a08bdaa27b23f40902103f24");
}

std::string small_entry() {
  return *from_hex(
      "0a2e646174612f6771763365706c346664326f386d336d656e37302f636538636f3435346664326f386d336d656e"
      "616712060880e2cfaa06180422206562343538356164396665303432363738316564376334393235326638323235"
      "30"
      "013a186170706c69636174696f6e2f6f637465742d73747265616d");
}

void append_field(std::string& out, char tag, std::string_view bytes) {
  out += tag;
  out += static_cast<char>(bytes.size());
  out += bytes;
}

void append_varint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7)
    out += static_cast<char>(value | 0x80);
  out += static_cast<char>(value);
}

/// Entry i of the large vector, as protobuf.
std::string large_entry(int i) {
  const std::string number = std::to_string(i);
  std::string time;
  time += '\x08';
  append_varint(time, 1'700'000'000ULL + static_cast<std::uint64_t>(i));
  std::string pair;
  append_field(pair, '\x0a', "n");
  append_field(pair, '\x12', number);
  std::string out;
  append_field(out, '\x0a', format("data/gqv3epl4fd2o8m3men70/{:020}", i));
  append_field(out, '\x12', time);
  if (i > 0) {
    out += '\x18';
    append_varint(out, static_cast<std::uint64_t>(i));
  }
  append_field(out, '\x22', to_hex(md5(number)));
  append_field(out, '\x2a', pair);
  out += "\x30\x01";
  append_field(out, '\x3a', "text/plain");
  return out;
}

/// The identity of entry i (3.3).
std::string large_identity(int i) {
  const std::string number = std::to_string(i);
  sst::IdentEncoder encoder;
  encoder.add_int64(i).add_string(to_hex(md5(number)));
  encoder.add_string_map(std::map<std::string, std::string>{{"n", number}});
  encoder.add_string("text/plain");
  return encoder.digest();
}

constexpr int kLargeRecords = 100'000;

Task<WrittenTree> write_large(Context& ctx, Committed& committed) {
  auto writer = committed.writer(std::string(kSpace));
  for (int i = 0; i < kLargeRecords; ++i)
    co_await writer->write(ctx, format("obj/{:08}", i), large_identity(i), large_entry(i));
  co_return co_await writer->close(ctx);
}

CO_TEST(CommittedVectors, GiveTheSmallTreeItsId) {
  Trees trees{CommittedConfig{}};
  auto writer = trees.committed.writer(std::string(kSpace));
  for (const char* key : {"a/b.txt", "data/204677", "z"})
    co_await writer->write(ctx, key, small_identity(), small_entry());
  const WrittenTree tree = co_await writer->close(ctx);
  EXPECT_EQ(tree.id, kSmallTree);
  CO_ASSERT_EQ(tree.ranges.size(), 2U);
  EXPECT_EQ(tree.ranges[0].id, "1744ab8120eba4f101cc332cee12b509fcfff8818840f6207d891c1c16f43d64");
  EXPECT_EQ(tree.ranges[0].estimated_size, 364U);
  EXPECT_EQ(tree.ranges[0].count, 2);
  EXPECT_EQ(tree.ranges[1].id, "bcb54fe287b43bb48f4c66334b8db7b26139738502f5e5e027312a2c59ae22a1");
  EXPECT_EQ(tree.ranges[1].min_key, "z");
}

CO_TEST(CommittedVectors, GiveATreeEmptiedByDeletesItsId) {
  Trees trees;
  const MetaRangeId base = co_await trees.write(ctx, {{"a", "1"}});
  const ApplyResult emptied = co_await trees.apply(ctx, base, {{"a", std::nullopt}});
  EXPECT_EQ(emptied.id, kEmptyTree);
  EXPECT_EQ(emptied.summary.removed, 1);
  EXPECT_TRUE((co_await trees.read(ctx, emptied.id)).empty());
  EXPECT_TRUE((co_await trees.read(ctx, "")).empty());
}

CO_TEST(CommittedVectors, GiveTheLargeTreeItsRangesAndId) {
  Trees trees{CommittedConfig{}};
  const WrittenTree tree = co_await write_large(ctx, trees.committed);
  EXPECT_EQ(tree.id, kLargeTree);
  CO_ASSERT_EQ(tree.ranges.size(), 4U);
  EXPECT_EQ(tree.ranges[0].id, "694357f4ea3d7c36055cf10d2820d9302381da340f0df81c3247def79d43dc59");
  EXPECT_EQ(tree.ranges[0].count, 51'495);
  EXPECT_EQ(tree.ranges[0].estimated_size, 4'868'205U);
  EXPECT_EQ(tree.ranges[1].id, "6fb186e3047659ada8bb83ac7f13a54861e0ea031012cd0a33218c29aa7ee8fd");
  EXPECT_EQ(tree.ranges[2].id, "13d5bdaee845b2eedbef72c0f2ce8372ce95a2d7c5d0d82fa71ce37214db89a3");
  EXPECT_EQ(tree.ranges[3].id, "a270568f3b9d96f202acd717a471283a959e333064d7dacac8a1e0fb08206feb");
  EXPECT_EQ(tree.ranges[3].max_key, "obj/00099999");

  // A second reader, with nothing cached, verifies what the first has written, in pieces.
  Trees reader(trees.objects, CommittedConfig{.memory_cache_bytes = 1 << 20});
  const auto stream = reader.committed.open(std::string(kSpace), tree.id);
  int count = 0;
  while (stream->next() || co_await stream->fill(ctx)) {
    if (stream->record().identity != large_identity(count)) break;
    if (stream->record().data != large_entry(count)) break;
    ++count;
  }
  EXPECT_EQ(count, kLargeRecords);
}

CO_TEST(CommittedVectors, GiveTheLargeTreeItsIdThroughACommit) {
  class Entries final : public RecordStream {
   public:
    bool next() override {
      if (at_ == kLargeRecords) return false;
      key_ = format("obj/{:08}", at_);
      identity_ = large_identity(at_);
      data_ = large_entry(at_++);
      record_ = {.key = key_, .identity = identity_, .data = data_};
      return true;
    }

    Task<bool> fill(Context&) override { co_return next(); }

    void seek(std::string_view) override {}

    const RecordView& record() const override { return record_; }

   private:
    int at_ = 0;
    std::string key_, identity_, data_;
    RecordView record_;
  };

  Trees trees{CommittedConfig{}};
  Entries entries;
  const ApplyResult result = co_await trees.committed.apply(ctx, kSpace, "", entries);
  EXPECT_EQ(result.id, kLargeTree);
  EXPECT_EQ(result.summary.added, kLargeRecords);
}

}  // namespace
}  // namespace tarn::versioning
