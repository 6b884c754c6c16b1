// The SQL, all of it that runs more than once: prepared on every connection. Parameters and results
// are binary. Shapes follow storage-format.md 1.6, so that both servers may use one table.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tarn::kv {

enum class Statement : std::uint8_t {
  get,         // partition, key -> value
  get_any,     // partition, keys[] -> key, value
  set,         // partition, key, value
  set_many,    // partitions[], keys[], values[]; no address twice
  insert,      // partition, key, value; affects no row when the key is there
  replace,     // partition, key, value; affects no row when the key is absent
  replace_if,  // partition, key, value, old value; affects no row when another is stored
  erase,       // partition, key
  erase_any,   // partition, keys[]
  // The same with the guard's partition, key and stored value after their own parameters; when the
  // guard holds another value they affect no row, and erase_while returns none.
  set_while,         // partitions[], keys[], values[], guard
  insert_while,      // partition, key, value, guard
  replace_while,     // partition, key, value, guard
  replace_if_while,  // partition, key, value, old value, guard
  erase_while,       // partition, keys[], guard
  page,              // partition, from, rows, bytes -> key, value
  page_below,        // partition, from, rows, bytes, end -> key, value
  rows,              // rows, bytes -> partition, key, value, from the beginning
  rows_after,        // rows, bytes, partition, key -> partition, key, value
  share_lock,        // number; both until the transaction ends
  lock,              // number
};

struct PreparedStatement {
  Statement statement;
  const char* name;  // on the connection
  const char* sql;
};

/// `locks`: the last two as well, which not every engine has.
std::span<const PreparedStatement> prepared_statements(bool locks);
const PreparedStatement& prepared(Statement statement);

/// bytea[] in binary form.
std::string encode_array(std::span<const std::string_view> elements);
/// int8 in binary form.
std::string encode_int(std::int64_t value);

}  // namespace tarn::kv
