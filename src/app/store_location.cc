#include "app/store_location.h"

#include <system_error>

#include "base/format.h"
#include "http/message.h"

namespace tarn::app {
namespace {

namespace stdfs = std::filesystem;

StoreLocation embedded_at(const stdfs::path& path) {
  const std::string absolute = stdfs::absolute(path).lexically_normal().string();
  return {.name = "rocksdb:" + absolute,
          .overrides = {{"database.type", "local"}, {"database.local.path", absolute}}};
}

/// The part of a connection URI that names the database: no user, no password, no parameters.
std::string without_login(std::string_view uri) {
  uri = uri.substr(0, uri.find('?'));
  const std::size_t host = uri.find("://") + 3;
  // The last one: an unescaped '@' or '/' of a password must not show either.
  const std::size_t at = uri.rfind('@');
  if (at == uri.npos || at < host) return std::string(uri);
  return std::string(uri.substr(0, host)) + std::string(uri.substr(at + 1));
}

std::expected<StoreLocation, ParseError> dynamo_table(std::string_view text) {
  const std::size_t question = text.find('?');
  const std::string table(text.substr(0, question));
  if (table.empty()) return std::unexpected(ParseError{"dynamodb: needs the name of a table"});
  StoreLocation location{
      .name = "dynamodb:" + table,
      .overrides = {{"database.type", "dynamodb"}, {"database.dynamodb.table_name", table}}};
  if (question == text.npos) return location;
  static const std::map<std::string_view, const char*> kKeys = {
      {"region", "database.dynamodb.aws_region"},
      {"endpoint", "database.dynamodb.endpoint"},
      {"profile", "database.dynamodb.aws_profile"}};
  for (const auto& [name, value, has_value] : http::parse_query(text.substr(question + 1))) {
    const auto key = kKeys.find(name);
    if (key == kKeys.end()) {
      return std::unexpected(ParseError{format("dynamodb: unknown parameter {}", name)});
    }
    location.overrides[key->second] = value;
    if (name != "profile") append_format(location.name, " {}={}", name, value);
  }
  return location;
}

}  // namespace

std::expected<StoreLocation, ParseError> find_store(std::string_view text) {
  if (text.starts_with("rocksdb:")) {
    const std::string_view path = text.substr(8);
    if (path.empty()) return std::unexpected(ParseError{"rocksdb: needs a directory"});
    return embedded_at(path.starts_with("//") ? path.substr(2) : path);
  }
  if (text.starts_with("postgres://") || text.starts_with("postgresql://")) {
    return StoreLocation{.name = without_login(text),
                         .overrides = {{"database.type", "postgres"},
                                       {"database.postgres.connection_string", std::string(text)}}};
  }
  if (text.starts_with("dynamodb:")) return dynamo_table(text.substr(9));
  std::error_code error;
  const stdfs::path path(text);
  if (stdfs::is_directory(path, error)) {
    if (!stdfs::exists(path / "metadata" / "CURRENT", error)) {
      return std::unexpected(
          ParseError{format("{}: a directory, but not one of 'tarn run --data-dir'", text)});
    }
    return embedded_at(path / "metadata");
  }
  if (stdfs::is_regular_file(path, error)) {
    const stdfs::path absolute = stdfs::absolute(path).lexically_normal();
    return StoreLocation{.name = absolute.string(), .file = absolute};
  }
  return std::unexpected(
      ParseError{format("{}: neither a store's URI nor a configuration file", text)});
}

}  // namespace tarn::app
