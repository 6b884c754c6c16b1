// The table of configuration keys: name, kind, default, meaning, and where the value goes. One
// table serves loading, checking and docs/configuration.md. Internal to app/.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "app/config.h"

namespace tarn::app {

/// Puts a value's text into the configuration; returns what is wrong with it, if anything.
using Setter = std::function<std::optional<std::string>(Config&, std::string_view)>;

struct Key {
  std::string_view name;           // the reference's where it has one
  std::string_view kind;           // "text", "size", "duration", ...
  std::string_view default_value;  // as documented
  std::string_view meaning;        // "" = known from the reference, without effect in this version
  Setter set;                      // empty when there is no meaning
  bool secret = false;
};

/// Sorted by name.
std::span<const Key> config_keys();

/// nullptr for an unknown name.
const Key* find_config_key(std::string_view name);

}  // namespace tarn::app
