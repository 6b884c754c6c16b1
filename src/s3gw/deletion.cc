#include "s3gw/deletion.h"

#include <map>
#include <utility>

#include "aws/aws_date.h"
#include "base/error.h"
#include "s3gw/conditions.h"
#include "s3gw/error_response.h"

namespace tarn::s3gw {

namespace {

using aws::S3Error;
using aws::S3ErrorCode;
using Outcomes = std::vector<std::optional<S3Error>>;

std::optional<S3Error> failed(std::string_view condition) {
  return S3Error{.code = S3ErrorCode::precondition_failed,
                 .details = {{"Condition", std::string(condition)}}};
}

std::optional<S3Error> check(const DeleteCondition& condition, const catalog::Entry& entry) {
  if (condition.etag && !etag_matches(*condition.etag, entry.etag)) return failed("If-Match");
  if (condition.size && *condition.size != entry.size) return failed("x-amz-if-match-size");
  if (condition.last_modified) {
    std::optional<std::int64_t> seconds;
    if (const auto date = aws::parse_aws_date(*condition.last_modified)) {
      seconds = date->seconds;
    } else if (const auto rfc3339 = parse_rfc3339(*condition.last_modified)) {
      seconds = rfc3339->seconds;
    }
    if (seconds != entry.last_modified.seconds) {
      return failed("x-amz-if-match-last-modified-time");
    }
  }
  return std::nullopt;
}

/// Indices of deletions by branch; what can be answered at once is answered.
std::map<BranchId, std::vector<std::size_t>> sort_by_branch(
    const std::vector<Deletion>& deletions, Outcomes& outcomes,
    std::vector<std::pair<std::size_t, std::string>>& strange) {
  std::map<BranchId, std::vector<std::size_t>> batches;
  for (std::size_t i = 0; i < deletions.size(); ++i) {
    const ObjectKey key = split_key(deletions[i].key);
    if (!key.has_path || key.path.empty()) continue;
    if (auto ok = check_path(key.path); !ok) {
      outcomes[i] = std::move(ok.error());
    } else if (auto branch = BranchId::parse(key.ref)) {
      batches[*std::move(branch)].push_back(i);
    } else if (key.ref.empty()) {
      outcomes[i] = S3Error{.code = S3ErrorCode::invalid_argument};
    } else {
      strange.emplace_back(i, key.ref);
    }
  }
  return batches;
}

class BranchDeletion {
 public:
  BranchDeletion(Call& call, const BranchId& branch, const std::vector<Deletion>& deletions,
                 Outcomes& outcomes)
      : call_(call), branch_(branch), deletions_(deletions), outcomes_(outcomes) {}

  Task<> run(Context& ctx, const std::vector<std::size_t>& batch);

 private:
  /// False when the deletion must not happen, for a condition that fails or nothing to delete.
  Task<bool> holds(Context& ctx, std::size_t index, const std::string& path);

  Call& call_;
  const BranchId& branch_;
  const std::vector<Deletion>& deletions_;
  Outcomes& outcomes_;
};

Task<bool> BranchDeletion::holds(Context& ctx, std::size_t index, const std::string& path) {
  const DeleteCondition& condition = deletions_[index].condition;
  if (condition.empty()) co_return true;
  const auto entry =
      co_await call_.services.catalog.find(ctx, *call_.repository, branch_.str(), path);
  if (!entry) co_return false;
  outcomes_[index] = check(condition, *entry);
  co_return !outcomes_[index];
}

Task<> BranchDeletion::run(Context& ctx, const std::vector<std::size_t>& batch) {
  std::optional<S3Error> all;
  bool missing = false;
  try {
    co_await call_.services.catalog.engine().check_write(ctx, *call_.repository, branch_, {});
    std::vector<std::size_t> indices;
    std::vector<std::string> paths;
    for (const std::size_t i : batch) {
      std::string path = split_key(deletions_[i].key).path;
      if (!co_await holds(ctx, i, path)) continue;
      indices.push_back(i);
      paths.push_back(std::move(path));
    }
    if (paths.empty()) co_return;
    const auto results = co_await call_.services.catalog.remove(ctx, *call_.repository, branch_,
                                                                std::move(paths), {});
    for (std::size_t n = 0; n < indices.size(); ++n) {
      if (results[n]) outcomes_[indices[n]] = s3_error_of(*results[n]);
    }
  } catch (const Error& error) {
    missing = error.code() == ErrorCode::branch_not_found;
    if (!missing && error.code() != ErrorCode::protected_branch) throw;
    all = s3_error_of(error);
  }
  if (missing) all = co_await explain_missing_branch(ctx, call_, branch_.str());
  if (!all) co_return;
  for (const std::size_t i : batch)
    outcomes_[i] = all;
}

}  // namespace

Task<Outcomes> delete_keys(Context& ctx, Call& call, const std::vector<Deletion>& deletions) {
  Outcomes outcomes(deletions.size());
  std::vector<std::pair<std::size_t, std::string>> strange;
  const auto batches = sort_by_branch(deletions, outcomes, strange);
  for (const auto& [index, ref] : strange) {
    outcomes[index] = co_await explain_missing_branch(ctx, call, ref);
  }
  for (const auto& [branch, batch] : batches) {
    BranchDeletion deletion(call, branch, deletions, outcomes);
    co_await deletion.run(ctx, batch);
  }
  co_return outcomes;
}

}  // namespace tarn::s3gw
