#include "auth/basic_migration.h"

#include <optional>
#include <vector>

#include "auth/auth_codec.h"
#include "auth/secret_box.h"
#include "base/error.h"
#include "base/format.h"
#include "base/log.h"

namespace tarn::auth {

namespace {

constexpr std::string_view kOldPartition = "auth";
constexpr std::string_view kNewPartition = "basicAuth";
constexpr std::string_view kFixedName = "superAdmin";

[[noreturn]] void refuse(std::string_view why) {
  throw Error(
      ErrorCode::invalid_argument,
      format("the installation is set up, but holds no built-in administrator, and none can "
             "be made of its users: {}. It was run with another authentication mode, which "
             "this version does not take over",
             why));
}

/// The one record below `prefix`.
Task<std::string> only_record(Context& ctx, kv::Store& kv, std::string prefix,
                              std::string_view what) {
  auto cursor = kv.scan(kOldPartition, {.prefix = std::move(prefix), .page_keys = 2});
  std::optional<std::string> found;
  while (cursor->next() || co_await cursor->fill(ctx)) {
    if (found) refuse(format("there is more than one {}", what));
    found = std::string(cursor->value());
  }
  if (!found) refuse(format("there is no {}", what));
  co_return *std::move(found);
}

}  // namespace

Task<> migrate_administrator(Context& ctx, kv::Store& kv, std::string secret_key) {
  const std::string user_record = co_await only_record(ctx, kv, "users/", "user");
  const User user = decode_user(user_record);
  StoredCredential credential = decode_credential(co_await only_record(
      ctx, kv, format("uCredentials/{}/credentials/", user.username), "credential of that user"));
  const auto secret = open_secret(secret_key, credential.sealed_secret);
  if (!secret) refuse("auth.encrypt.secret_key is not the one its secret was stored with");
  credential.sealed_secret = seal_secret(secret_key, *secret);
  credential.username = user.username;  // the fixed name is in the keys only
  const std::string key =
      format("uCredentials/{}/credentials/{}", kFixedName, credential.credential.access_key_id);
  // The user last: while it is missing, this is done again.
  std::vector<kv::Op> ops;
  ops.push_back(kv::Op::set(std::string(kNewPartition), key, encode_credential(credential)));
  ops.push_back(kv::Op::set_if(std::string(kNewPartition), format("users/{}", kFixedName),
                               user_record, kv::Expect::absent()));
  co_await kv.run(ctx, std::move(ops));
  log::info("the administrator now has the built-in mode's place", {{"user", user.username}});
}

}  // namespace tarn::auth
