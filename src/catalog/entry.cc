#include "catalog/entry.h"

#include <utility>

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include "base/bytes.h"
#include "catalog.pb.h"
#include "sst/ident.h"

namespace tarn::catalog {

namespace pb = ::catalog;

namespace {

[[noreturn]] void throw_corrupt() {
  throw Error(ErrorCode::corrupt, "stored entry does not parse");
}

enum WireType : std::uint8_t { kVarint = 0, kFixed64 = 1, kLengthDelimited = 2, kFixed32 = 5 };

constexpr std::uint64_t tag_of(std::uint64_t field, WireType type) {
  return field << 3U | type;
}

// catalog.proto's fields, as they stand before their values.
constexpr std::uint64_t kAddress = tag_of(1, kLengthDelimited);
constexpr std::uint64_t kLastModified = tag_of(2, kLengthDelimited);
constexpr std::uint64_t kSize = tag_of(3, kVarint);
constexpr std::uint64_t kEtag = tag_of(4, kLengthDelimited);
constexpr std::uint64_t kMetadata = tag_of(5, kLengthDelimited);
constexpr std::uint64_t kAddressType = tag_of(6, kVarint);
constexpr std::uint64_t kContentType = tag_of(7, kLengthDelimited);

/// Protobuf's wire form, a field at a time; what does not parse is corrupt.
class WireReader {
 public:
  explicit WireReader(std::string_view rest) : rest_(rest) {}

  bool done() const { return rest_.empty(); }

  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (rest_.empty()) break;
      const auto byte = static_cast<std::uint8_t>(rest_.front());
      rest_.remove_prefix(1);
      value |= static_cast<std::uint64_t>(byte & 0x7fU) << shift;
      if (byte < 0x80) return value;
    }
    throw_corrupt();
  }

  std::string_view bytes() { return take(varint()); }

  std::string_view text() {
    const std::string_view text = bytes();
    if (!is_valid_utf8(text)) throw_corrupt();
    return text;
  }

  /// Groups, long gone from the format, are malformed.
  void skip(std::uint64_t tag) {
    switch (tag & 7U) {
      case kVarint: static_cast<void>(varint()); return;
      case kFixed64: static_cast<void>(take(8)); return;
      case kLengthDelimited: static_cast<void>(bytes()); return;
      case kFixed32: static_cast<void>(take(4)); return;
      default: throw_corrupt();
    }
  }

 private:
  std::string_view take(std::uint64_t size) {
    if (size > rest_.size()) throw_corrupt();
    const std::string_view bytes = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return bytes;
  }

  std::string_view rest_;
};

/// `visit(reader, tag)` takes a field's value, or says false to have it skipped.
template <class Visit>
void read_fields(std::string_view data, Visit&& visit) {
  for (WireReader reader(data); !reader.done();) {
    const std::uint64_t tag = reader.varint();
    if (tag >> 3U == 0) throw_corrupt();
    if (!visit(reader, tag)) reader.skip(tag);
  }
}

void read_time(std::string_view data, Timestamp& time) {
  read_fields(data, [&](WireReader& reader, std::uint64_t tag) {
    if (tag == tag_of(1, kVarint)) {
      time.seconds = static_cast<std::int64_t>(reader.varint());
    } else if (tag == tag_of(2, kVarint)) {
      time.nanos = static_cast<std::int32_t>(reader.varint());
    } else {
      return false;
    }
    return true;
  });
}

std::pair<std::string_view, std::string_view> read_pair(std::string_view data) {
  std::pair<std::string_view, std::string_view> pair;
  read_fields(data, [&](WireReader& reader, std::uint64_t tag) {
    if (tag == tag_of(1, kLengthDelimited)) {
      pair.first = reader.text();
    } else if (tag == tag_of(2, kLengthDelimited)) {
      pair.second = reader.text();
    } else {
      return false;
    }
    return true;
  });
  return pair;
}

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

EntryView view_entry(std::string_view data) {
  EntryView entry{.data = data};
  read_fields(data, [&](WireReader& reader, std::uint64_t tag) {
    switch (tag) {
      case kAddress: entry.address = reader.text(); return true;
      case kLastModified: read_time(reader.bytes(), entry.last_modified); return true;
      case kSize: entry.size = reader.varint(); return true;
      case kEtag: entry.etag = reader.text(); return true;
      case kAddressType:
        entry.address_type = static_cast<block::AddressType>(reader.varint());
        return true;
      case kContentType: entry.content_type = reader.text(); return true;
      case kMetadata:
        static_cast<void>(read_pair(reader.bytes()));
        entry.has_metadata = true;
        return true;
      default: return false;
    }
  });
  if (static_cast<std::int64_t>(entry.size) < 0) throw_corrupt();
  return entry;
}

Entry decode_entry(std::string_view data) {
  const EntryView view = view_entry(data);
  Entry entry{.address = std::string(view.address),
              .address_type = view.address_type,
              .last_modified = view.last_modified,
              .size = view.size,
              .etag = std::string(view.etag),
              .content_type = std::string(view.content_type)};
  if (!view.has_metadata) return entry;
  read_fields(data, [&](WireReader& reader, std::uint64_t tag) {
    if (tag != kMetadata) return false;
    const auto [name, value] = read_pair(reader.bytes());
    entry.metadata.insert_or_assign(std::string(name), std::string(value));
    return true;
  });
  return entry;
}

}  // namespace tarn::catalog
