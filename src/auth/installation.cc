#include "auth/installation.h"

#include <charconv>

#include "base/bytes.h"
#include "base/error.h"
#include "base/format.h"
#include "base/random.h"

namespace tarn::auth {

namespace {

constexpr std::string_view kSchemaPartition = "kv-internal-metadata";
constexpr std::string_view kSchemaKey = "kv/schema/version";
constexpr int kSchemaVersion = 4;
constexpr std::string_view kIdKey = "installation_id";
constexpr std::string_view kPrefix = "installation_metadata/";
constexpr std::string_view kCommPrefsKey = "installation_metadata/comm_prefs_set";

std::string metadata_key(std::string_view name) {
  return std::string(kPrefix).append(name);
}

}  // namespace

Task<> Installation::check_schema(Context& ctx) {
  const auto stored = co_await kv_.get(ctx, kSchemaPartition, kSchemaKey);
  if (!stored) co_return;  // a new installation: set-up writes it
  int version = 0;
  const auto [end, error] =
      std::from_chars(stored->data(), stored->data() + stored->size(), version);
  if (error != std::errc{} || end != stored->data() + stored->size()) {
    throw Error(ErrorCode::invalid_argument, "metadata store: schema version is not a number");
  }
  if (version < kSchemaVersion && version >= 1) {
    throw Error(ErrorCode::invalid_argument,
                format("metadata store has schema version {}: migrate it with the program that "
                       "wrote it first (version {} is served)",
                       version, kSchemaVersion));
  }
  if (version != kSchemaVersion) {
    throw Error(ErrorCode::invalid_argument,
                format("metadata store has schema version {}, this server knows {}", version,
                       kSchemaVersion));
  }
}

Task<std::string> Installation::open_id(Context& ctx) {
  std::string id = make_uuid();
  if (co_await kv_.set_if(ctx, kAuthPartition, kIdKey, id, kv::Expect::absent()) ==
      kv::SetIf::lost) {
    auto stored = co_await kv_.get(ctx, kAuthPartition, kIdKey);
    if (stored) id = *std::move(stored);
  }
  co_return id;
}

Task<bool> Installation::is_initialized(Context& ctx) {
  co_return (co_await kv_.get(ctx, kAuthPartition, kSetupKey)).has_value();
}

std::vector<kv::Op> Installation::setup_ops(Timestamp now) {
  const std::string partition(kAuthPartition);
  const std::string time = to_rfc3339({.seconds = now.seconds, .nanos = 0});
  std::vector<kv::Op> ops;
  ops.push_back(kv::Op::set(std::string(kSchemaPartition), std::string(kSchemaKey),
                            std::to_string(kSchemaVersion)));
  ops.push_back(
      kv::Op::set_if(partition, std::string(kCommPrefsKey), "false", kv::Expect::absent()));
  ops.push_back(kv::Op::set(partition, metadata_key("setup_auth_none"), time));
  ops.push_back(kv::Op::set_if(partition, std::string(kSetupKey), time, kv::Expect::absent()));
  return ops;
}

Task<std::optional<bool>> Installation::comm_prefs_set(Context& ctx) {
  const auto stored = co_await kv_.get(ctx, kAuthPartition, kCommPrefsKey);
  if (!stored) co_return std::nullopt;
  co_return *stored == "true";
}

Task<> Installation::set_comm_prefs(Context& ctx, Authority::CommPrefs prefs) {
  const std::string partition(kAuthPartition);
  std::vector<kv::Op> ops;
  const auto encoded = [&](std::string_view name, const std::string& text) {
    ops.push_back(kv::Op::set(partition, metadata_key(name), to_base64(text)));
  };
  encoded("encoded_user_email", prefs.email);
  encoded("encoded_user_first_name", prefs.first_name);
  encoded("encoded_user_last_name", prefs.last_name);
  encoded("encoded_user_company_name", prefs.company_name);
  ops.push_back(kv::Op::set(partition, metadata_key("feature_updates"),
                            prefs.feature_updates ? "true" : "false"));
  ops.push_back(kv::Op::set(partition, std::string(kCommPrefsKey), "true"));
  co_await kv_.run(ctx, std::move(ops));
}

}  // namespace tarn::auth
