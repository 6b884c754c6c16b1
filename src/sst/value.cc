#include "sst/value.h"

#include "base/error.h"
#include "committed.pb.h"
#include "sst/varint.h"

namespace tarn::sst {

namespace {

// Lengths are signed varints: zig-zag makes them twice as large.
void append_part(std::string& out, std::string_view part) {
  if (part.size() > kValuePartBytesMax) throw Error(ErrorCode::too_large, "value is too large");
  append_uvarint(out, part.size() * 2);
  out.append(part);
}

// Takes one part off `bytes`. The reference reads a missing length as zero.
std::string_view take_part(std::string_view& bytes) {
  if (bytes.empty()) return {};
  std::uint64_t length;
  const char* const end = bytes.data() + bytes.size();
  const char* const from = get_uvarint(bytes.data(), end, length);
  const bool negative = from != nullptr && (length & 1) != 0;
  if (from == nullptr || negative || length / 2 > static_cast<std::uint64_t>(end - from)) {
    throw Error(ErrorCode::corrupt, "committed value: impossible length");
  }
  const std::string_view part(from, static_cast<std::size_t>(length / 2));
  bytes = {part.data() + part.size(), end};
  return part;
}

}  // namespace

void append_value(std::string& out, std::string_view identity, std::string_view data) {
  append_part(out, identity);
  append_part(out, data);
}

std::string encode_value(std::string_view identity, std::string_view data) {
  std::string out;
  append_value(out, identity, data);
  return out;
}

ValueView decode_value(std::string_view bytes) {
  ValueView value;
  value.identity = take_part(bytes);
  value.data = take_part(bytes);
  return value;
}

std::string encode_range_data(const RangeData& range) {
  committed::RangeData message;
  message.set_min_key(range.min_key);
  message.set_max_key(range.max_key);
  message.set_estimated_size(range.estimated_size);
  message.set_count(range.count);
  return message.SerializeAsString();
}

RangeData decode_range_data(std::string_view bytes) {
  committed::RangeData message;
  if (bytes.size() > kValuePartBytesMax ||
      !message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    throw Error(ErrorCode::corrupt, "metarange: broken RangeData");
  }
  return {.min_key = std::move(*message.mutable_min_key()),
          .max_key = std::move(*message.mutable_max_key()),
          .estimated_size = message.estimated_size(),
          .count = message.count()};
}

}  // namespace tarn::sst
