#include "sst/snappy.h"

#include <random>

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/error.h"
#include "sst/varint.h"

namespace tarn::sst {
namespace {

std::string encode(std::string_view raw) {
  return std::string(SnappyEncoder().encode(raw));
}

std::string decode(std::string_view compressed, std::size_t raw_bytes_max = 1 << 20) {
  std::string raw = "stale";
  snappy_decode(compressed, raw_bytes_max, raw);
  return raw;
}

std::string random_bytes(std::size_t size, std::uint64_t seed = 7) {
  std::mt19937_64 random(seed);
  std::string out(size, '\0');
  for (char& c : out)
    c = static_cast<char>(random());
  return out;
}

/// A literal with its length header.
std::string literal(std::string_view bytes) {
  const std::size_t n = bytes.size() - 1;
  std::string out;
  if (n < 60) {
    out = {static_cast<char>(n << 2)};
  } else if (n < 256) {
    out = {'\xf0', static_cast<char>(n)};
  } else {
    out = {'\xf4', static_cast<char>(n), static_cast<char>(n >> 8)};
  }
  return out + std::string(bytes);
}

std::string length_header(std::size_t size) {
  std::string out;
  append_uvarint(out, size);
  return out;
}

TEST(SnappyEncoder, WritesShortAndIncompressibleInputAsOneLiteral) {
  EXPECT_EQ(to_hex(encode("")), "00");
  EXPECT_EQ(encode(std::string(16, 'a')), length_header(16) + literal(std::string(16, 'a')));
  for (const std::size_t size : {59U, 60U, 61U, 255U, 256U, 257U, 1'000U}) {
    const std::string raw = random_bytes(size);
    EXPECT_EQ(encode(raw), length_header(size) + literal(raw)) << size;
  }
}

TEST(SnappyEncoder, SplitsLongCopiesAsTheReferenceDoes) {
  // One byte, then a copy of the rest at offset 1.
  const auto copy_of = [](std::size_t length) {
    const std::string raw(1 + length, 'a');
    const std::string header = length_header(raw.size()) + literal("a");
    const std::string out = encode(raw);
    EXPECT_TRUE(out.starts_with(header));
    return to_hex(out.substr(header.size()));
  };
  EXPECT_EQ(copy_of(64), "fe0100");
  EXPECT_EQ(copy_of(65),
            "ee0100"
            "0501");  // 60, then 5
  EXPECT_EQ(copy_of(67),
            "ee0100"
            "0d01");  // 60, then 7
  EXPECT_EQ(copy_of(68),
            "fe0100"
            "0101");  // 64, then 4
  EXPECT_EQ(copy_of(75),
            "fe0100"
            "1d01");  // 64, then 11
  EXPECT_EQ(copy_of(76),
            "fe0100"
            "2e0100");  // 64, then 12
  EXPECT_EQ(copy_of(132),
            "fe0100"
            "fe0100"
            "0101");
}

TEST(SnappyEncoder, ChoosesTheCopyFormByOffsetAndLength) {
  // The search steps over random bytes with growing steps: align the repeat so that it is found.
  for (const std::size_t offset : {2'047U, 2'048U}) {
    const std::string head = random_bytes(8);
    bool seen = false;
    for (std::size_t shift = 0; shift < 64 && !seen; ++shift) {
      const std::string filler(offset - head.size(), 'z');
      const std::string raw = random_bytes(shift, 9) + head + filler + head + random_bytes(20, 11);
      const std::string out = encode(raw);
      ASSERT_EQ(decode(out), raw);
      const std::string near = {static_cast<char>(offset >> 8 << 5 | 4 << 2 | 1),
                                static_cast<char>(offset)};
      const std::string far = {static_cast<char>(7 << 2 | 2), static_cast<char>(offset),
                               static_cast<char>(offset >> 8)};
      const bool has_near = out.find(near) != std::string::npos;
      const bool has_far = out.find(far) != std::string::npos;
      if (!has_near && !has_far) continue;
      seen = true;
      EXPECT_EQ(has_far, offset == 2'048) << shift;
    }
    EXPECT_TRUE(seen) << offset;
  }
}

TEST(SnappyEncoder, StartsEveryChunkOf64KiBAfresh) {
  const std::string raw(65'536 + 20, 'q');
  const std::string out = encode(raw);
  EXPECT_EQ(decode(out), raw);
  // The second chunk: a literal byte, then a copy of 19.
  EXPECT_TRUE(out.ends_with(literal("q") + *from_hex("4a0100")))
      << to_hex(out.substr(out.size() - 8));
}

TEST(SnappyEncoder, RoundTripsThroughTheIndependentDecoder) {
  std::mt19937_64 random(1);
  SnappyEncoder encoder;
  for (int round = 0; round < 400; ++round) {
    std::string raw;
    const std::size_t size = random() % (round % 10 == 0 ? 200'000 : 6'000);
    while (raw.size() < size) {
      if (raw.size() > 8 && random() % 2 == 0) {
        const std::size_t from = random() % raw.size();
        raw += raw.substr(from, random() % 120);
      } else {
        raw += random_bytes(random() % 40, random());
      }
    }
    ASSERT_EQ(decode(encoder.encode(raw)), raw) << round;
  }
}

TEST(SnappyDecode, RefusesClaimsOverTheLimitOrBeyondReason) {
  const std::string compressed = encode(std::string(1'000, 'a'));
  EXPECT_EQ(decode(compressed, 1'000).size(), 1'000U);
  EXPECT_THROW(decode(compressed, 999), Error);
  EXPECT_THROW(decode(length_header(1 << 19) + "abc"), Error);
  EXPECT_THROW(decode(""), Error);
  EXPECT_THROW(decode(compressed.substr(0, compressed.size() - 1)), Error);
}

}  // namespace
}  // namespace tarn::sst
