// Unpredictable bytes and the identifiers made of them.
#pragma once

#include <cstddef>
#include <string>

namespace tarn {

/// From the operating system's generator; safe for secrets.
std::string random_bytes(std::size_t count);
/// UUID version 4, lower-case canonical text.
std::string make_uuid();

}  // namespace tarn
