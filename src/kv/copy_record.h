// What a copy notes in its target while it runs: whose copy it is and how far it got. As long as
// the record is there, the target is no store to work with.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "kv/store.h"

namespace tarn::kv {

inline constexpr std::string_view kCopyPartition = "tarn/kv-copy";
inline constexpr std::string_view kCopyKey = "state";

struct CopyRecord {
  std::string source;            // as the operator named it
  std::optional<Address> after;  // everything up to here, in the source's order, has been written
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;
};

std::string encode_copy_record(const CopyRecord& record);
std::expected<CopyRecord, ParseError> parse_copy_record(std::string_view stored);

}  // namespace tarn::kv
