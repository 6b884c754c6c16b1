// Text forms of configuration values: durations as Go writes them, sizes, booleans, lists.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace tarn::app {

/// "true", "1", "t", "TRUE", ... and their opposites.
std::expected<bool, ParseError> parse_bool(std::string_view text);
/// A decimal integer, or one with a unit: "64MiB", "20MB", "1GiB".
std::expected<std::uint64_t, ParseError> parse_size(std::string_view text);
/// "1h30m", "500ms", "2.5s", "0"; not negative.
std::expected<std::chrono::milliseconds, ParseError> parse_duration(std::string_view text);
/// Comma-separated; blanks around items and empty items are dropped.
std::vector<std::string> parse_list(std::string_view text);

}  // namespace tarn::app
