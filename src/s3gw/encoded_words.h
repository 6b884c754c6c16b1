// RFC 2047: text beyond printable ASCII in header values. Pure.
#pragma once

#include <string>
#include <string_view>

namespace tarn::s3gw {

/// Words in UTF-8, US-ASCII or ISO-8859-1 become UTF-8; what is no encoded word stays. Bytes that
/// are not UTF-8 are read as ISO-8859-1.
std::string decode_words(std::string_view value);

/// The text itself if it is printable ASCII, else one "=?UTF-8?Q?...?=".
std::string encode_words(std::string_view text);

}  // namespace tarn::s3gw
