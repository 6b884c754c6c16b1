// The places credentials are looked for, one question each: an answer, "not here", or a failure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "aws/credentials/credentials.h"
#include "aws/credentials/documents.h"
#include "aws/credentials/profile_file.h"
#include "base/context.h"
#include "base/task.h"
#include "http/client.h"
#include "io/blocking_pool.h"

namespace tarn::aws {

/// What every source works with. All outlive the call.
struct SourceParts {
  const CredentialsConfig& config;
  http::Client& client;
  io::BlockingPool& files;
};

/// The variable's value; nullopt when unset or empty.
std::optional<std::string> find_variable(const CredentialsConfig& config, const std::string& name);

/// The configured keys, then the environment's.
std::optional<Issued> find_configured(const CredentialsConfig& config);
std::optional<Issued> find_in_environment(const CredentialsConfig& config);

/// The sections of both files merged; nullopt when neither has the profile. Blocking.
std::optional<Profile> load_profile_blocking(const CredentialsConfig& config);

/// Each throws Error{unavailable} when it is set up but does not work, without telling secrets.
Task<std::optional<Issued>> ask_profile(Context& ctx, const SourceParts& parts);
Task<std::optional<Issued>> ask_web_identity(Context& ctx, const SourceParts& parts);
Task<std::optional<Issued>> ask_container(Context& ctx, const SourceParts& parts);
Task<std::optional<Issued>> ask_instance(Context& ctx, const SourceParts& parts);

struct AssumeRole {
  std::string role_arn;
  std::string token_file;
  std::string session_name;
};

Task<Issued> assume_role(Context& ctx, const SourceParts& parts, AssumeRole role);

}  // namespace tarn::aws
