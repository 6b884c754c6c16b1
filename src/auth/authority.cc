#include "auth/authority.h"

#include <algorithm>
#include <mutex>
#include <unordered_map>

#include "auth/auth_codec.h"
#include "auth/basic_migration.h"
#include "auth/installation.h"
#include "auth/login_token.h"
#include "auth/secret_box.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/format.h"
#include "base/random.h"
#include "io/sync.h"

namespace tarn::auth {

namespace {

// The built-in mode keeps one administrator under fixed keys, whatever the name (2.12).
constexpr std::string_view kBasicPartition = "basicAuth";
constexpr std::string_view kUserKey = "users/superAdmin";
constexpr std::string_view kCredentialPrefix = "uCredentials/superAdmin/credentials/";
// Keys beyond the first: the reference expects exactly one credential in its own partition.
constexpr std::string_view kExtraPartition = "tarn/auth";
constexpr std::size_t kCredentialsMax = 100;

std::string credential_key(std::string_view access_key_id) {
  return std::string(kCredentialPrefix).append(access_key_id);
}

/// AKIAJ + 14 of A-Z2-7 + Q, as the reference makes them (5.8).
std::string make_access_key_id() {
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  std::string id = "AKIAJ";
  for (const char byte : random_bytes(14)) {
    id.push_back(kAlphabet[static_cast<unsigned char>(byte) % kAlphabet.size()]);
  }
  return id + 'Q';
}

std::string make_secret() {
  return to_base64(random_bytes(30));
}

bool acceptable_key_id(std::string_view id) {
  return !id.empty() && id.size() <= 128 && id.find('/') == std::string_view::npos &&
         std::ranges::all_of(id, [](char c) { return c > ' ' && c < 127; });
}

}  // namespace

struct Authority::Impl {
  kv::Store& kv;
  Clock& clock;
  AuthConfig config;
  Installation installation{kv};
  std::string installation_id;
  io::Semaphore setup_turn{1};

  struct Cached {
    std::shared_ptr<const KnownKey> key;  // shared with requests under way
    std::chrono::steady_clock::time_point expires;
  };

  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;  // NOLINT(readability-identifier-naming): the library's
  };

  std::mutex mutex;
  std::unordered_map<std::string, Cached, Hash, std::equal_to<>> keys;  // by access key id
  std::optional<User> user;  // the administrator, once read
  std::chrono::steady_clock::time_point user_expires;

  std::shared_ptr<const KnownKey> cached_key(std::string_view id) {
    const std::lock_guard lock(mutex);
    const auto it = keys.find(id);
    if (it == keys.end() || it->second.expires < std::chrono::steady_clock::now()) return nullptr;
    return it->second.key;
  }

  void remember(std::shared_ptr<const KnownKey> key) {
    const std::lock_guard lock(mutex);
    // Full of keys: a reload costs a millisecond each, so a plain flush is enough.
    if (keys.size() >= config.cache_entries) keys.clear();
    // No longer than the user in it, who may come from the cache.
    const auto expires =
        std::min(std::chrono::steady_clock::now() + config.cache_age, user_expires);
    std::string id = key->secret.credential.access_key_id;
    keys.insert_or_assign(std::move(id), Cached{std::move(key), expires});
  }

  void forget(std::string_view id) {
    const std::lock_guard lock(mutex);
    keys.erase(std::string(id));
  }

  Task<std::optional<StoredCredential>> find_stored(Context& ctx, std::string_view id) {
    if (!acceptable_key_id(id)) co_return std::nullopt;
    std::vector<kv::Address> addresses;
    addresses.push_back({std::string(kBasicPartition), credential_key(id)});
    addresses.push_back({std::string(kExtraPartition), credential_key(id)});
    const auto found = co_await kv.get_many(ctx, std::move(addresses));
    for (const auto& value : found) {
      if (value) co_return decode_credential(*value);
    }
    co_return std::nullopt;
  }

  CredentialSecret make_credential(std::string_view username,
                                   std::optional<std::pair<std::string, std::string>> key) const {
    return {.credential = {.access_key_id = key ? key->first : make_access_key_id(),
                           .issued_date = clock.now()},
            .secret_access_key = key ? key->second : make_secret(),
            .username = std::string(username)};
  }

  std::string seal(const CredentialSecret& secret) const {
    return encode_credential(
        {.credential = secret.credential,
         .sealed_secret = seal_secret(config.secret_key, secret.secret_access_key),
         .username = secret.username});
  }

  Task<std::vector<Credential>> list_in(Context& ctx, std::string_view partition) {
    auto cursor = kv.scan(partition, {.prefix = std::string(kCredentialPrefix)});
    std::vector<Credential> credentials;
    while (cursor->next() || co_await cursor->fill(ctx)) {
      credentials.push_back(decode_credential(cursor->value()).credential);
    }
    co_return credentials;
  }
};

Authority::Authority(kv::Store& kv, Clock& clock, AuthConfig config)
    : impl_(new Impl{.kv = kv, .clock = clock, .config = std::move(config)}) {}

Authority::~Authority() = default;

Task<> Authority::open(Context& ctx) {
  co_await impl_->installation.check_schema(ctx);
  impl_->installation_id = co_await impl_->installation.open_id(ctx);
  if (co_await is_initialized(ctx) && !co_await impl_->kv.get(ctx, kBasicPartition, kUserKey)) {
    co_await migrate_administrator(ctx, impl_->kv, impl_->config.secret_key);
  }
}

const std::string& Authority::installation_id() const {
  return impl_->installation_id;
}

Task<bool> Authority::is_initialized(Context& ctx) {
  return impl_->installation.is_initialized(ctx);
}

Task<CredentialSecret> Authority::setup(Context& ctx, std::string_view username,
                                        std::optional<std::pair<std::string, std::string>> key) {
  if (username.empty()) throw Error(ErrorCode::invalid_argument, "empty user display name");
  if (!is_valid_utf8(username)) {
    throw Error(ErrorCode::invalid_argument, "user name is not valid UTF-8");
  }
  if (key && (!acceptable_key_id(key->first) || key->second.empty())) {
    throw Error(ErrorCode::invalid_argument, "invalid access key pair");
  }
  const auto turn = co_await impl_->setup_turn.acquire(ctx);
  if (co_await is_initialized(ctx)) {
    throw Error(ErrorCode::already_exists, "lakeFS already initialized");
  }
  const CredentialSecret secret = impl_->make_credential(username, std::move(key));
  const User user{.username = std::string(username),
                  .created_at = secret.credential.issued_date,
                  .source = "internal"};
  const std::string id = secret.credential.access_key_id;
  // One round trip, the time stamp last: until it is there the rest is invisible and a repeated
  // set-up writes over it.
  std::vector<kv::Op> ops;
  ops.push_back(
      kv::Op::set(std::string(kBasicPartition), std::string(kUserKey), encode_user(user)));
  ops.push_back(kv::Op::set(std::string(kBasicPartition), credential_key(id), impl_->seal(secret)));
  for (auto& op : Installation::setup_ops(impl_->clock.now()))
    ops.push_back(std::move(op));
  const auto results = co_await impl_->kv.run(ctx, std::move(ops));
  if (!results.back().stored) {  // another server was first
    co_await impl_->kv.erase(ctx, kBasicPartition, credential_key(id));
    throw Error(ErrorCode::already_exists, "lakeFS already initialized");
  }
  co_return secret;
}

Task<std::optional<bool>> Authority::comm_prefs_set(Context& ctx) {
  return impl_->installation.comm_prefs_set(ctx);
}

Task<> Authority::set_comm_prefs(Context& ctx, CommPrefs prefs) {
  return impl_->installation.set_comm_prefs(ctx, std::move(prefs));
}

Task<std::shared_ptr<const KnownKey>> Authority::find_key(Context& ctx,
                                                          std::string_view access_key_id) {
  if (auto cached = impl_->cached_key(access_key_id)) co_return cached;
  const auto stored = co_await impl_->find_stored(ctx, access_key_id);
  if (!stored) co_return nullptr;
  auto opened = open_secret(impl_->config.secret_key, stored->sealed_secret);
  if (!opened) {
    throw Error(ErrorCode::corrupt,
                "a stored credential cannot be decrypted: auth.encrypt.secret_key is not the one "
                "it was stored with");
  }
  CredentialSecret secret{.credential = stored->credential,
                          .secret_access_key = *std::move(opened),
                          .username = stored->username};
  auto key = std::make_shared<KnownKey>();
  // Built-in credentials of the reference name the fixed user; people see the real name.
  if (auto user = co_await find_user(ctx, stored->username)) {
    secret.username = user->username;
    key->principal =
        Principal{.user = *std::move(user), .access_key_id = secret.credential.access_key_id};
  }
  key->secret = std::move(secret);
  if (key->principal) impl_->remember(key);
  co_return key;
}

Task<std::optional<CredentialSecret>> Authority::find_secret(Context& ctx,
                                                             std::string_view access_key_id) {
  const auto key = co_await find_key(ctx, access_key_id);
  if (!key) co_return std::nullopt;
  co_return key->secret;
}

Task<std::optional<Principal>> Authority::authenticate_basic(Context& ctx,
                                                             std::string_view access_key_id,
                                                             std::string_view secret_access_key) {
  const auto key = co_await find_key(ctx, access_key_id);
  if (!key || !equal_constant_time(key->secret.secret_access_key, secret_access_key)) {
    co_return std::nullopt;
  }
  co_return key->principal;
}

Task<std::optional<Principal>> Authority::principal_of(Context& ctx,
                                                       std::string_view access_key_id) {
  const auto key = co_await find_key(ctx, access_key_id);
  if (!key) co_return std::nullopt;
  co_return key->principal;
}

Authority::Token Authority::issue_token(const User& user) {
  const std::int64_t now = impl_->clock.now().seconds;
  const std::int64_t expires_at = now + impl_->config.login_duration.count();
  return {.jwt = sign_login_token(impl_->config.secret_key, {.subject = user.username,
                                                             .id = make_uuid(),
                                                             .issued_at = now,
                                                             .expires_at = expires_at}),
          .expires_at = expires_at};
}

Task<std::optional<Principal>> Authority::authenticate_token(Context& ctx, std::string_view jwt) {
  const auto claims = verify_login_token(impl_->config.secret_key, jwt, impl_->clock.now().seconds);
  if (!claims) co_return std::nullopt;
  auto user = co_await find_user(ctx, claims->subject);
  if (!user) co_return std::nullopt;
  co_return Principal{.user = *std::move(user)};
}

Task<std::optional<User>> Authority::find_user(Context& ctx, std::string_view username) {
  const auto matches = [&](const User& user) {
    return user.username == username || username == "superAdmin";
  };
  {
    const std::lock_guard lock(impl_->mutex);
    if (impl_->user && impl_->user_expires > std::chrono::steady_clock::now()) {
      co_return matches(*impl_->user) ? impl_->user : std::nullopt;
    }
  }
  const auto stored = co_await impl_->kv.get(ctx, kBasicPartition, kUserKey);
  if (!stored) co_return std::nullopt;
  User user = decode_user(*stored);
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->user = user;
    impl_->user_expires = std::chrono::steady_clock::now() + impl_->config.cache_age;
  }
  if (!matches(user)) co_return std::nullopt;
  co_return user;
}

Task<CredentialSecret> Authority::create_credentials(Context& ctx, std::string_view username) {
  const auto user = co_await find_user(ctx, username);
  if (!user) throw Error(ErrorCode::not_found, "user not found");
  if ((co_await list_credentials(ctx, username)).size() >= kCredentialsMax) {
    throw Error(ErrorCode::invalid_argument,
                "exceeded number of allowed credentials: invalid request");
  }
  CredentialSecret secret = impl_->make_credential(user->username, std::nullopt);
  const bool first = (co_await impl_->list_in(ctx, kBasicPartition)).empty();
  co_await impl_->kv.set(ctx, first ? kBasicPartition : kExtraPartition,
                         credential_key(secret.credential.access_key_id), impl_->seal(secret));
  co_return secret;
}

Task<std::vector<Credential>> Authority::list_credentials(Context& ctx, std::string_view username) {
  if (!co_await find_user(ctx, username)) throw Error(ErrorCode::not_found, "user not found");
  auto credentials = co_await impl_->list_in(ctx, kBasicPartition);
  for (auto& extra : co_await impl_->list_in(ctx, kExtraPartition)) {
    credentials.push_back(std::move(extra));
  }
  std::ranges::sort(credentials, {}, &Credential::access_key_id);
  co_return credentials;
}

Task<bool> Authority::delete_credentials(Context& ctx, std::string_view username,
                                         std::string_view access_key_id) {
  if (!co_await find_user(ctx, username)) throw Error(ErrorCode::not_found, "user not found");
  if (!co_await impl_->find_stored(ctx, access_key_id)) co_return false;
  std::vector<kv::Op> ops;
  ops.push_back(kv::Op::erase(std::string(kBasicPartition), credential_key(access_key_id)));
  ops.push_back(kv::Op::erase(std::string(kExtraPartition), credential_key(access_key_id)));
  co_await impl_->kv.run(ctx, std::move(ops));
  impl_->forget(access_key_id);
  co_return true;
}

void Authority::authorize(const std::optional<Principal>& principal,
                          const std::vector<Permission>& permissions) const {
  static_cast<void>(permissions);
  if (!may_everything(principal)) {
    throw Error(ErrorCode::unauthenticated, "error authenticating request");
  }
}

bool Authority::may_everything(const std::optional<Principal>& principal) const {
  return principal.has_value();
}

}  // namespace tarn::auth
