// Sources on this machine: configuration, environment, files.
#include <fstream>
#include <iterator>

#include "aws/credentials/sources.h"
#include "base/error.h"
#include "base/format.h"

namespace tarn::aws {

namespace {

constexpr std::size_t kFileBytesMax = 1 << 20;

std::optional<std::string> read_file_blocking(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  std::string text(kFileBytesMax, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

std::filesystem::path expand_home(const CredentialsConfig& config, const std::string& path) {
  return path.starts_with("~/") ? config.home / path.substr(2) : std::filesystem::path(path);
}

std::filesystem::path file_path(const CredentialsConfig& config, const std::string& configured,
                                const std::string& variable, const char* usual) {
  if (!configured.empty()) return expand_home(config, configured);
  if (const auto named = find_variable(config, variable)) return expand_home(config, *named);
  return config.home / usual;
}

std::string profile_name(const CredentialsConfig& config) {
  if (!config.profile.empty()) return config.profile;
  return find_variable(config, "AWS_PROFILE").value_or("default");
}

}  // namespace

std::optional<std::string> find_variable(const CredentialsConfig& config, const std::string& name) {
  return find_value(config.environment, name);
}

std::optional<Issued> find_configured(const CredentialsConfig& config) {
  if (config.access_key_id.empty() || config.secret_access_key.empty()) return std::nullopt;
  return Issued{.credentials = {.access_key = config.access_key_id,
                                .secret_key = config.secret_access_key,
                                .session_token = config.session_token},
                .expires = std::nullopt};
}

std::optional<Issued> find_in_environment(const CredentialsConfig& config) {
  const auto key = find_variable(config, "AWS_ACCESS_KEY_ID");
  const auto secret = find_variable(config, "AWS_SECRET_ACCESS_KEY");
  if (!key || !secret) return std::nullopt;
  const std::string token = find_variable(config, "AWS_SESSION_TOKEN").value_or("");
  return Issued{.credentials = {.access_key = *key, .secret_key = *secret, .session_token = token},
                .expires = std::nullopt};
}

std::optional<Profile> load_profile_blocking(const CredentialsConfig& config) {
  const std::string name = profile_name(config);
  const auto config_text =
      read_file_blocking(file_path(config, {}, "AWS_CONFIG_FILE", ".aws/config"));
  const auto credentials_text = read_file_blocking(file_path(
      config, config.credentials_file, "AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials"));
  std::optional<Profile> merged;
  if (config_text) merged = find_profile(*config_text, name);
  if (!credentials_text) return merged;
  auto keys = find_profile(*credentials_text, name);
  if (!keys) return merged;
  if (merged) keys->insert(merged->begin(), merged->end());  // the credentials file wins
  return keys;
}

Task<std::optional<Issued>> ask_profile(Context& ctx, const SourceParts& parts) {
  const auto profile = co_await parts.files.run(
      ctx, [config = parts.config] { return load_profile_blocking(config); });
  const bool asked_for =
      !parts.config.profile.empty() || find_variable(parts.config, "AWS_PROFILE").has_value();
  if (!profile) {
    if (!asked_for) co_return std::nullopt;
    throw Error(ErrorCode::unavailable,
                format("no AWS profile named {}", profile_name(parts.config)));
  }
  const auto key = find_value(*profile, "aws_access_key_id");
  const auto secret = find_value(*profile, "aws_secret_access_key");
  if (key && secret) {
    const std::string token = find_value(*profile, "aws_session_token").value_or("");
    co_return Issued{
        .credentials = {.access_key = *key, .secret_key = *secret, .session_token = token},
        .expires = std::nullopt};
  }
  const auto role = find_value(*profile, "role_arn");
  const auto token_file = find_value(*profile, "web_identity_token_file");
  if (role && token_file) {
    AssumeRole assume{.role_arn = *role,
                      .token_file = *token_file,
                      .session_name = find_value(*profile, "role_session_name").value_or("")};
    co_return co_await assume_role(ctx, parts, std::move(assume));
  }
  if (!asked_for) co_return std::nullopt;
  throw Error(ErrorCode::unavailable, format("AWS profile {} holds neither keys nor a web identity",
                                             profile_name(parts.config)));
}

std::optional<std::string> find_region_blocking(const CredentialsConfig& config) {
  for (const char* name : {"AWS_REGION", "AWS_DEFAULT_REGION"}) {
    if (auto region = find_variable(config, name)) return region;
  }
  const auto profile = load_profile_blocking(config);
  return profile ? find_value(*profile, "region") : std::nullopt;
}

}  // namespace tarn::aws
