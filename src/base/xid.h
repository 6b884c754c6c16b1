// xid identifiers (storage-format.md 5.1): 12 bytes of time, machine, process and counter, as 20
// characters of lower-case base32hex. They sort by time; the descending forms sort newest first.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace tarn {

/// Which second goes into the first four bytes.
enum class XidOrder {
  ascending,             // now: object names, instance uids, import ids
  descending_year_4000,  // data partitions, GC run ids
  descending_year_3000,  // action runs, pull requests
};

/// Unique within this process and, by machine and process bytes, practically everywhere.
std::string make_xid(Timestamp now, XidOrder order = XidOrder::ascending);

/// The Unix second an ascending xid was made at; nullopt if `text` is no xid.
std::optional<std::int64_t> xid_seconds(std::string_view text);

/// The pure part: `rest` is the eight bytes after the time. For tests against the vectors.
std::string xid_text(std::int64_t unix_seconds, std::string_view rest, XidOrder order);

}  // namespace tarn
