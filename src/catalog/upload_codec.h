// The bytes of multipart uploads' records (storage-format.md 2.11, and Tarn's own beside them).
// Decoding throws Error{corrupt}: a database may hold anything. Pure.
#pragma once

#include <string>
#include <string_view>

#include "catalog/catalog.h"

namespace tarn::catalog {

/// The reference's record.
std::string encode_upload(const MultipartUpload& upload);
/// `branch` and the checksum's fields are in the detail.
MultipartUpload decode_upload(std::string_view stored);

/// Tarn's: what a listing shows, and what the reference's record has no field for.
std::string encode_upload_detail(const MultipartUpload& upload);
/// Everything of the detail but the id, which is in its key.
MultipartUpload decode_upload_detail(std::string_view stored);

struct PartDetail {
  std::string etag;
  std::string checksum;
  friend bool operator==(const PartDetail&, const PartDetail&) = default;
};

std::string encode_part_detail(const PartDetail& part);
PartDetail decode_part_detail(std::string_view stored);

}  // namespace tarn::catalog
