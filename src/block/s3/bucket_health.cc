#include "block/s3/bucket_health.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/format.h"
#include "base/log.h"

namespace tarn::block::s3 {

namespace {

constexpr std::size_t kBucketsMax = 1'000;  // further ones are not watched
constexpr std::string_view kNotAsked = "not asked yet";

constexpr std::array<std::string_view, 7> kAboutKeys = {
    "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken",        "ExpiredTokenException",
    "InvalidToken",       "RequestTimeTooSkewed",  "TokenRefreshRequired"};

}  // namespace

bool is_about_keys(std::string_view refusal) {
  return std::ranges::find(kAboutKeys, refusal) != kAboutKeys.end();
}

std::string refusal_in(std::uint16_t status, std::string_view code) {
  if (code == "NoSuchBucket" || is_about_keys(code)) return std::string(code);
  if (status != 401 && status != 403) return {};
  return code.empty() ? format("status {}", status) : std::string(code);
}

std::string bucket_of_namespace(std::string_view storage_namespace) {
  constexpr std::string_view kScheme = "s3://";
  if (!storage_namespace.starts_with(kScheme)) return {};
  storage_namespace.remove_prefix(kScheme.size());
  return std::string(storage_namespace.substr(0, storage_namespace.find('/')));
}

BucketHealth::BucketHealth(std::string expected) {
  if (!expected.empty()) refusals_[std::move(expected)] = kNotAsked;
}

void BucketHealth::mark(const std::string& bucket, std::string& known, const std::string& refusal) {
  if (known == refusal) return;
  // A HEAD tells no code: what an answer with one said before is the better reason.
  if (!known.empty() && known != kNotAsked && refusal.starts_with("status ")) return;
  if (!refusal.empty()) {
    log::error("the object store refuses a bucket", {{"bucket", bucket}, {"reason", refusal}});
  } else if (known != kNotAsked) {
    log::info("the object store accepts a bucket again", {{"bucket", bucket}});
  }
  known = refusal;
}

void BucketHealth::note(const std::string& bucket, std::uint16_t status, std::string_view code) {
  const std::string refusal = refusal_in(status, code);
  const bool works = status >= 200 && status < 300 && code.empty();
  if (refusal.empty() && !works) return;  // says nothing about the bucket
  const std::scoped_lock lock(mutex_);
  if (is_about_keys(refusal)) {
    for (auto& [name, known] : refusals_)
      mark(name, known, refusal);
    return;
  }
  const auto found = refusals_.find(bucket);
  if (found != refusals_.end()) {
    mark(bucket, found->second, refusal);
  } else if (works && refusals_.size() < kBucketsMax) {
    refusals_.try_emplace(bucket);
  }
}

std::optional<std::string> BucketHealth::suspect() const {
  const std::scoped_lock lock(mutex_);
  const auto works = [](const auto& one) { return one.second.empty(); };
  if (refusals_.empty() || std::ranges::any_of(refusals_, works)) return std::nullopt;
  return refusals_.begin()->first;
}

std::optional<std::string> BucketHealth::refusal_of(const std::string& bucket) const {
  const std::scoped_lock lock(mutex_);
  const auto found = refusals_.find(bucket);
  if (found == refusals_.end() || found->second.empty()) return std::nullopt;
  return found->second;
}

}  // namespace tarn::block::s3
