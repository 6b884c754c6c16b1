// Opaque positions in listings (A6.4): valid across restarts, checked when they come back. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tarn::s3gw {

/// `last` is the last key or common prefix of a page.
std::string make_token(std::string_view last, bool is_prefix);
/// The position, or nullopt for text that no server made.
std::optional<std::string> parse_token(std::string_view token);

}  // namespace tarn::s3gw
