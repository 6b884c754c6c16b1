// Structured log lines: one event, one line, a constant message plus fields. Secrets, signatures
// and bodies never appear. Thread-safe. Before configure() lines go to stderr as text, level info.
#pragma once

#include <concepts>
#include <initializer_list>
#include <string>
#include <string_view>

#include "base/context.h"
#include "base/time.h"

namespace tarn::log {

enum class Level { debug, info, warn, error, off };

struct Config {
  Level level = Level::info;
  enum class Format { text, json } format = Format::text;
  std::string output = "-";  // "-" = stderr, else a file that is appended to
};

void configure(const Config& config);
bool enabled(Level level);

struct Field {
  Field(std::string_view k, std::string_view v) : key(k), value(v) {}

  Field(std::string_view k, const char* v) : key(k), value(v) {}

  Field(std::string_view k, const std::string& v) : key(k), value(v) {}

  Field(std::string_view k, bool v) : key(k), value(v ? "true" : "false"), is_text(false) {}

  template <std::integral T>
  Field(std::string_view k, T v) : key(k), value(std::to_string(v)), is_text(false) {}

  Field(std::string_view k, double v) : key(k), value(std::to_string(v)), is_text(false) {}

  std::string_view key;
  std::string value;
  bool is_text = true;
};

using Fields = std::initializer_list<Field>;

/// error = someone should look; warn = we coped; info = lifecycle and slow requests; debug = per
/// request. A client's mistake is not an error.
void write(Level level, std::string_view message, Fields fields = {});
/// As above, with the context's request id.
void write(Level level, const Context& ctx, std::string_view message, Fields fields = {});

/// The line write() would emit, without its newline: the pure part.
std::string render_line(Config::Format style, Timestamp now, Level level,
                        std::string_view request_id, std::string_view message, Fields fields = {});

inline void debug(std::string_view message, Fields fields = {}) {
  if (enabled(Level::debug)) write(Level::debug, message, fields);
}

inline void info(std::string_view message, Fields fields = {}) {
  write(Level::info, message, fields);
}

inline void warn(std::string_view message, Fields fields = {}) {
  write(Level::warn, message, fields);
}

inline void error(std::string_view message, Fields fields = {}) {
  write(Level::error, message, fields);
}

}  // namespace tarn::log
