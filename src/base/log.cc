#include "base/log.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <span>
#include <utility>

#include <spdlog/details/log_msg.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/format.h"

namespace tarn::log {

namespace {

using SinkPtr = std::shared_ptr<spdlog::sinks::sink>;

SinkPtr with_bare_lines(SinkPtr sink) {
  sink->set_formatter(std::make_unique<spdlog::pattern_formatter>("%v"));
  return sink;
}

SinkPtr open_sink(const std::string& output) {
  if (output == "-") return with_bare_lines(std::make_shared<spdlog::sinks::stderr_sink_mt>());
  try {
    return with_bare_lines(std::make_shared<spdlog::sinks::basic_file_sink_mt>(output));
  } catch (const spdlog::spdlog_ex& failure) {
    throw Error(ErrorCode::invalid_argument, format("cannot open log file: {}", failure.what()));
  }
}

struct Output {
  std::atomic<Level> level = Level::info;
  std::mutex mutex;  // guards the two below; the sink locks itself
  Config::Format format = Config::Format::text;
  SinkPtr sink = open_sink("-");
};

Output& output() {
  static auto* instance = new Output;  // outlives every static that still logs
  return *instance;
}

spdlog::level::level_enum spdlog_level(Level level) {
  switch (level) {
    case Level::debug: return spdlog::level::debug;
    case Level::info: return spdlog::level::info;
    case Level::warn: return spdlog::level::warn;
    case Level::error: return spdlog::level::err;
    case Level::off: return spdlog::level::off;
  }
  std::unreachable();
}

std::string_view level_name(Level level) {
  switch (level) {
    case Level::debug: return "debug";
    case Level::info: return "info";
    case Level::warn: return "warn";
    case Level::error: return "error";
    case Level::off: return "off";
  }
  std::unreachable();
}

/// Length of the well-formed UTF-8 sequence at the front of `text`; 0 if there is none.
std::size_t utf8_length(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  const std::size_t length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  return length <= text.size() && is_valid_utf8(text.substr(0, length)) ? length : 0;
}

/// A JSON string, also used for quoting in text lines: control characters escaped, so that no
/// value can forge a line, and bytes that are not UTF-8 replaced.
void append_quoted(std::string& out, std::string_view text) {
  out.push_back('"');
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    const char c = text.front();
    if (length == 0) {
      out += "\xef\xbf\xbd";
    } else if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (c == '\n') {
      out += "\\n";
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      append_format(out, "\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  out.push_back('"');
}

bool is_plain(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return c > 0x20 && c < 0x7f && c != '"' && c != '=' && c != '\\';
  });
}

void append_text(std::string& out, std::string_view text) {
  if (is_plain(text)) {
    out += text;
  } else {
    append_quoted(out, text);
  }
}

// JSON has no word for an infinity or a NaN, which std::to_string(double) may have written.
bool is_json_literal(const Field& field) {
  return !field.is_text && !field.value.ends_with("nan") && !field.value.ends_with("inf");
}

std::string text_line(Timestamp now, Level level, std::string_view request_id,
                      std::string_view message, std::span<const Field> fields) {
  std::string line = format("{} {:5} ", to_rfc3339(now), level_name(level));
  if (std::ranges::all_of(message, [](char c) { return c >= 0x20 && c < 0x7f; })) {
    line += message;
  } else {
    append_quoted(line, message);
  }
  if (!request_id.empty()) {
    line += " request_id=";
    append_text(line, request_id);
  }
  for (const Field& field : fields) {
    append_format(line, " {}=", field.key);
    append_text(line, field.value);
  }
  return line;
}

std::string json_line(Timestamp now, Level level, std::string_view request_id,
                      std::string_view message, std::span<const Field> fields) {
  std::string line =
      format(R"({{"time":"{}","level":"{}","message":)", to_rfc3339(now), level_name(level));
  append_quoted(line, message);
  if (!request_id.empty()) {
    line += R"(,"request_id":)";
    append_quoted(line, request_id);
  }
  for (const Field& field : fields) {
    line.push_back(',');
    append_quoted(line, field.key);
    line.push_back(':');
    if (is_json_literal(field)) {
      line += field.value;
    } else {
      append_quoted(line, field.value);
    }
  }
  line.push_back('}');
  return line;
}

void emit(Level level, std::string_view request_id, std::string_view message, Fields fields) {
  if (!enabled(level)) return;
  Output& to = output();
  Config::Format chosen;
  SinkPtr sink;
  {
    const std::scoped_lock lock(to.mutex);
    chosen = to.format;
    sink = to.sink;
  }
  const std::string line =
      render_line(chosen, SystemClock().now(), level, request_id, message, fields);
  try {
    sink->log(spdlog::details::log_msg("", spdlog_level(level), line));
    sink->flush();
  } catch (const spdlog::spdlog_ex&) {  // NOLINT(bugprone-empty-catch): a full disk stops no work
  }
}

}  // namespace

std::string render_line(Config::Format style, Timestamp now, Level level,
                        std::string_view request_id, std::string_view message, Fields fields) {
  const std::span<const Field> list(fields.begin(), fields.size());
  return style == Config::Format::json ? json_line(now, level, request_id, message, list)
                                       : text_line(now, level, request_id, message, list);
}

void configure(const Config& config) {
  SinkPtr sink = open_sink(config.output);
  Output& to = output();
  const std::scoped_lock lock(to.mutex);
  to.format = config.format;
  to.sink = std::move(sink);
  to.level.store(config.level, std::memory_order_relaxed);
}

bool enabled(Level level) {
  return level != Level::off && level >= output().level.load(std::memory_order_relaxed);
}

void write(Level level, std::string_view message, Fields fields) {
  emit(level, {}, message, fields);
}

void write(Level level, const Context& ctx, std::string_view message, Fields fields) {
  emit(level, ctx.request_id(), message, fields);
}

}  // namespace tarn::log
