// What this program calls itself.
#pragma once

#include <string_view>

namespace tarn::app {

inline constexpr std::string_view kVersion = TARN_VERSION;

}  // namespace tarn::app
