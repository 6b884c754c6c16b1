// The installation's own records: id, schema version, set-up time, preferences
// (storage-format.md 1.4, 2.12).
#pragma once

#include <optional>
#include <string>

#include "auth/authority.h"
#include "base/context.h"
#include "base/task.h"
#include "kv/store.h"

namespace tarn::auth {

inline constexpr std::string_view kAuthPartition = "auth";
inline constexpr std::string_view kSetupKey = "installation_metadata/setup_timestamp";

class Installation {
 public:
  explicit Installation(kv::Store& kv) : kv_(kv) {}

  /// Error{invalid_argument} when the stored schema is older or newer than this server serves.
  Task<> check_schema(Context& ctx);
  /// The stored id wins; one is made if there is none.
  Task<std::string> open_id(Context& ctx);
  Task<bool> is_initialized(Context& ctx);
  /// The records set-up adds besides the administrator, setup_timestamp last.
  static std::vector<kv::Op> setup_ops(Timestamp now);
  Task<std::optional<bool>> comm_prefs_set(Context& ctx);
  Task<> set_comm_prefs(Context& ctx, Authority::CommPrefs prefs);

 private:
  kv::Store& kv_;
};

}  // namespace tarn::auth
