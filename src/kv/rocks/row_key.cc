#include "kv/rocks/row_key.h"

#include "base/error.h"

namespace tarn::kv {

std::string row_key(std::string_view partition, std::string_view key) {
  TARN_ASSERT(partition.size() <= kAddressBytesMax);
  std::string row;
  row.reserve(2 + partition.size() + key.size());
  row.push_back(static_cast<char>(partition.size() >> 8));
  row.push_back(static_cast<char>(partition.size() & 0xff));
  row.append(partition);
  row.append(key);
  return row;
}

std::optional<Address> split_row(std::string_view row) {
  if (row.size() < 2) return std::nullopt;
  const std::size_t length =
      static_cast<unsigned char>(row[0]) * 256U + static_cast<unsigned char>(row[1]);
  const bool good = length >= 1 && length <= kAddressBytesMax && row.size() > 2 + length;
  if (!good) return std::nullopt;
  return Address{std::string(row.substr(2, length)), std::string(row.substr(2 + length))};
}

}  // namespace tarn::kv
