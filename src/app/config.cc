#include "app/config.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <utility>

#include <unistd.h>

#include <yaml-cpp/yaml.h>

#include "app/config_keys.h"
#include "base/format.h"
#include "http/client.h"

namespace tarn::app {

namespace {

namespace stdfs = std::filesystem;

/// Values by key, the later source over the earlier, with where each came from.
struct Value {
  std::string text;
  std::string source;
};

using Values = std::map<std::string, Value>;

class Loader {
 public:
  explicit Loader(const ConfigSources& sources) : sources_(sources) {}

  LoadedConfig load();

 private:
  void read_file(const stdfs::path& path);
  void read_node(const YAML::Node& node, const std::string& prefix, const std::string& source);
  void read_environment(std::string_view prefix);
  void apply_defaults();
  void apply(const std::string& name, const Value& value);
  void check_s3();
  void check();
  void expand(stdfs::path& path) const;

  void problem(std::string text) { loaded_.problems.push_back(std::move(text)); }

  const ConfigSources& sources_;
  Values values_;
  LoadedConfig loaded_;
};

std::optional<stdfs::path> usual_file(const stdfs::path& home) {
  for (const stdfs::path& path :
       {stdfs::path("tarn.yaml"), stdfs::path("config.yaml"), home / ".tarn/config.yaml",
        stdfs::path("/etc/tarn/config.yaml"), home / ".lakefs/config.yaml",
        stdfs::path("/etc/lakefs/config.yaml"), home / ".lakefs.yaml"}) {
    std::error_code error;
    if (stdfs::is_regular_file(path, error)) return path;
  }
  return std::nullopt;
}

/// LAKEFS_BLOCKSTORE_LOCAL_PATH against blockstore.local.path: dots and underscores look the same.
std::string environment_name(std::string_view prefix, std::string_view key) {
  std::string name(prefix);
  for (const char c : key) {
    name.push_back(c == '.' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c))));
  }
  return name;
}

LoadedConfig Loader::load() {
  if (sources_.file) {
    read_file(*sources_.file);
  } else if (const auto path = usual_file(sources_.home); path && sources_.usual_files) {
    read_file(*path);
  }
  read_environment("LAKEFS_");
  read_environment("TARN_");
  for (const auto& [name, text] : sources_.overrides)
    values_[name] = {text, "command line"};
  apply_defaults();
  for (const auto& [name, value] : values_)
    apply(name, value);
  check();
  return std::move(loaded_);
}

void Loader::read_file(const stdfs::path& path) {
  std::ifstream file(path);
  if (!file) {
    problem(format("{}: cannot be read", path.string()));
    return;
  }
  std::stringstream text;
  text << file.rdbuf();
  try {
    const YAML::Node root = YAML::Load(text.str());
    if (!root.IsNull() && !root.IsMap()) {
      problem(format("{}: not a map of keys", path.string()));
      return;
    }
    read_node(root, "", path.string());
    loaded_.sources.push_back(path.string());
  } catch (const YAML::Exception& error) {
    problem(format("{}: line {}: {}", path.string(), error.mark.line + 1, error.msg));
  }
}

void Loader::read_node(const YAML::Node& node, const std::string& prefix,
                       const std::string& source) {
  constexpr std::ptrdiff_t kDepthMax = 8;  // an alias may lead back to where it stands
  if (std::ranges::count(prefix, '.') > kDepthMax) {
    problem(format("{}: line {}: nested too deeply", source, node.Mark().line + 1));
    return;
  }
  for (const auto& item : node) {
    const std::string name = prefix + item.first.as<std::string>();
    const YAML::Node& child = item.second;
    if (child.IsMap()) {
      read_node(child, name + ".", source);
      continue;
    }
    if (find_config_key(name) == nullptr) {
      problem(format("{}: line {}: unknown key {}", source, item.first.Mark().line + 1, name));
    } else if (child.IsSequence()) {
      std::string text;
      for (const auto& element : child) {
        if (!element.IsScalar()) continue;  // lists of maps belong to keys without effect
        if (!text.empty()) text += ',';
        text += element.as<std::string>();
      }
      values_[name] = {text, source};
    } else if (!child.IsNull()) {
      values_[name] = {child.as<std::string>(), source};
    }
  }
}

void Loader::read_environment(std::string_view prefix) {
  std::map<std::string, std::string, std::less<>> unused;
  for (const auto& [name, text] : sources_.environment) {
    if (name.starts_with(prefix)) unused[name] = text;
  }
  for (const Key& key : config_keys()) {
    const auto found = unused.find(environment_name(prefix, key.name));
    if (found == unused.end()) continue;
    values_[std::string(key.name)] = {found->second, found->first};
    unused.erase(found);
  }
  for (const auto& [name, text] : unused) {
    loaded_.warnings.push_back(format("{}: unknown variable, ignored", name));
  }
}

void Loader::apply_defaults() {
  Config& config = loaded_.config;
  const stdfs::path base = sources_.data_dir ? *sources_.data_dir : sources_.home / "tarn";
  config.database_path = base / "metadata";
  config.blockstore_path = base / "objects";
  config.committed.disk_cache_dir = base / "cache";
  config.dynamodb.credentials.home = sources_.home;
  config.dynamodb.credentials.environment = sources_.environment;
  config.s3.credentials.home = sources_.home;
  config.s3.credentials.environment = sources_.environment;
}

void Loader::apply(const std::string& name, const Value& value) {
  const Key* key = find_config_key(name);
  if (key == nullptr) {
    problem(format("{}: unknown key {}", value.source, name));
  } else if (!key->set) {
    loaded_.warnings.push_back(format("{}: {} has no effect in this version", value.source, name));
  } else if (const auto wrong = key->set(loaded_.config, value.text)) {
    problem(format("{}: {}: {}", value.source, name, key->secret ? "invalid value" : *wrong));
  }
}

void Loader::check_s3() {
  Config& config = loaded_.config;
  const S3Blockstore& s3 = config.s3;
  // The default is a local store's.
  if (config.default_namespace_prefix == Config().default_namespace_prefix) {
    config.default_namespace_prefix.clear();
  }
  if (!s3.store.endpoint.empty() && !http::parse_url(s3.store.endpoint)) {
    problem("blockstore.s3.endpoint: not a URL of http or https");
  }
  if (s3.credentials.access_key_id.empty() != s3.credentials.secret_access_key.empty()) {
    problem("blockstore.s3.credentials: both access_key_id and secret_access_key, or neither");
  }
}

void Loader::check() {
  Config& config = loaded_.config;
  expand(config.database_path);
  expand(config.blockstore_path);
  expand(config.committed.disk_cache_dir);
  // A local store's range files are on a local disk already; a second copy would only cost space.
  if (config.blockstore == BlockstoreType::local) config.committed.disk_cache_dir.clear();
  if (config.blockstore == BlockstoreType::s3) check_s3();
  if (config.auth.secret_key.empty()) problem("auth.encrypt.secret_key: required");
  if (config.database == DatabaseType::postgres && config.postgres.connection_string.empty()) {
    problem("database.postgres.connection_string: required with database.type postgres");
  }
  if (!config.tls_enabled) {
    config.server.tls.reset();
  } else if (!config.server.tls || config.server.tls->certificate_file.empty() ||
             config.server.tls->key_file.empty()) {
    problem("tls.enabled: needs tls.cert_file and tls.key_file");
  }
  if (config.committed.range_bytes_max == 0) {
    problem("committed.permanent.max_range_size_bytes: must be greater than 0");
  }
  if (config.committed.range_raggedness_entries == 0) {
    problem("committed.permanent.range_raggedness_entries: must be greater than 0");
  }
  if (config.installation_access_key_id.empty() !=
      config.installation_secret_access_key.text.empty()) {
    problem("installation.access_key_id and installation.secret_access_key: give both or neither");
  }
  for (const std::string& a : config.s3_domains) {
    for (const std::string& b : config.s3_domains) {
      if (a != b && a.ends_with("." + b)) {
        problem(
            format("gateways.s3.domain_name: {} is below {}: a request could mean either", a, b));
      }
    }
  }
}

void Loader::expand(stdfs::path& path) const {
  const std::string text = path.string();
  if (text == "~" || text.starts_with("~/"))
    path = sources_.home / text.substr(text == "~" ? 1 : 2);
  if (!path.empty()) path = stdfs::absolute(path).lexically_normal();
}

}  // namespace

bool is_service(DatabaseType type) {
  switch (type) {
    case DatabaseType::local:
    case DatabaseType::mem: return false;
    case DatabaseType::postgres:
    case DatabaseType::dynamodb: return true;
  }
  std::unreachable();
}

bool is_service(BlockstoreType type) {
  switch (type) {
    case BlockstoreType::local:
    case BlockstoreType::mem: return false;
    case BlockstoreType::s3: return true;
  }
  std::unreachable();
}

LoadedConfig load_config(const ConfigSources& sources) {
  return Loader(sources).load();
}

std::string describe_config_keys() {
  std::string out = "| key | kind | default | meaning |\n|---|---|---|---|\n";
  std::string without_effect;
  for (const Key& key : config_keys()) {
    if (key.set) {
      append_format(out, "| `{}` | {} | {} | {} |\n", key.name, key.kind,
                    key.default_value.empty() ? "–" : std::string(key.default_value), key.meaning);
    } else {
      append_format(without_effect, "`{}` ", key.name);
    }
  }
  out += "\nKnown from the reference and accepted with a warning, without effect in this version: ";
  out += without_effect;
  out.back() = '\n';
  return out;
}

std::map<std::string, std::string> process_environment() {
  std::map<std::string, std::string> variables;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const auto equals = text.find('=');
    if (equals == std::string_view::npos) continue;
    variables.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return variables;
}

}  // namespace tarn::app
