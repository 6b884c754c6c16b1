#include "catalog/entry.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include "base/bytes.h"
#include "catalog.pb.h"
#include "sst/ident.h"

namespace tarn::catalog {

namespace pb = ::catalog;

namespace {

void require_utf8(std::string_view text, std::string_view what) {
  if (!is_valid_utf8(text)) {
    throw Error(ErrorCode::invalid_argument, std::string(what).append(" is not valid UTF-8"));
  }
}

std::string identity_of(const Entry& entry) {
  sst::IdentEncoder ident;
  ident.add_int64(static_cast<std::int64_t>(entry.size))
      .add_string(entry.etag)
      .add_string_map(entry.metadata);
  if (!entry.content_type.empty()) ident.add_string(entry.content_type);
  return ident.digest();
}

/// Maps in key order: equal entries are equal bytes.
std::string serialize(const pb::Entry& message) {
  std::string bytes;
  google::protobuf::io::StringOutputStream stream(&bytes);
  google::protobuf::io::CodedOutputStream coded(&stream);
  coded.SetSerializationDeterministic(true);
  message.SerializeToCodedStream(&coded);
  coded.Trim();
  return bytes;
}

}  // namespace

versioning::Value encode_entry(const Entry& entry) {
  require_utf8(entry.address, "address");
  require_utf8(entry.etag, "checksum");
  require_utf8(entry.content_type, "content type");
  pb::Entry message;
  message.set_address(entry.address);
  message.mutable_last_modified()->set_seconds(entry.last_modified.seconds);
  message.mutable_last_modified()->set_nanos(entry.last_modified.nanos);
  message.set_size(static_cast<std::int64_t>(entry.size));
  message.set_e_tag(entry.etag);
  for (const auto& [name, value] : entry.metadata) {
    require_utf8(name, "metadata name");
    require_utf8(value, "metadata value");
    (*message.mutable_metadata())[name] = value;
  }
  message.set_address_type(static_cast<pb::Entry::AddressType>(entry.address_type));
  message.set_content_type(entry.content_type);
  return {.identity = identity_of(entry), .data = serialize(message)};
}

Entry decode_entry(std::string_view data) {
  pb::Entry message;
  if (!message.ParseFromArray(data.data(), static_cast<int>(data.size())) || message.size() < 0) {
    throw Error(ErrorCode::corrupt, "stored entry does not parse");
  }
  Entry entry{.address = std::move(*message.mutable_address()),
              .address_type = static_cast<block::AddressType>(message.address_type()),
              .last_modified = {message.last_modified().seconds(), message.last_modified().nanos()},
              .size = static_cast<std::uint64_t>(message.size()),
              .etag = std::move(*message.mutable_e_tag()),
              .content_type = std::move(*message.mutable_content_type())};
  for (auto& [name, value] : *message.mutable_metadata())
    entry.metadata.emplace(name, value);
  return entry;
}

}  // namespace tarn::catalog
