// What the records of range and metarange files hold (storage-format.md 3.5, 3.6).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tarn::sst {

inline constexpr std::size_t kValuePartBytesMax = 41'943'040;

/// A committed value, viewing the bytes it was decoded from.
struct ValueView {
  std::string_view identity;
  std::string_view data;
};

/// Throws Error{too_large} when a part passes kValuePartBytesMax.
void append_value(std::string& out, std::string_view identity, std::string_view data);
std::string encode_value(std::string_view identity, std::string_view data);

/// Bytes after the data are ignored. Throws Error{corrupt}.
ValueView decode_value(std::string_view bytes);

/// The data of a metarange's record; its identity is the range's id in hex, its key max_key.
struct RangeData {
  std::string min_key;
  std::string max_key;
  std::uint64_t estimated_size = 0;
  std::int64_t count = 0;

  friend bool operator==(const RangeData&, const RangeData&) = default;
};

std::string encode_range_data(const RangeData& range);

/// Throws Error{corrupt}.
RangeData decode_range_data(std::string_view bytes);

}  // namespace tarn::sst
