// A whole store copied into another, of any backend, and two stores compared: what `tarn kv copy`
// does. Memory is bounded by pages, and an interrupted copy goes on where it was.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/context.h"
#include "base/task.h"
#include "kv/store.h"

namespace tarn::kv {

/// All rows of a store in one figure that does not depend on their order (backends differ in it):
/// the sum of the rows' SHA-256, modulo 2^256. For telling mistakes, not attackers.
class RowDigest {
 public:
  void add(const Row& row);
  std::string hex() const;
  friend bool operator==(const RowDigest&, const RowDigest&) = default;

 private:
  std::array<std::uint64_t, 4> sum_{};  // lowest word first
};

struct Contents {
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;  // of keys and values
  RowDigest digest;
  friend bool operator==(const Contents&, const Contents&) = default;
};

enum class CopyPhase : std::uint8_t { erasing, copying, reading_source, reading_target, locating };

/// Called after every page.
using CopyReport = std::function<void(CopyPhase, std::uint64_t rows, std::uint64_t bytes)>;

struct CopyOptions {
  std::string source_name;  // a copy is resumed only under the name it was begun
  std::uint32_t page_rows = 1'000;
  std::uint32_t writers = 8;            // runs in flight, for backends that write row by row
  std::uint32_t pages_per_record = 16;  // how often the position is noted
  bool start_over = false;              // forget an unfinished copy: empties the target first
};

struct CopyOutcome {
  std::uint64_t rows = 0;  // all of the copy, the part before an interruption included
  std::uint64_t bytes = 0;
  bool resumed = false;
};

/// Copies every row of `from` into `to`. Neither may be in use by others. The target is empty, or
/// holds an unfinished copy of the same source; otherwise Error{already_exists} and nothing has
/// changed. The target keeps its record of an unfinished copy until finish_copy().
/// Error{conflict} when another copy writes to it, Error{invalid_argument} when the source is an
/// unfinished copy itself; a row the target cannot take ends it and is named.
Task<CopyOutcome> copy_store(Context& ctx, Store& from, Store& to, CopyOptions options,
                             const CopyReport& report);

/// Reads everything; records of copies do not count.
Task<Contents> read_contents(Context& ctx, Store& store, std::uint32_t page_rows, CopyPhase phase,
                             const CopyReport& report);

/// Names up to `differences_max` rows in which the stores differ, in words. Reads both again, row
/// by row: for when read_contents() says they are not the same.
Task<std::uint64_t> locate_differences(Context& ctx, Store& from, Store& to,
                                       std::uint64_t differences_max, std::uint32_t page_rows,
                                       const CopyReport& report,
                                       const std::function<void(std::string_view)>& found);

/// The target is a store to work with from now on.
Task<> finish_copy(Context& ctx, Store& to);

/// Throws Error{conflict} if the store is an unfinished copy: waiting does not help. For those who
/// open it to serve.
Task<> check_no_unfinished_copy(Context& ctx, Store& store);

}  // namespace tarn::kv
