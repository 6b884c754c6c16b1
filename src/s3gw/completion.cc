#include "s3gw/completion.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/format.h"
#include "base/hash.h"

namespace tarn::s3gw {

namespace {

using aws::ChecksumAlgorithm;
using aws::S3Error;
using aws::S3ErrorCode;

S3Error part_error(S3ErrorCode code, const catalog::MultipartUpload& upload,
                   const aws::CompletedPart& part) {
  return {.code = code,
          .details = {{"UploadId", upload.id},
                      {"PartNumber", std::to_string(part.number)},
                      {"ETag", part.etag}}};
}

bool is_same(const aws::CompletedPart& listed, const catalog::UploadedPart& stored,
             std::optional<ChecksumAlgorithm> algorithm) {
  if (listed.etag != stored.info.etag) return false;
  for (const auto& [named, value] : listed.checksums) {
    if (named == algorithm && !stored.checksum.empty() && value != stored.checksum) return false;
  }
  return true;
}

std::string final_checksum(const catalog::MultipartUpload& upload, ChecksumAlgorithm algorithm,
                           const std::vector<const catalog::UploadedPart*>& parts) {
  const bool known =
      std::ranges::none_of(parts, [](const auto* part) { return part->checksum.empty(); });
  if (!known) return {};
  const auto type = aws::find_checksum_type(upload.checksum_type);
  if (type.value_or(aws::default_checksum_type(algorithm)) == aws::ChecksumType::full_object) {
    std::string sum = parts.front()->checksum;
    for (std::size_t i = 1; i < parts.size(); ++i) {
      sum = aws::combine_checksums(algorithm, sum, parts[i]->checksum, parts[i]->info.size);
    }
    return to_base64(sum);
  }
  std::vector<std::string> sums;
  for (const auto* part : parts)
    sums.push_back(part->checksum);
  return format("{}-{}", to_base64(aws::composite_checksum(algorithm, sums)), sums.size());
}

}  // namespace

std::expected<Completion, S3Error> check_parts(const catalog::MultipartUpload& upload,
                                               const std::vector<aws::CompletedPart>& listed,
                                               const std::vector<catalog::UploadedPart>& stored,
                                               std::uint64_t part_bytes_min) {
  const auto algorithm = aws::find_checksum_algorithm(upload.checksum_algorithm);
  Completion out;
  std::vector<const catalog::UploadedPart*> chosen;
  for (const aws::CompletedPart& part : listed) {
    const auto found = std::ranges::lower_bound(stored, part.number, {},
                                                [](const auto& one) { return one.info.number; });
    if (found == stored.end() || found->info.number != part.number ||
        !is_same(part, *found, algorithm)) {
      return std::unexpected(part_error(S3ErrorCode::invalid_part, upload, part));
    }
    if (found->info.size < part_bytes_min && &part != &listed.back()) {
      S3Error error = part_error(S3ErrorCode::entity_too_small, upload, part);
      error.details.emplace_back("ProposedSize", std::to_string(found->info.size));
      error.details.emplace_back("MinSizeAllowed", std::to_string(part_bytes_min));
      return std::unexpected(std::move(error));
    }
    out.parts.push_back({.number = part.number, .etag = found->info.etag});
    out.size += found->info.size;
    chosen.push_back(&*found);
  }
  if (algorithm && !chosen.empty()) out.checksum = final_checksum(upload, *algorithm, chosen);
  return out;
}

std::string joined_etag(const std::vector<aws::CompletedPart>& listed) {
  Hasher hasher(Hasher::Kind::md5);
  for (const aws::CompletedPart& part : listed) {
    const auto bytes = from_hex(part.etag);
    if (!bytes || bytes->size() != 16) return {};
    hasher.update(*bytes);
  }
  return format("{}-{}", to_hex(hasher.finish()), listed.size());
}

}  // namespace tarn::s3gw
