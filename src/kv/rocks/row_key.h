// How a (partition, key) pair becomes one RocksDB key:
//
//   [2 bytes, big endian: length of partition][partition][key]
//
// The length makes the split unambiguous, so no two pairs collide whatever bytes they hold (with a
// separator, "a/" + "b" and "a" + "/b" would). Within a partition the prefix is constant, so rows
// sort by key, bytewise; a partition is one contiguous range. Partitions have 1..1'024 bytes, so
// every row begins with a byte of 0..4: all other first bytes are free for the store's own rows.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "kv/store.h"

namespace tarn::kv {

/// Precondition: check_address() has passed.
std::string row_key(std::string_view partition, std::string_view key);

/// The part of `row` after a prefix made by row_key(partition, "").
inline std::string_view key_of_row(std::string_view row, std::string_view partition) {
  return row.substr(2 + partition.size());
}

/// The first two bytes of the other rows come after this: row_key()s end here.
inline constexpr std::string_view kRowsEnd = "\x05";

/// What row_key() joined, or nullopt for bytes it cannot have made.
std::optional<Address> split_row(std::string_view row);

/// Marks the layout above; its row sorts after every other.
inline constexpr std::string_view kFormatRow = "\xff tarn/kv/format";
inline constexpr std::string_view kFormat = "1";

}  // namespace tarn::kv
