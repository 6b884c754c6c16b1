#include "catalog/upload_codec.h"

#include "base/error.h"
#include "multipart.pb.h"

namespace tarn::catalog {

namespace pb = ::io::treeverse::lakefs::multipart;

namespace {

template <class Message>
Message parse(std::string_view bytes) {
  Message message;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    throw Error(ErrorCode::corrupt, "multipart upload record does not parse");
  }
  return message;
}

template <class Message>
void set_creation_date(Message& message, Timestamp time) {
  message.mutable_creation_date()->set_seconds(time.seconds);
  message.mutable_creation_date()->set_nanos(time.nanos);
}

template <class Message>
Timestamp creation_date_of(const Message& message) {
  return {message.creation_date().seconds(), message.creation_date().nanos()};
}

}  // namespace

std::string encode_upload(const MultipartUpload& upload) {
  pb::UploadData data;
  data.set_upload_id(upload.id);
  data.set_path(upload.path);
  set_creation_date(data, upload.creation_date);
  data.set_physical_address(upload.physical_address);
  for (const auto& [name, value] : upload.metadata)
    (*data.mutable_metadata())[name] = value;
  data.set_content_type(upload.content_type);
  return data.SerializeAsString();
}

MultipartUpload decode_upload(std::string_view stored) {
  const auto data = parse<pb::UploadData>(stored);
  MultipartUpload upload{.id = data.upload_id(),
                         .path = data.path(),
                         .creation_date = creation_date_of(data),
                         .physical_address = data.physical_address(),
                         .content_type = data.content_type()};
  for (const auto& [name, value] : data.metadata())
    upload.metadata.emplace(name, value);
  return upload;
}

std::string encode_upload_detail(const MultipartUpload& upload) {
  pb::UploadDetail detail;
  detail.set_branch(upload.branch);
  detail.set_path(upload.path);
  set_creation_date(detail, upload.creation_date);
  detail.set_checksum_algorithm(upload.checksum_algorithm);
  detail.set_checksum_type(upload.checksum_type);
  detail.set_completing(upload.completing);
  return detail.SerializeAsString();
}

MultipartUpload decode_upload_detail(std::string_view stored) {
  const auto detail = parse<pb::UploadDetail>(stored);
  return {.branch = detail.branch(),
          .checksum_algorithm = detail.checksum_algorithm(),
          .checksum_type = detail.checksum_type(),
          .completing = detail.completing(),
          .path = detail.path(),
          .creation_date = creation_date_of(detail)};
}

std::string encode_part_detail(const PartDetail& part) {
  pb::PartDetail detail;
  detail.set_etag(part.etag);
  detail.set_checksum(part.checksum);
  return detail.SerializeAsString();
}

PartDetail decode_part_detail(std::string_view stored) {
  auto detail = parse<pb::PartDetail>(stored);
  return {.etag = detail.etag(), .checksum = detail.checksum()};
}

}  // namespace tarn::catalog
