#include "kv/postgres/connection_string.h"

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <vector>

#include <libpq-fe.h>

#include "base/bytes.h"
#include "base/format.h"

namespace tarn::kv {

namespace {

using Options = std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)>;

bool known_to_libpq(std::string_view name) {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> known{"ssl"};
    const Options options(PQconndefaults(), &PQconninfoFree);
    for (const PQconninfoOption* o = options.get(); o != nullptr && o->keyword != nullptr; ++o)
      known.emplace_back(o->keyword);
    return known;
  }();
  return std::ranges::find(names, name) != names.end();
}

/// Settings of the reference's driver and pool; none changes what is stored.
bool only_the_references(std::string_view name) {
  constexpr std::array<std::string_view, 5> kNames = {
      "default_query_exec_mode", "description_cache_capacity", "lakefskv_table",
      "statement_cache_capacity", "statement_cache_mode"};
  return name.starts_with("pool_") || std::ranges::find(kNames, name) != kNames.end();
}

std::string escape_option(std::string_view value) {
  std::string out;
  for (const char c : value) {
    if (c == ' ' || c == '\\') out.push_back('\\');
    out.push_back(c);
  }
  return out;
}

}  // namespace

std::string libpq_connection_string(std::string_view text) {
  const std::size_t question = text.find('?');
  const bool uri = text.starts_with("postgres://") || text.starts_with("postgresql://");
  if (!uri || question == std::string_view::npos) return std::string(text);
  std::string query;
  std::string server;  // options for the server
  const auto append = [&query](std::string_view parameter) {
    query.append(query.empty() ? "?" : "&").append(parameter);
  };
  std::string_view rest = text.substr(question + 1);
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('&'), rest.size());
    const std::string_view parameter = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    const std::size_t equals = std::min(parameter.find('='), parameter.size());
    const std::string_view name = parameter.substr(0, equals);
    if (name.empty() || only_the_references(name)) continue;
    const auto value =
        percent_decode(parameter.substr(std::min(equals + 1, parameter.size()))).value_or("");
    if (name == "options") {
      server.append(server.empty() ? "" : " ").append(value);
    } else if (known_to_libpq(name)) {
      append(parameter);
    } else {
      server.append(server.empty() ? "" : " ")
          .append(format("-c {}={}", name, escape_option(value)));
    }
  }
  if (!server.empty()) append("options=" + percent_encode(server));
  return std::string(text.substr(0, question)) + query;
}

bool prepares_statements(std::string_view connection_string) {
  // An unknown mode is none that could be worse than asking for nothing of the session.
  const auto value = [&](std::string_view name) -> std::optional<std::string_view> {
    std::string_view rest =
        connection_string.substr(std::min(connection_string.find('?'), connection_string.size()));
    while (!rest.empty()) {
      rest.remove_prefix(1);
      const std::string_view parameter = rest.substr(0, rest.find('&'));
      rest.remove_prefix(parameter.size());
      if (parameter.starts_with(name) && parameter.substr(name.size()).starts_with('='))
        return parameter.substr(name.size() + 1);
    }
    return std::nullopt;
  };
  return value("default_query_exec_mode").value_or("cache_statement") == "cache_statement" &&
         value("statement_cache_mode").value_or("prepare") == "prepare" &&
         value("statement_cache_capacity").value_or("1") != "0";
}

std::string describe_connection(const std::string& connection_string) {
  char* error = nullptr;
  const Options options(PQconninfoParse(connection_string.c_str(), &error), &PQconninfoFree);
  PQfreemem(error);
  std::string host = "localhost";
  std::string database;
  for (const PQconninfoOption* o = options.get(); o != nullptr && o->keyword != nullptr; ++o) {
    if (o->val == nullptr || *o->val == '\0') continue;
    const std::string_view name = o->keyword;
    if (name == "host" || name == "hostaddr") host = o->val;
    if (name == "dbname") database = o->val;
  }
  return options == nullptr ? "" : format("database '{}' on {}", database, host);
}

}  // namespace tarn::kv
