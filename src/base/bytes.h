// Text encodings of byte strings and fixed-width integers. Pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tarn {

/// Lower-case hex.
std::string to_hex(std::string_view bytes);
/// Accepts either case; nullopt for an odd length or another character.
std::optional<std::string> from_hex(std::string_view text);

/// RFC 4648 section 4, padded.
std::string to_base64(std::string_view bytes);
std::optional<std::string> from_base64(std::string_view text);
/// RFC 4648 section 5 (URL alphabet), unpadded; decoding also accepts padding.
std::string to_base64url(std::string_view bytes);
std::optional<std::string> from_base64url(std::string_view text);

/// RFC 4648 section 7 in lower case, unpadded: the text form of an xid.
std::string to_base32hex(std::string_view bytes);
std::optional<std::string> from_base32hex(std::string_view text);

/// Percent-decodes once; nullopt for a broken escape. '+' stays a plus.
std::optional<std::string> percent_decode(std::string_view text);
/// Percent-encodes every byte but RFC 3986 unreserved ones and those in `keep`; upper-case hex.
std::string percent_encode(std::string_view bytes, std::string_view keep = {});

bool is_valid_utf8(std::string_view bytes);

/// Equal length and content, in time that depends on the length only: for signatures and secrets.
bool equal_constant_time(std::string_view a, std::string_view b);

void append_be64(std::string& out, std::uint64_t value);
void append_be32(std::string& out, std::uint32_t value);

}  // namespace tarn
