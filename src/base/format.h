// Text formatting: {fmt} under our name, since libstdc++ 12 has no <format>.
#pragma once

#include <iterator>
#include <string>
#include <utility>

#include <fmt/format.h>

namespace tarn {

template <class... Args>
std::string format(fmt::format_string<Args...> text, Args&&... args) {
  return fmt::format(text, std::forward<Args>(args)...);
}

template <class... Args>
void append_format(std::string& out, fmt::format_string<Args...> text, Args&&... args) {
  fmt::format_to(std::back_inserter(out), text, std::forward<Args>(args)...);
}

}  // namespace tarn
