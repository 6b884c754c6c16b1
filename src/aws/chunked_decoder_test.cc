#include "aws/chunked_decoder.h"

#include <gtest/gtest.h>

#include "aws/test_requests.h"
#include "base/bytes.h"
#include "base/format.h"

namespace tarn::aws {
namespace {

using namespace testing;

constexpr std::string_view kHello = "hello tarn\n";
constexpr std::string_view kCrc = "x-amz-checksum-crc32:Mgkyuw==";

ChunkSigning signing(const Credentials& who, std::string_view amz_date, std::string seed) {
  const std::string scope = std::string(amz_date.substr(0, 8)) + "/us-east-1/s3/aws4_request";
  return {.key = std::make_shared<const SigningKey>(who.secret_key, scope),
          .amz_date = std::string(amz_date),
          .scope = scope,
          .seed = std::move(seed)};
}

ChunkSigning tarn_signing() {
  return signing(kTarnExample, "20260115T120000Z",
                 "50fd9702daf5d30a6309134895eac5dd484864a227432db0f109ee48e0b1bf1b");
}

std::string chunk(std::string_view data, std::string_view signature) {
  return format("{:x};chunk-signature={}\r\n{}{}", data.size(), signature, data,
                data.empty() ? "" : "\r\n");
}

/// The signed-trailer body of the published vector, byte for byte as botocore writes it.
std::string signed_hello(std::string_view trailer_end = "\r\n") {
  return chunk(kHello, "f9b5650c8cda7180d067917a5278d15ce5b18dd048117a268d6fa686bbfba551") +
         chunk("", "d39b8b6f539a31c0253a006cef67aa970e4b703212a95b9c5bcd65c0bf1bd281") +
         std::string(kCrc) + std::string(trailer_end) +
         "x-amz-trailer-signature:"
         "d1c77a8e1613761c66097cf54a0bacd2ba623b448cf726bb329e88655c1ed60e\r\n\r\n";
}

Payload payload(PayloadMode mode, std::optional<std::uint64_t> length,
                std::vector<std::string> trailers = {}) {
  return {
      .mode = mode, .sha256_hex = {}, .decoded_length = length, .trailers = std::move(trailers)};
}

const std::vector<std::string> kCrcName = {"x-amz-checksum-crc32"};

Payload signed_payload() {
  return payload(PayloadMode::streaming_signed_trailer, kHello.size(), kCrcName);
}

Payload unsigned_payload(std::vector<std::string> trailers = kCrcName,
                         std::optional<std::uint64_t> length = kHello.size()) {
  return payload(PayloadMode::streaming_unsigned_trailer, length, std::move(trailers));
}

std::string decode(ChunkedDecoder& decoder, std::initializer_list<std::string_view> inputs) {
  std::string out;
  for (std::string_view input : inputs) {
    for (std::string_view piece = decoder.next(input); !piece.empty();
         piece = decoder.next(input)) {
      out.append(piece);
    }
    EXPECT_TRUE(input.empty());
  }
  decoder.finish();
  return out;
}

/// "OK:" and the data, or the code the body is refused with.
std::string outcome(const Payload& how, const std::optional<ChunkSigning>& who,
                    std::string_view body) {
  ChunkedDecoder decoder(how, who);
  try {
    return "OK:" + decode(decoder, {body});
  } catch (const S3Failure& failure) {
    return std::string(to_string(failure.error().code));
  }
}

std::string unsigned_outcome(std::string_view body, const Payload& how = unsigned_payload()) {
  return outcome(how, std::nullopt, body);
}

TEST(ChunkedDecoder, AcceptsThePublishedSignedChunks) {
  const std::string data(66'560, 'a');
  const std::string body =
      chunk(std::string_view(data).substr(0, 65'536),
            "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648") +
      chunk(std::string_view(data).substr(65'536),
            "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497") +
      chunk("", "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9") + "\r\n";
  ASSERT_EQ(body.size(), 66'824U);
  const auto who = signing(kAwsExample, "20130524T000000Z",
                           "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9");
  EXPECT_EQ(outcome(payload(PayloadMode::streaming_signed, data.size()), who, body), "OK:" + data);
}

TEST(ChunkedDecoder, AcceptsThePublishedSignedTrailer) {
  const std::string data(66'560, 'a');
  const std::string body =
      chunk(std::string_view(data).substr(0, 65'536),
            "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2") +
      chunk(std::string_view(data).substr(65'536),
            "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7") +
      chunk("", "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992") +
      "x-amz-checksum-crc32c:sOO8/Q==\r\n"
      "x-amz-trailer-signature:"
      "d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n";
  ASSERT_EQ(body.size(), 66'946U);
  const auto who = signing(kAwsExample, "20130524T000000Z",
                           "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e");
  ChunkedDecoder decoder(
      payload(PayloadMode::streaming_signed_trailer, data.size(), {"x-amz-checksum-crc32c"}), who);
  EXPECT_EQ(decode(decoder, {body}), data);
  ASSERT_EQ(decoder.trailers().size(), 1U);
  EXPECT_EQ(decoder.trailers()[0].second, "sOO8/Q==");
}

TEST(ChunkedDecoder, AcceptsTheBotoSignedTrailer) {
  const std::string body = signed_hello();
  EXPECT_EQ(body.size(), 304U);
  EXPECT_EQ(to_hex(sha256(body)),
            "189d6df3c5b381773fb82a38ab9ce5b45cbb93e25ca0aa2c25d2e7b2078d48a6");
  EXPECT_EQ(outcome(signed_payload(), tarn_signing(), body), "OK:hello tarn\n");
}

TEST(ChunkedDecoder, DecodesAcrossEveryPairOfCuts) {
  const std::string body = signed_hello();
  for (std::size_t first = 0; first <= body.size(); ++first) {
    for (std::size_t second = first; second <= body.size(); second += 7) {
      ChunkedDecoder decoder(signed_payload(), tarn_signing());
      const std::string_view view = body;
      EXPECT_EQ(decode(decoder, {view.substr(0, first), view.substr(first, second - first),
                                 view.substr(second)}),
                kHello);
    }
  }
}

TEST(ChunkedDecoder, DecodesByteByByte) {
  for (const bool is_signed : {true, false}) {
    const std::string body =
        is_signed ? signed_hello() : format("b\r\n{}\r\n0\r\n{}\r\n\r\n", kHello, kCrc);
    ChunkedDecoder decoder(is_signed ? signed_payload() : unsigned_payload(),
                           is_signed ? std::optional(tarn_signing()) : std::nullopt);
    std::string out;
    for (const char& c : body) {
      std::string_view input(&c, 1);
      out.append(decoder.next(input));
      EXPECT_TRUE(decoder.next(input).empty());
    }
    decoder.finish();
    EXPECT_EQ(out, kHello);
    EXPECT_EQ(decoder.decoded_bytes(), kHello.size());
    EXPECT_EQ(decoder.trailers().at(0).second, "Mgkyuw==");
  }
}

TEST(ChunkedDecoder, NeverCopiesData) {
  const std::string body = format("b\r\n{}\r\n0\r\n{}\r\n\r\n", kHello, kCrc);
  ChunkedDecoder decoder(unsigned_payload(), std::nullopt);
  std::string_view input = body;
  EXPECT_EQ(decoder.next(input).data(), body.data() + 3);
}

TEST(ChunkedDecoder, RefusesEveryTruncationOfASignedBody) {
  const std::string body = signed_hello();
  // The last CRLF says nothing that the signature before it has not said.
  for (std::size_t size = 0; size + 2 < body.size(); ++size) {
    EXPECT_EQ(outcome(signed_payload(), tarn_signing(), body.substr(0, size)), "IncompleteBody")
        << size;
  }
}

TEST(ChunkedDecoder, RefusesEveryFlippedByteOfASignedBody) {
  const std::string body = signed_hello();
  for (std::size_t i = 0; i + 4 < body.size(); ++i) {
    std::string changed = body;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    const std::string result = outcome(signed_payload(), tarn_signing(), changed);
    EXPECT_FALSE(result.starts_with("OK")) << i << " " << result;
  }
}

TEST(ChunkedDecoder, RefusesReorderedAndReplayedChunks) {
  const std::string data(66'560, 'a');
  const auto who = signing(kAwsExample, "20130524T000000Z",
                           "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9");
  const std::string first =
      chunk(std::string_view(data).substr(0, 65'536),
            "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648");
  const std::string second =
      chunk(std::string_view(data).substr(65'536),
            "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497");
  const Payload how = payload(PayloadMode::streaming_signed, 200'000);
  EXPECT_EQ(outcome(how, who, second + first), "SignatureDoesNotMatch");
  EXPECT_EQ(outcome(how, who, first + first), "SignatureDoesNotMatch");
}

TEST(ChunkedDecoder, WithholdsThePieceThatEndsABadChunk) {
  std::string body = signed_hello();
  body[body.find("hello")] = 'j';
  ChunkedDecoder decoder(signed_payload(), tarn_signing());
  std::string_view input = body;
  EXPECT_THROW(decoder.next(input), S3Failure);
}

TEST(ChunkedDecoder, AcceptsMinioLineEndsInASignedTrailer) {
  EXPECT_EQ(outcome(signed_payload(), tarn_signing(), signed_hello("\n\r\n")), "OK:hello tarn\n");
}

TEST(ChunkedDecoder, DemandsTheTrailerSignature) {
  std::string body = signed_hello();
  body.resize(body.find("x-amz-trailer-signature"));
  EXPECT_EQ(outcome(signed_payload(), tarn_signing(), body), "IncompleteBody");
  EXPECT_EQ(outcome(signed_payload(), tarn_signing(), body + "\r\n"), "IncompleteBody");
  EXPECT_EQ(outcome(signed_payload(), tarn_signing(), body + "x-amz-trailer-signature:00\r\n\r\n"),
            "SignatureDoesNotMatch");
}

TEST(ChunkedDecoder, ToleratesEveryKnownFramingOfAnUnsignedTrailer) {
  const std::string data = "b\r\nhello tarn\n\r\n";
  for (const std::string_view end :
       {"0\r\nx-amz-checksum-crc32:Mgkyuw==\r\n\r\n",
        "0\r\n\r\nx-amz-checksum-crc32:Mgkyuw==\r\n\r\n", "0\r\nx-amz-checksum-crc32:Mgkyuw==\r\n",
        "0\r\nx-amz-checksum-crc32:Mgkyuw==\n", "0\r\nx-amz-checksum-crc32:Mgkyuw==\n\r\n",
        "0\r\nx-amz-checksum-crc32:Mgkyuw==\n\r\n\r\n",
        "0\r\nX-Amz-Checksum-CRC32: \t Mgkyuw== \r\n\r\n",
        "0\r\nx-amz-checksum-crc32:Mgkyuw==\r\n\r\nwhat follows is ignored",
        "000\r\nx-amz-checksum-crc32:Mgkyuw==\r\n\r\n"}) {
    EXPECT_EQ(unsigned_outcome(data + std::string(end)), "OK:hello tarn\n") << end;
  }
  EXPECT_EQ(unsigned_outcome("B\r\nhello tarn\n\r\n0\r\nx-amz-checksum-crc32:Mgkyuw==\r\n\r\n"),
            "OK:hello tarn\n");
  EXPECT_EQ(
      unsigned_outcome("0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n", unsigned_payload(kCrcName, 0)),
      "OK:");
}

TEST(ChunkedDecoder, KeepsTheWholeTailOfABodyThatEndsInOneCrlf) {
  const std::string data(300'000, 'x');
  const std::string body = format("{:x}\r\n{}\r\n0\r\n{}\r\n", data.size(), data, kCrc);
  EXPECT_EQ(unsigned_outcome(body, unsigned_payload(kCrcName, data.size())), "OK:" + data);
}

TEST(ChunkedDecoder, AcceptsABodyWithoutDeclaredTrailers) {
  for (const std::string_view end : {"0\r\n", "0\r\n\r\n", "0\r\n\r\n\r\n"}) {
    EXPECT_EQ(unsigned_outcome("b\r\nhello tarn\n\r\n" + std::string(end), unsigned_payload({})),
              "OK:hello tarn\n");
  }
}

TEST(ChunkedDecoder, RefusesBadFramingByItsOwnCode) {
  const std::string good = "b\r\nhello tarn\n\r\n";
  const std::string trailer = "x-amz-checksum-crc32:Mgkyuw==\r\n\r\n";
  const std::vector<std::pair<std::string, std::string>> table = {
      {"", "IncompleteBody"},
      {"b", "IncompleteBody"},
      {"b\r\nhello", "IncompleteBody"},
      {good, "IncompleteBody"},
      {good + "0", "IncompleteBody"},
      {good + "0\r", "IncompleteBody"},
      {good + "0\r\n", "MalformedTrailerError"},
      {good + "0\r\n\r\n", "MalformedTrailerError"},
      {good + "0\r\nx-amz-checksum-crc32:Mgk", "IncompleteBody"},
      {good + "0\r\nx-amz-checksum-crc32\r\n\r\n", "MalformedTrailerError"},
      {good + "0\r\nx-amz-checksum-sha1:Mgkyuw==\r\n\r\n", "MalformedTrailerError"},
      {good + "0\r\nx-amz-checksum-crc32:a\r\nx-amz-checksum-crc32:a\r\n\r\n",
       "MalformedTrailerError"},
      {good + "0\r\nx-amz-checksum-crc32:a\r\nx-other:b\r\n\r\n", "MalformedTrailerError"},
      {"b\nhello tarn\n\r\n0\r\n" + trailer, "IncompleteBody"},
      {"b\r\nhello tarn\n0\r\n" + trailer, "IncompleteBody"},
      {"b\r\nhello tarn\n\n0\r\n" + trailer, "IncompleteBody"},
      {"a\r\nhello tarn\n\r\n0\r\n" + trailer, "IncompleteBody"},
      {"c\r\nhello tarn\n\r\n0\r\n" + trailer, "IncompleteBody"},
      {"5\r\nhello\r\n0\r\n" + trailer, "IncompleteBody"},
      {good + "1\r\n!\r\n0\r\n" + trailer, "IncompleteBody"},
      {"0\r\n" + trailer, "IncompleteBody"},
      {"-b\r\n", "IncompleteBody"},
      {"+b\r\n", "IncompleteBody"},
      {" b\r\n", "IncompleteBody"},
      {"0xb\r\n", "IncompleteBody"},
      {"\r\n", "IncompleteBody"},
      {"g\r\n", "IncompleteBody"},
      {"ffffffffffffffff\r\n", "IncompleteBody"},
      {"fffffffffffffffffffffffffffffff\r\n", "IncompleteBody"},
      {std::string(200, '0') + "b\r\n", "IncompleteBody"},
      {std::string(100'000, 'a'), "IncompleteBody"},
      {good + "0\r\n" + std::string(9'000, '\n'), "IncompleteBody"},
      {good + "0\r\nx:" + std::string(100'000, 'a'), "IncompleteBody"},
  };
  for (const auto& [body, code] : table)
    EXPECT_EQ(unsigned_outcome(body), code) << body.substr(0, 60);
  EXPECT_EQ(unsigned_outcome(good + "0\r\n" + trailer, unsigned_payload({})),
            "MalformedTrailerError");
}

TEST(ChunkedDecoder, BoundsChunkSizesEvenWhenTheLengthIsUnknown) {
  EXPECT_EQ(unsigned_outcome("10000000001\r\n", unsigned_payload({}, std::nullopt)),
            "IncompleteBody");
  EXPECT_EQ(unsigned_outcome("10000000000\r\nx", unsigned_payload({}, std::nullopt)),
            "IncompleteBody");
  EXPECT_EQ(unsigned_outcome("1\r\nx\r\n1\r\ny\r\n0\r\n\r\n", unsigned_payload({}, std::nullopt)),
            "OK:xy");
}

TEST(ChunkedDecoder, RefusesUnsignedChunksInASignedBody) {
  const Payload how = payload(PayloadMode::streaming_signed, kHello.size());
  EXPECT_EQ(outcome(how, tarn_signing(), "b\r\nhello tarn\n\r\n0\r\n\r\n"), "IncompleteBody");
  EXPECT_EQ(outcome(how, tarn_signing(), "b;chunk-signature=\r\nhello tarn\n\r\n"),
            "IncompleteBody");
  EXPECT_EQ(outcome(how, tarn_signing(),
                    "b;chunk-signature=" + std::string(64, '0') + "\r\nhello tarn\n\r\n"),
            "SignatureDoesNotMatch");
}

}  // namespace
}  // namespace tarn::aws
