// Records of multipart uploads and their parts, from a database that may hold anything.
#include "base/error.h"
#include "catalog/upload_codec.h"
#include "testing/fuzz.h"

namespace tarn::fuzz {

namespace {

/// What decodes can be written, and what was written decodes to the same.
template <class Decode, class Encode>
void check_codec(std::string_view input, Decode decode, Encode encode) {
  std::string stored;
  try {
    const auto record = decode(input);
    stored = encode(record);
  } catch (const Error& error) {
    TARN_ASSERT(error.code() == ErrorCode::corrupt);
    return;
  }
  // Maps are written in any order: compare what a second turn reads, not the bytes.
  const auto again = decode(stored);
  TARN_ASSERT(decode(encode(again)) == again);
}

/// Of MultipartUpload, which has no comparison of its own: what the records hold.
struct Upload : catalog::MultipartUpload {
  friend bool operator==(const Upload& a, const Upload& b) {
    return a.id == b.id && a.branch == b.branch && a.checksum_algorithm == b.checksum_algorithm &&
           a.checksum_type == b.checksum_type && a.path == b.path &&
           a.creation_date == b.creation_date && a.physical_address == b.physical_address &&
           a.metadata == b.metadata && a.content_type == b.content_type;
  }
};

void check_dates(const catalog::MultipartUpload& upload) {
  static_cast<void>(to_s3_time(upload.creation_date));  // what a listing does with it
}

}  // namespace

void run(std::string_view input) {
  switch (take_byte(input) % 3) {
    case 0:
      check_codec(
          input,
          [](std::string_view bytes) {
            Upload upload{catalog::decode_upload(bytes)};
            check_dates(upload);
            return upload;
          },
          [](const Upload& upload) { return catalog::encode_upload(upload); });
      break;
    case 1:
      check_codec(
          input,
          [](std::string_view bytes) {
            Upload upload{catalog::decode_upload_detail(bytes)};
            check_dates(upload);
            return upload;
          },
          [](const Upload& upload) { return catalog::encode_upload_detail(upload); });
      break;
    default: check_codec(input, catalog::decode_part_detail, catalog::encode_part_detail);
  }
}

}  // namespace tarn::fuzz
