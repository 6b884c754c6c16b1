#include "http/body_framing.h"

#include <array>
#include <random>
#include <string>

#include <gtest/gtest.h>

#include "base/format.h"

namespace tarn::http {
namespace {

struct Decoded {
  std::string body;
  std::string rest;  // beyond the end of the body
  bool done = false;
  bool refused = false;

  friend bool operator==(const Decoded&, const Decoded&) = default;
};

/// Feeds `bytes` in pieces of `step`.
Decoded decode(BodyFraming framing, std::string_view bytes, std::size_t step) {
  Decoded out;
  while (!bytes.empty() && !framing.done()) {
    std::string_view raw = bytes.substr(0, step);
    const std::size_t offered = raw.size();
    while (!raw.empty() && !framing.done()) {
      const auto piece = framing.next(raw);
      if (!piece) {
        out.refused = true;
        return out;
      }
      out.body += *piece;
    }
    bytes.remove_prefix(offered - raw.size());
  }
  out.rest = bytes;
  out.done = framing.done();
  return out;
}

TEST(ChunkedBody, DecodesAlikeHoweverTheBytesArrive) {
  const std::string bytes =
      "5\r\nhello\r\nA;ext=\"q\"\r\n0123456789\r\n001 ;x\r\n!\r\n0\r\nT: v\r\nU: w\r\n\r\nGET /";
  const Decoded whole = decode(BodyFraming::chunked(), bytes, bytes.size());
  EXPECT_EQ(whole.body, "hello0123456789!");
  EXPECT_EQ(whole.rest, "GET /");
  EXPECT_TRUE(whole.done);
  for (std::size_t step = 1; step < bytes.size(); ++step)
    EXPECT_EQ(decode(BodyFraming::chunked(), bytes, step), whole) << step;
}

TEST(ChunkedBody, RefusesBrokenFraming) {
  for (const std::string_view bytes :
       {"\r\n", "g\r\n", "-1\r\n", "0x5\r\nhello\r\n", "5\nhello\r\n", "5\r\rhello",
        "5\r\nhello0\r\n", "5\r\nhello\n0\r\n\r\n", "5\r\nhello\r0\r\n\r\n", " 5\r\nhello\r\n",
        "+5\r\n", ";\r\n", "1000000000000000\r\n", "5;a\nhello", "0\r\nT: v\n\r\n", "0\r\n\n",
        "0\r\n\rX"}) {
    EXPECT_TRUE(decode(BodyFraming::chunked(), bytes, 3).refused) << bytes;
  }
}

TEST(ChunkedBody, BoundsExtensionsAndTrailers) {
  const std::string junk(ChunkedDecoder::kOverheadMax + 1, 'x');
  EXPECT_TRUE(decode(BodyFraming::chunked(), "5;" + junk + "\r\nhello", 4'096).refused);
  EXPECT_TRUE(decode(BodyFraming::chunked(), "0\r\nT: " + junk + "\r\n\r\n", 4'096).refused);
}

TEST(ChunkedBody, IsNotDoneBeforeItsLastLine) {
  const std::string bytes = "1\r\nx\r\n0\r\n\r\n";
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_FALSE(decode(BodyFraming::chunked(), bytes.substr(0, size), 100).done) << size;
}

TEST(SizedBody, LeavesWhatFollows) {
  EXPECT_EQ(decode(BodyFraming::length(5), "helloGET /", 3),
            (Decoded{.body = "hello", .rest = "GET /", .done = true}));
  EXPECT_EQ(decode(BodyFraming(), "GET /", 3), (Decoded{.rest = "GET /", .done = true}));
  EXPECT_FALSE(decode(BodyFraming::length(5), "hell", 3).done);
}

TEST(ChunkedBody, ReturnsWhatAnEncoderPutIn) {
  std::mt19937 random(7);
  for (int round = 0; round < 300; ++round) {
    std::string body;
    std::string bytes;
    for (std::size_t chunks = random() % 6; chunks > 0; --chunks) {
      std::string chunk(1 + random() % 300, '\0');
      for (char& c : chunk)
        c = static_cast<char>(random());
      body += chunk;
      append_format(bytes, "{:X}\r\n{}\r\n", chunk.size(), chunk);
    }
    bytes += "0\r\n\r\nnext";
    const Decoded out = decode(BodyFraming::chunked(), bytes, 1 + random() % 64);
    EXPECT_EQ(out, (Decoded{.body = body, .rest = "next", .done = true}));
  }
}

TEST(ChunkedBody, SurvivesGarbage) {
  std::mt19937 random(8);
  constexpr std::string_view kBits = "0123aF;\r\n\r\n x";
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes;
    for (std::size_t size = random() % 40; size > 0; --size)
      bytes += kBits[random() % kBits.size()];
    const Decoded out = decode(BodyFraming::chunked(), bytes, 1 + random() % 8);
    EXPECT_LE(out.body.size() + out.rest.size(), bytes.size());
  }
}

}  // namespace
}  // namespace tarn::http
