// Who may do what: first-run set-up, users and credentials in the reference's record formats
// (storage-format.md 2.12), logins, and the permission check both edges call.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/context.h"
#include "base/task.h"
#include "base/time.h"
#include "kv/store.h"

namespace tarn::auth {

struct AuthConfig {
  std::string secret_key;  // auth.encrypt.secret_key: encrypts stored secrets, signs login tokens
  std::chrono::seconds login_duration{7 * 24 * 3600};
  std::chrono::seconds cache_age{20};
  std::size_t cache_entries = 1'024;
};

struct User {
  std::string username;
  Timestamp created_at;
  std::string friendly_name, email, source, external_id;

  /// The name written into commits: e-mail if set, else username.
  const std::string& committer() const { return email.empty() ? username : email; }
};

struct Credential {
  std::string access_key_id;
  Timestamp issued_date;
};

/// With the secret in clear: only at creation and inside signature checks. Never logged.
struct CredentialSecret {
  Credential credential;
  std::string secret_access_key;
  std::string username;
};

/// An authenticated caller.
struct Principal {
  User user;
  std::string access_key_id;  // "" for a token login
};

/// An access key with its secret, and the caller it makes.
struct KnownKey {
  CredentialSecret secret;
  std::optional<Principal> principal;  // nullopt: its user is gone
};

/// "fs:ReadObject" on "arn:lakefs:fs:::repository/r/object/p"; names in lakefs-http-behaviour.md
/// 7, 8.
struct Permission {
  std::string_view action;
  std::string resource;
};

/// Thread-safe. Wrong or unknown credentials are nullopt, never an exception.
class Authority {
 public:
  Authority(kv::Store& kv, Clock& clock, AuthConfig config);
  ~Authority();
  Authority(const Authority&) = delete;
  Authority& operator=(const Authority&) = delete;

  // --- installation ---
  /// Reads or creates the installation id, checks the schema version (1.4) and, for a taken-over
  /// installation, the administrator's migration (2.12). Throws Error{invalid_argument} when the
  /// stored schema cannot be served. Call once at start.
  Task<> open(Context& ctx);
  const std::string& installation_id() const;
  Task<bool> is_initialized(Context& ctx);
  /// First administrator. `key` fixes the pair (6.2); otherwise it is generated. Nothing, not even
  /// half of it, is visible unless it returns. Error{already_exists} "lakeFS already initialized",
  /// Error{invalid_argument} "empty user display name".
  Task<CredentialSecret> setup(Context& ctx, std::string_view username,
                               std::optional<std::pair<std::string, std::string>> key);
  /// nullopt = never recorded.
  Task<std::optional<bool>> comm_prefs_set(Context& ctx);

  struct CommPrefs {
    std::string email, first_name, last_name, company_name;
    bool feature_updates = false, security_updates = false;
  };

  Task<> set_comm_prefs(Context& ctx, CommPrefs prefs);

  // --- identity ---
  /// For signature checks. Null: there is no such key. Cached.
  Task<std::shared_ptr<const KnownKey>> find_key(Context& ctx, std::string_view access_key_id);
  Task<std::optional<CredentialSecret>> find_secret(Context& ctx, std::string_view access_key_id);
  Task<std::optional<Principal>> authenticate_basic(Context& ctx, std::string_view access_key_id,
                                                    std::string_view secret_access_key);
  /// For signatures verified by an edge.
  Task<std::optional<Principal>> principal_of(Context& ctx, std::string_view access_key_id);

  struct Token {
    std::string jwt;
    std::int64_t expires_at = 0;  // Unix seconds
  };

  Token issue_token(const User& user);
  Task<std::optional<Principal>> authenticate_token(Context& ctx, std::string_view jwt);
  Task<std::optional<User>> find_user(Context& ctx, std::string_view username);

  // --- the user's own credentials ---
  Task<CredentialSecret> create_credentials(Context& ctx, std::string_view username);
  Task<std::vector<Credential>> list_credentials(Context& ctx, std::string_view username);
  /// false: no such key.
  Task<bool> delete_credentials(Context& ctx, std::string_view username,
                                std::string_view access_key_id);

  // --- permission ---
  /// Throws Error{unauthenticated} "error authenticating request" for no principal, or
  /// Error{permission_denied} "insufficient permissions: not allowed to <action>". Today the one
  /// administrator may do everything; policies come with their own issue.
  void authorize(const std::optional<Principal>& principal,
                 const std::vector<Permission>& permissions) const;
  /// Whether authorize() agrees to anything for this caller: then nobody has to spell out what.
  bool may_everything(const std::optional<Principal>& principal) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tarn::auth
