// Staging areas: one KV partition per staging token, one record per changed key
// (storage-format.md 2.5, 3.4). Which tokens a branch has is refs/branches.h's business.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/context.h"
#include "base/id.h"
#include "base/task.h"
#include "kv/store.h"
#include "versioning/streams.h"
#include "versioning/types.h"

namespace tarn::versioning {

/// "<repository>-<branch>:<uuid>". Opaque afterwards: never parse one.
std::string make_staging_token(const RepositoryId& repository, const BranchId& branch);

/// A branch's tokens in reading order: the current one, then the sealed ones, newest first.
std::vector<std::string> staging_tokens(const Branch& branch);

struct StagedRecord {
  std::optional<Value> value;  // nullopt: a tombstone
  std::string stored;          // for kv::Expect::value()
};

/// Thread-safe. Throws what Store throws and Error{corrupt}.
class Staging {
 public:
  explicit Staging(kv::Store& kv) : kv_(kv) {}

  Task<std::optional<StagedRecord>> get(Context& ctx, std::string_view token, std::string_view key);
  /// The record in the first of `tokens` that has one, read in one round trip.
  Task<std::optional<StagedRecord>> get_first(Context& ctx, const std::vector<std::string>& tokens,
                                              std::string_view key);
  /// As get_first() for each key, all in one round trip; results in the order of `keys`.
  Task<std::vector<std::optional<StagedRecord>>> get_first_many(
      Context& ctx, const std::vector<std::string>& tokens, const std::vector<std::string>& keys);

  /// Records with tombstones, from the start. `likely_records`: how many the reader is likely to
  /// want in a row (kAllRecords: all of them). Must not outlive the store.
  static constexpr std::uint32_t kAllRecords = 5'000;
  std::unique_ptr<RecordStream> open(std::string token, std::uint32_t likely_records = 32);

 private:
  kv::Store& kv_;
};

/// Steps for kv::Store::run().
kv::Op set_op(const std::string& token, const std::string& key, const Value& value);
kv::Op tombstone_op(const std::string& token, const std::string& key);
kv::Op erase_op(const std::string& token, const std::string& key);

}  // namespace tarn::versioning
