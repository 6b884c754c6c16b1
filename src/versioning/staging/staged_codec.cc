#include "versioning/staging/staged_codec.h"

#include <cstdint>
#include <optional>

#include "base/error.h"

namespace tarn::versioning {
namespace {

// Wire types of protobuf, and the three fields as tags: (number << 3) | length-delimited.
enum WireType : std::uint8_t { kVarint = 0, kFixed64 = 1, kLengthDelimited = 2, kFixed32 = 5 };

constexpr char kKeyTag = (1 << 3) | kLengthDelimited;
constexpr char kIdentityTag = (2 << 3) | kLengthDelimited;
constexpr char kDataTag = (3 << 3) | kLengthDelimited;

void append_varint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7)
    out += static_cast<char>(value | 0x80);
  out += static_cast<char>(value);
}

void append_field(std::string& out, char tag, std::string_view bytes) {
  if (bytes.empty()) return;
  out += tag;
  append_varint(out, bytes.size());
  out += bytes;
}

/// Takes what it reads off the front of `rest`; nullopt if it is not there or malformed.
class WireReader {
 public:
  explicit WireReader(std::string_view rest) : rest_(rest) {}

  bool done() const { return rest_.empty(); }

  std::optional<std::uint64_t> varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && !rest_.empty(); shift += 7) {
      const auto byte = static_cast<std::uint8_t>(rest_.front());
      rest_.remove_prefix(1);
      value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    return std::nullopt;
  }

  std::optional<std::string_view> take(std::uint64_t size) {
    if (size > rest_.size()) return std::nullopt;
    const std::string_view bytes = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return bytes;
  }

  std::optional<std::string_view> length_delimited() {
    const auto size = varint();
    return size ? take(*size) : std::nullopt;
  }

  /// Groups, long gone from the format, are malformed.
  bool skip(std::uint64_t wire_type) {
    switch (wire_type) {
      case kVarint: return varint().has_value();
      case kFixed64: return take(8).has_value();
      case kLengthDelimited: return length_delimited().has_value();
      case kFixed32: return take(4).has_value();
      default: return false;
    }
  }

 private:
  std::string_view rest_;
};

[[noreturn]] void throw_corrupt() {
  throw Error(ErrorCode::corrupt, "stored staged entry does not parse");
}

}  // namespace

std::string encode_staged(std::string_view key, std::string_view identity, std::string_view data) {
  if (identity.empty()) {
    throw Error(ErrorCode::invalid_argument, "staged value without identity: validation error");
  }
  std::string out;
  out.reserve(key.size() + identity.size() + data.size() + 16);
  append_field(out, kKeyTag, key);
  append_field(out, kIdentityTag, identity);
  append_field(out, kDataTag, data);
  return out;
}

std::string encode_tombstone(std::string_view key) {
  std::string out;
  append_field(out, kKeyTag, key);
  return out;
}

RecordView decode_staged(std::string_view stored) {
  RecordView record{.key = {}, .identity = {}, .data = {}, .tombstone = true};
  for (WireReader reader(stored); !reader.done();) {
    const auto tag = reader.varint();
    if (!tag || *tag >> 3 == 0) throw_corrupt();
    if (*tag == kKeyTag || *tag == kIdentityTag || *tag == kDataTag) {
      const auto bytes = reader.length_delimited();
      if (!bytes) throw_corrupt();
      if (*tag == kKeyTag) record.key = *bytes;
      if (*tag == kDataTag) record.data = *bytes;
      if (*tag == kIdentityTag) {
        record.identity = *bytes;
        record.tombstone = false;
      }
    } else if (!reader.skip(*tag & 7)) {
      throw_corrupt();
    }
  }
  return record;
}

}  // namespace tarn::versioning
