#include "aws/checksum.h"

#include <algorithm>
#include <utility>

#include "base/bytes.h"
#include "base/format.h"

namespace tarn::aws {

namespace {

constexpr std::string_view kHeaderPrefix = "x-amz-checksum-";

struct Row {
  ChecksumAlgorithm algorithm;
  std::string_view name;
  std::string_view header;
  std::string_view element;
  std::size_t bytes;
};

using enum ChecksumAlgorithm;

constexpr std::array kRows = {
    Row{crc32, "CRC32", "x-amz-checksum-crc32", "ChecksumCRC32", 4},
    Row{crc32c, "CRC32C", "x-amz-checksum-crc32c", "ChecksumCRC32C", 4},
    Row{crc64nvme, "CRC64NVME", "x-amz-checksum-crc64nvme", "ChecksumCRC64NVME", 8},
    Row{sha1, "SHA1", "x-amz-checksum-sha1", "ChecksumSHA1", 20},
    Row{sha256, "SHA256", "x-amz-checksum-sha256", "ChecksumSHA256", 32},
};

static_assert(std::ranges::equal(kRows, kChecksumAlgorithms, {}, &Row::algorithm));

const Row& row_of(ChecksumAlgorithm algorithm) {
  return kRows[static_cast<std::size_t>(algorithm)];
}

std::optional<ChecksumAlgorithm> find_row(std::string_view Row::* column, std::string_view text) {
  for (const Row& row : kRows) {
    if (equal_ignoring_case(row.*column, text)) return row.algorithm;
  }
  return std::nullopt;
}

std::unexpected<S3Error> invalid(std::string message) {
  return std::unexpected(
      S3Error{.code = S3ErrorCode::invalid_request, .message = std::move(message)});
}

std::string to_be(std::uint64_t value, std::size_t bytes) {
  std::string out;
  append_be64(out, value);
  return out.substr(8 - bytes);
}

std::uint64_t from_be(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char c : bytes)
    value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

/// Product of two polynomials modulo `polynomial`, bits reflected: the top bit is x^0.
template <class Word>
Word multiply(Word a, Word b, Word polynomial) {
  Word product = 0;
  for (Word bit = Word{1} << (sizeof(Word) * 8 - 1); bit != 0; bit >>= 1) {
    if ((a & bit) != 0) product ^= b;
    b = (b & 1) != 0 ? (b >> 1) ^ polynomial : b >> 1;
  }
  return product;
}

/// Appending n bytes multiplies the first part's remainder by x^(8n).
template <class Word>
Word combine(Word a, Word b, std::uint64_t b_bytes, Word polynomial) {
  constexpr Word kOne = Word{1} << (sizeof(Word) * 8 - 1);
  Word shift = kOne;
  Word square = kOne >> 8;
  for (; b_bytes != 0; b_bytes >>= 1) {
    if ((b_bytes & 1) != 0) shift = multiply(shift, square, polynomial);
    square = multiply(square, square, polynomial);
  }
  return multiply(shift, a, polynomial) ^ b;
}

/// The one checksum named by `names`, if any.
std::expected<std::optional<ChecksumAlgorithm>, S3Error> only_checksum(
    const std::vector<std::string>& names) {
  std::optional<ChecksumAlgorithm> found;
  for (const std::string& name : names) {
    const auto algorithm = find_checksum_header(name);
    if (!algorithm) return invalid(format("The checksum '{}' is not supported.", name));
    if (found) {
      return invalid(
          "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.");
    }
    found = algorithm;
  }
  return found;
}

/// x-amz-checksum-algorithm and its like speak about checksums without being one.
bool is_checksum_value(std::string_view name) {
  return starts_with_ignoring_case(name, kHeaderPrefix) &&
         !equal_ignoring_case(name, "x-amz-checksum-algorithm") &&
         !equal_ignoring_case(name, "x-amz-checksum-mode") &&
         !equal_ignoring_case(name, "x-amz-checksum-type");
}

std::expected<void, S3Error> check_sdk_algorithm(const SignedRequest& request,
                                                 std::optional<ChecksumAlgorithm> used) {
  const auto named = find_header(request, "x-amz-sdk-checksum-algorithm");
  if (!named || named->empty()) return {};
  const auto algorithm = find_checksum_algorithm(*named);
  if (!algorithm) return invalid(format("The checksum algorithm '{}' is not supported.", *named));
  if (!used) {
    return invalid(
        "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or "
        "x-amz-trailer headers were found.");
  }
  if (*algorithm != *used) {
    return invalid("x-amz-sdk-checksum-algorithm names another algorithm than the checksum sent.");
  }
  return {};
}

}  // namespace

std::string_view to_string(ChecksumAlgorithm algorithm) {
  return row_of(algorithm).name;
}

std::string_view header_name(ChecksumAlgorithm algorithm) {
  return row_of(algorithm).header;
}

std::string_view element_name(ChecksumAlgorithm algorithm) {
  return row_of(algorithm).element;
}

std::size_t digest_bytes(ChecksumAlgorithm algorithm) {
  return row_of(algorithm).bytes;
}

std::optional<ChecksumAlgorithm> find_checksum_algorithm(std::string_view name) {
  return find_row(&Row::name, name);
}

std::optional<ChecksumAlgorithm> find_checksum_header(std::string_view name) {
  return find_row(&Row::header, name);
}

std::string_view to_string(ChecksumType type) {
  return type == ChecksumType::composite ? "COMPOSITE" : "FULL_OBJECT";
}

std::optional<ChecksumType> find_checksum_type(std::string_view name) {
  if (equal_ignoring_case(name, "COMPOSITE")) return ChecksumType::composite;
  if (equal_ignoring_case(name, "FULL_OBJECT")) return ChecksumType::full_object;
  return std::nullopt;
}

ChecksumType default_checksum_type(ChecksumAlgorithm algorithm) {
  return algorithm == crc64nvme ? ChecksumType::full_object : ChecksumType::composite;
}

bool allows(ChecksumAlgorithm algorithm, ChecksumType type) {
  if (type == ChecksumType::composite) return algorithm != crc64nvme;
  return algorithm != sha1 && algorithm != sha256;
}

std::expected<std::string, S3Error> parse_checksum_value(ChecksumAlgorithm algorithm,
                                                         std::string_view base64) {
  // The length first: a hostile value is not worth decoding.
  const std::size_t bytes = digest_bytes(algorithm);
  auto raw = base64.size() == (bytes + 2) / 3 * 4 ? from_base64(base64) : std::nullopt;
  if (!raw || raw->size() != bytes) {
    return invalid(format("Value for {} header is invalid.", header_name(algorithm)));
  }
  return std::move(*raw);
}

std::expected<std::optional<RequestChecksum>, S3Error> parse_request_checksum(
    const SignedRequest& request, const Payload& payload) {
  std::vector<std::string> headers;
  for (const auto& [name, value] : request.headers) {
    if (is_checksum_value(name)) headers.push_back(to_lower(name));
  }
  const auto in_header = only_checksum(headers);
  if (!in_header) return std::unexpected(in_header.error());
  const auto in_trailer = only_checksum(payload.trailers);
  if (!in_trailer) return std::unexpected(in_trailer.error());
  if (*in_header && *in_trailer) {
    return invalid("Expecting a single x-amz-checksum- header or trailer, not both.");
  }
  const auto used = *in_header ? *in_header : *in_trailer;
  if (auto ok = check_sdk_algorithm(request, used); !ok) return std::unexpected(ok.error());
  if (!used) return std::nullopt;
  RequestChecksum checksum{.algorithm = *used, .expected = {}};
  if (*in_header) {
    auto value = parse_checksum_value(*used, *find_header(request, header_name(*used)));
    if (!value) return std::unexpected(std::move(value.error()));
    checksum.expected = std::move(*value);
  }
  return checksum;
}

std::expected<std::string, S3Error> find_trailer_checksum(
    ChecksumAlgorithm algorithm, const std::vector<std::pair<std::string, std::string>>& trailers) {
  for (const auto& [name, value] : trailers) {
    if (name == header_name(algorithm)) return parse_checksum_value(algorithm, value);
  }
  return std::unexpected(S3Error{.code = S3ErrorCode::malformed_trailer});
}

S3Error checksum_mismatch(ChecksumAlgorithm algorithm, std::string_view expected,
                          std::string_view computed) {
  return {.code = S3ErrorCode::bad_digest,
          .message = format("The {} you specified did not match the calculated checksum.",
                            to_string(algorithm)),
          .details = {{"ExpectedDigest", to_base64(expected)},
                      {"CalculatedDigest", to_base64(computed)}}};
}

std::expected<std::string, S3Error> parse_content_md5(std::string_view base64) {
  auto raw = base64.size() == 24 ? from_base64(base64) : std::nullopt;
  if (!raw || raw->size() != 16) {
    return std::unexpected(
        S3Error{.code = S3ErrorCode::invalid_digest,
                .details = {{"Content-MD5", std::string(base64.substr(0, 256))}}});
  }
  return std::move(*raw);
}

RunningChecksum::RunningChecksum(ChecksumAlgorithm algorithm) : algorithm_(algorithm) {
  if (algorithm == ChecksumAlgorithm::sha1) hasher_.emplace(Hasher::Kind::sha1);
  if (algorithm == ChecksumAlgorithm::sha256) hasher_.emplace(Hasher::Kind::sha256);
}

void RunningChecksum::update(std::string_view bytes) {
  switch (algorithm_) {
    case crc32: crc_ = tarn::crc32(static_cast<std::uint32_t>(crc_), bytes); return;
    case crc32c: crc_ = tarn::crc32c(static_cast<std::uint32_t>(crc_), bytes); return;
    case crc64nvme: crc_ = crc64_nvme(crc_, bytes); return;
    case sha1:
    case sha256: hasher_->update(bytes); return;
  }
  std::unreachable();
}

std::string RunningChecksum::finish() {
  if (hasher_) return hasher_->finish();
  return to_be(std::exchange(crc_, 0), digest_bytes(algorithm_));
}

std::string checksum_of(ChecksumAlgorithm algorithm, std::string_view bytes) {
  RunningChecksum checksum(algorithm);
  checksum.update(bytes);
  return checksum.finish();
}

std::string composite_checksum(ChecksumAlgorithm algorithm, std::span<const std::string> parts) {
  RunningChecksum checksum(algorithm);
  for (const std::string& part : parts)
    checksum.update(part);
  return checksum.finish();
}

std::string combine_checksums(ChecksumAlgorithm algorithm, std::string_view a, std::string_view b,
                              std::uint64_t b_bytes) {
  TARN_ASSERT(allows(algorithm, ChecksumType::full_object));
  TARN_ASSERT(a.size() == digest_bytes(algorithm) && b.size() == a.size());
  if (algorithm == crc64nvme) {
    return to_be(combine<std::uint64_t>(from_be(a), from_be(b), b_bytes, 0x9a6c9329ac4bc9b5), 8);
  }
  const std::uint32_t polynomial = algorithm == ChecksumAlgorithm::crc32 ? 0xedb88320 : 0x82f63b78;
  return to_be(combine<std::uint32_t>(static_cast<std::uint32_t>(from_be(a)),
                                      static_cast<std::uint32_t>(from_be(b)), b_bytes, polynomial),
               4);
}

}  // namespace tarn::aws
