#include "sst/block.h"

#include <algorithm>
#include <random>

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/error.h"
#include "sst/varint.h"

namespace tarn::sst {
namespace {

using namespace std::string_literals;

std::string numbered(int i) {
  return "key" + std::to_string(5'000 + i);
}

std::string block_of(int count, std::uint32_t interval = 16) {
  BlockBuilder builder(interval);
  std::string last;
  for (int i = 0; i < count; ++i) {
    const std::string key = numbered(2 * i);
    builder.add(key, kSetTrailer, common_prefix(last, key), "v" + std::to_string(i));
    last = key;
  }
  return std::string(builder.finish());
}

TEST(BlockBuilder, WritesOneRestartInAnEmptyBlock) {
  BlockBuilder builder(16);
  EXPECT_EQ(builder.estimate(), 4U);
  EXPECT_EQ(to_hex(builder.finish()), "0000000001000000");
}

TEST(BlockBuilder, EstimatesThePayloadItWillFinish) {
  BlockBuilder builder(16);
  for (int i = 0; i < 40; ++i)
    builder.add(numbered(i), kSetTrailer, 0, "value");
  const std::size_t estimate = builder.estimate();
  EXPECT_EQ(builder.finish().size(), estimate);
}

TEST(BlockBuilder, KnowsThePayloadItWouldFinish) {
  const std::string payload = block_of(40);
  BlockBuilder builder(16);
  std::string last;
  for (int i = 0; i < 40; ++i) {
    EXPECT_FALSE(builder.equals(payload)) << i;
    const std::string key = numbered(2 * i);
    builder.add(key, kSetTrailer, common_prefix(last, key), "v" + std::to_string(i));
    last = key;
  }
  EXPECT_TRUE(builder.equals(payload));
  std::string other_restart = payload;
  other_restart[payload.size() - 8] ^= 1;
  EXPECT_FALSE(builder.equals(other_restart));
}

// The cut rule at its edges. A first entry of key length 8 (internal) and value length v makes
// 3 or 4 header bytes, one restart and the count.
TEST(BlockBuilder, CutsByTheReferencesRule) {
  const auto builder_of_size = [](std::size_t estimate) {
    BlockBuilder builder(16);
    const std::size_t value = estimate - 8 - 8 - 4;  // two-byte value length
    builder.add("", kSetTrailer, 0, std::string(value, 'v'));
    EXPECT_EQ(builder.estimate(), estimate);
    return builder;
  };
  EXPECT_FALSE(BlockBuilder(16).is_full_for(9'000, 9'000));
  EXPECT_TRUE(builder_of_size(4'096).is_full_for(8, 0));
  EXPECT_FALSE(builder_of_size(3'687).is_full_for(9'000, 9'000));
  EXPECT_TRUE(builder_of_size(3'688).is_full_for(9'000, 9'000));
  // 3688 + key + value + 4 + two length bytes may reach 4096, but not pass it.
  EXPECT_FALSE(builder_of_size(3'688).is_full_for(20, 4'096 - 3'688 - 20 - 4 - 1 - 2));
  EXPECT_TRUE(builder_of_size(3'688).is_full_for(20, 4'096 - 3'688 - 20 - 4 - 1 - 2 + 1));
  // A key of 128 bytes and more takes a second length byte.
  EXPECT_FALSE(builder_of_size(3'688).is_full_for(128, 4'096 - 3'688 - 128 - 4 - 2 - 2));
  EXPECT_TRUE(builder_of_size(3'688).is_full_for(128, 4'096 - 3'688 - 128 - 4 - 2 - 2 + 1));
}

TEST(BlockBuilder, ReckonsWithARestartWhenOneIsDue) {
  // How far the next record may fill a block that holds `entries`, all but the value's own bytes.
  const auto room_taken_by_frame = [](int entries) {
    BlockBuilder builder(16);
    builder.add("", kSetTrailer, 0, std::string(3'600, 'v'));
    for (int i = 1; i < entries; ++i)
      builder.add(numbered(i), kSetTrailer, 3, "");
    std::size_t value = 0;
    while (!builder.is_full_for(20, value + 1))
      ++value;
    return 4'096 - builder.estimate() - value;
  };
  EXPECT_EQ(room_taken_by_frame(15), 20U + 4 + 1 + 2);
  EXPECT_EQ(room_taken_by_frame(16), 20U + 4 + 1 + 2 + 4);
  EXPECT_EQ(room_taken_by_frame(17), 20U + 4 + 1 + 2);
}

TEST(BlockIterator, WalksAndFindsEveryEntry) {
  for (const int count : {1, 2, 15, 16, 17, 100}) {
    const std::string payload = block_of(count);
    BlockIterator all(payload, KeyForm::record);
    for (int i = 0; i < count; ++i) {
      ASSERT_TRUE(all.next());
      EXPECT_EQ(all.key(), numbered(2 * i));
      EXPECT_EQ(all.value(), "v" + std::to_string(i));
      EXPECT_EQ(all.at_end(), i + 1 == count);
    }
    EXPECT_FALSE(all.next());

    BlockIterator sought(payload, KeyForm::record);
    for (int i = -1; i < 2 * count - 1; ++i) {
      ASSERT_TRUE(sought.seek_ge(numbered(i))) << i;
      EXPECT_EQ(sought.key(), numbered(i + (i & 1)));
    }
    EXPECT_FALSE(sought.seek_ge(numbered(2 * count - 1)));
    EXPECT_TRUE(sought.seek_first());
    EXPECT_EQ(sought.key(), numbered(0));
  }
}

TEST(BlockIterator, FindsNothingInAnEmptyBlock) {
  const std::string payload = block_of(0);
  BlockIterator iterator(payload, KeyForm::record);
  EXPECT_FALSE(iterator.next());
  EXPECT_FALSE(iterator.seek_ge(""));
}

std::size_t walk(std::string_view payload, KeyForm form) {
  std::size_t bytes = 0;
  for (BlockIterator iterator(payload, form); iterator.next();)
    bytes += iterator.key().size() + iterator.value().size();
  return bytes;
}

TEST(BlockIterator, RejectsWhatIsNoBlock) {
  const std::string one_restart = "\0\0\0\0\x01\0\0\0"s;
  for (const std::string& payload : {
           ""s,
           "abc"s,
           "\0\0\0\0"s,                      // no restart
           "\xff\xff\xff\xff"s,              // more than fit
           "\x02\0\0\0\0\0\0\0\x03\0\0\0"s,  // one too many
           "\x01\0\0"s + one_restart,        // shares before the first key
           "\0\x20\0abc"s + one_restart,     // key passes the end
           "\0\x01\x7fz"s + one_restart,     // value passes the end
           "\0\x80"s + one_restart,          // length cut off
           "\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\0a"s + one_restart,
       }) {
    EXPECT_THROW(walk(payload, KeyForm::raw), Error) << to_hex(payload);
  }
  EXPECT_THROW(walk("\0\x03\0abc"s + one_restart, KeyForm::internal), Error) << "no trailer";
  EXPECT_THROW(walk("\0\x09\0a\x02\0\0\0\0\0\0\0"s + one_restart, KeyForm::record), Error)
      << "a merge record";
}

TEST(BlockIterator, RejectsRestartsThatLeadNowhere) {
  std::string payload = block_of(40);
  payload[payload.size() - 8] = '\x7f';
  payload[payload.size() - 7] = '\x7f';
  BlockIterator iterator(payload, KeyForm::record);
  EXPECT_THROW(iterator.seek_ge(numbered(100)), Error);
}

TEST(BlockIterator, SurvivesEverySingleByteFlip) {
  const std::string payload = block_of(40);
  std::mt19937 random(3);
  for (std::size_t i = 0; i < payload.size(); ++i) {
    for (int round = 0; round < 4; ++round) {
      std::string broken = payload;
      broken[i] = static_cast<char>(broken[i] ^ (1 + random() % 255));
      try {
        walk(broken, KeyForm::record);
        BlockIterator iterator(broken, KeyForm::record);
        iterator.seek_ge(numbered(static_cast<int>(random() % 80)));
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::corrupt);
      }
    }
  }
}

TEST(Varint, RejectsMoreThan64Bits) {
  std::uint64_t value;
  const std::string most = *from_hex("ffffffffffffffffff01");
  EXPECT_NE(get_uvarint(most.data(), most.data() + most.size(), value), nullptr);
  EXPECT_EQ(value, ~0ULL);
  const std::string more = *from_hex("ffffffffffffffffff02");
  EXPECT_EQ(get_uvarint(more.data(), more.data() + more.size(), value), nullptr);
}

TEST(Varint, PredictsItsLength) {
  for (unsigned bit = 0; bit < 64; ++bit) {
    for (const std::uint64_t value : {1ULL << bit, (1ULL << bit) - 1}) {
      std::string out;
      append_uvarint(out, value);
      EXPECT_EQ(uvarint_length(value), out.size()) << value;
    }
  }
}

TEST(CommonPrefix, EndsAtTheFirstDifference) {
  const std::string a = "0123456789abcdefghij";
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::string b = a;
    b[i] ^= 1;
    EXPECT_EQ(common_prefix(a, b), i);
    EXPECT_EQ(common_prefix(a, a.substr(0, i)), i);
  }
  EXPECT_EQ(common_prefix(a, a), a.size());
}

TEST(BlockIterator, ChecksThatRestartsAreEntriesInOrder) {
  const std::string block = block_of(40);  // restarts at entries 0, 16 and 32
  BlockIterator(block, KeyForm::record).check_restarts();
  const std::size_t restarts = block.size() - 4 - 3 * 4;
  std::string moved = block;
  ++moved[restarts + 4];
  EXPECT_THROW(BlockIterator(moved, KeyForm::record).check_restarts(), Error);
  std::string swapped = block;
  std::swap_ranges(&swapped[restarts + 4], &swapped[restarts + 8], &swapped[restarts + 8]);
  EXPECT_THROW(BlockIterator(swapped, KeyForm::record).check_restarts(), Error);
  std::string late = block;
  std::copy_n(&block[restarts + 4], 4, &late[restarts]);
  EXPECT_THROW(BlockIterator(late, KeyForm::record).check_restarts(), Error);
}

}  // namespace
}  // namespace tarn::sst
