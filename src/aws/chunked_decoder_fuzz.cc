#include "aws/chunked_decoder.h"
#include "aws/test_requests.h"
#include "base/error.h"
#include "base/format.h"
#include "testing/fuzz.h"

namespace tarn::fuzz {

namespace {

struct Outcome {
  std::string data;
  std::vector<std::pair<std::string, std::string>> trailers;
  std::optional<aws::S3ErrorCode> refused;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

/// Of the published example with a trailer, whose chunks are in the corpus.
aws::ChunkSigning signing() {
  static const auto kKey = std::make_shared<const aws::SigningKey>(
      aws::testing::kTarnExample.secret_key, "20260115/us-east-1/s3/aws4_request");
  return {.key = kKey,
          .amz_date = "20260115T120000Z",
          .scope = "20260115/us-east-1/s3/aws4_request",
          .seed = "50fd9702daf5d30a6309134895eac5dd484864a227432db0f109ee48e0b1bf1b"};
}

Outcome decode(const aws::Payload& payload, std::string_view body, std::size_t step) {
  aws::ChunkedDecoder decoder(payload, payload.mode == aws::PayloadMode::streaming_unsigned_trailer
                                           ? std::nullopt
                                           : std::optional(signing()));
  Outcome out;
  try {
    in_pieces(body, step, [&](std::string_view input) {
      for (std::string_view piece = decoder.next(input); !piece.empty();
           piece = decoder.next(input)) {
        out.data += piece;
      }
      TARN_ASSERT(input.empty());
      return true;
    });
    decoder.finish();
    out.trailers = decoder.trailers();
    TARN_ASSERT(decoder.decoded_bytes() == out.data.size());
  } catch (const aws::S3Failure& failure) {
    TARN_ASSERT(aws::http_status(failure.error().code) < 500);
    return {.data = {}, .trailers = {}, .refused = failure.error().code};
  }
  return out;
}

void check_encoding(std::string_view data, std::size_t step) {
  std::string body;
  in_pieces(data, step, [&](std::string_view piece) {
    append_format(body, "{:x}\r\n{}\r\n", piece.size(), piece);
    return true;
  });
  body += "0\r\n\r\n";
  const aws::Payload payload{.mode = aws::PayloadMode::streaming_unsigned_trailer,
                             .sha256_hex = {},
                             .decoded_length = data.size(),
                             .trailers = {}};
  TARN_ASSERT(decode(payload, body, 1 + step / 2) ==
              (Outcome{.data = std::string(data), .trailers = {}, .refused = {}}));
}

}  // namespace

void run(std::string_view input) {
  const std::size_t step = 1 + take_byte(input);
  const std::uint8_t form = take_byte(input);
  constexpr aws::PayloadMode kModes[] = {aws::PayloadMode::streaming_unsigned_trailer,
                                         aws::PayloadMode::streaming_signed,
                                         aws::PayloadMode::streaming_signed_trailer};
  const aws::Payload payload{.mode = kModes[form % 3],
                             .sha256_hex = {},
                             .decoded_length = form / 3 % 32,
                             .trailers = form / 96 == 0
                                             ? std::vector<std::string>{}
                                             : std::vector<std::string>{"x-amz-checksum-crc32"}};
  const Outcome whole = decode(payload, input, input.size());
  TARN_ASSERT(decode(payload, input, step) == whole);
  TARN_ASSERT(whole.refused || whole.data.size() == payload.decoded_length);
  check_encoding(input, step);
}

}  // namespace tarn::fuzz
