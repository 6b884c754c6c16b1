// Rows of the embedded store: what a (partition, key) pair becomes, and any bytes read as one.
#include "base/error.h"
#include "kv/rocks/row_key.h"
#include "kv/store.h"
#include "testing/fuzz.h"

namespace tarn::fuzz {

namespace {

std::string_view take(std::string_view& input, std::size_t most) {
  const std::string_view part = input.substr(0, take_byte(input) % (most + 1));
  input.remove_prefix(std::min(part.size(), input.size()));
  return part.substr(0, std::min(part.size(), kv::kAddressBytesMax));
}

bool is_address(std::string_view partition, std::string_view key) {
  try {
    kv::check_address(partition, key);
    return true;
  } catch (const Error& error) {
    TARN_ASSERT(error.code() == ErrorCode::invalid_argument);
    return false;
  }
}

void check_pair(std::string_view partition, std::string_view key) {
  const std::string row = kv::row_key(partition, key);
  TARN_ASSERT(kv::key_of_row(row, partition) == key);
  TARN_ASSERT(row.starts_with(kv::row_key(partition, "")));
  TARN_ASSERT(row < kv::kRowsEnd && row < kv::kFormatRow);
  const auto address = kv::split_row(row);
  TARN_ASSERT(address && address->partition == partition && address->key == key);
}

/// Bytes of a damaged store: refused, or a pair that is written the same way.
void check_row(std::string_view row) {
  const auto address = kv::split_row(row);
  if (!address) return;
  TARN_ASSERT(kv::row_key(address->partition, address->key) == row);
}

}  // namespace

void run(std::string_view input) {
  check_row(input);
  const std::string_view partition = take(input, 200);
  const std::string_view other_partition = take(input, 200);
  const std::string_view key = take(input, 200);
  const std::string_view other_key = input.substr(0, kv::kAddressBytesMax);
  if (!is_address(partition, key) || !is_address(other_partition, other_key)) return;
  check_pair(partition, key);
  check_pair(other_partition, other_key);
  const std::string row = kv::row_key(partition, key);
  const std::string other = kv::row_key(other_partition, other_key);
  TARN_ASSERT((row == other) == (partition == other_partition && key == other_key));
  if (partition == other_partition) {
    TARN_ASSERT((row < other) == (key < other_key));
  } else {
    TARN_ASSERT(!other.starts_with(kv::row_key(partition, "")));
  }
}

}  // namespace tarn::fuzz
