// Where the credentials of our own AWS requests come from: configuration, environment, profile
// files, web identity, container and instance metadata, in that order. For block/s3 and kv/dynamo.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "aws/sigv4_sign.h"
#include "base/context.h"
#include "base/task.h"
#include "base/time.h"
#include "http/client.h"
#include "io/blocking_pool.h"

namespace tarn::aws {

/// What requests are signed with, now. Safe to call from any loop.
class CredentialsSource {
 public:
  virtual ~CredentialsSource() = default;

  /// Throws Error{unavailable} when no source yields any, or its answers cannot be had.
  virtual Task<Credentials> get(Context& ctx) = 0;
  /// The service has refused `used` as expired: the next get() asks again.
  virtual void refuse(const Credentials& used) = 0;

 protected:
  CredentialsSource() = default;
  CredentialsSource(const CredentialsSource&) = delete;
  CredentialsSource& operator=(const CredentialsSource&) = delete;
};

/// Always the same; for fixed keys and tests.
class FixedCredentials final : public CredentialsSource {
 public:
  explicit FixedCredentials(Credentials credentials) : credentials_(std::move(credentials)) {}

  Task<Credentials> get(Context&) override { co_return credentials_; }

  void refuse(const Credentials&) override {}

 private:
  const Credentials credentials_;
};

/// The process's environment variables, as app hands them down.
using Environment = std::map<std::string, std::string>;

struct CredentialsConfig {
  // From the server's own configuration; both keys or none. They win over everything.
  std::string access_key_id;
  std::string secret_access_key;
  std::string session_token;

  std::string profile;           // empty: AWS_PROFILE, else "default"
  std::string credentials_file;  // empty: AWS_SHARED_CREDENTIALS_FILE, else ~/.aws/credentials
  std::filesystem::path home;    // for "~"
  Environment environment;       // only AWS_* are looked at

  std::string region = "us-east-1";               // of the token service
  std::chrono::seconds web_identity_duration{0};  // 0 = the role's own
  std::chrono::seconds expiry_window{300};        // refreshed so long before they end
};

/// Tries each source once until one answers, keeps to it, and refreshes what expires: one request
/// at a time, whoever asks; old credentials serve while they are valid.
///
/// `client`, `files` and `clock` outlive it.
std::unique_ptr<CredentialsSource> make_credentials(CredentialsConfig config, http::Client& client,
                                                    io::BlockingPool& files, const Clock& clock);

/// The region the environment or the profile names; for services without one in configuration.
/// Blocking (reads the profile file).
std::optional<std::string> find_region_blocking(const CredentialsConfig& config);

}  // namespace tarn::aws
