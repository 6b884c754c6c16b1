#include "aws/signing_key.h"

#include <utility>

#include "base/bytes.h"
#include "base/error.h"

namespace tarn::aws {

namespace {

std::string derive_key(std::string_view secret, std::string_view scope) {
  std::string key = "AWS4";
  key.append(secret);
  // One HMAC for each of the date, region, service and terminator.
  while (true) {
    const std::size_t slash = scope.find('/');
    key = hmac_sha256(key, scope.substr(0, slash));
    if (slash == std::string_view::npos) return key;
    scope.remove_prefix(slash + 1);
  }
}

}  // namespace

SigningKey::SigningKey(std::string_view secret, std::string_view scope)
    : secret_(secret), key_(derive_key(secret, scope)), hmac_(key_) {}

std::string SigningKey::sign(std::string_view message) const {
  std::string mac;
  {
    const std::scoped_lock lock(mutex_);
    mac = hmac_(message);
  }
  return to_hex(mac);
}

bool SigningKey::made_from(std::string_view secret) const {
  return equal_constant_time(secret_, secret);
}

SigningKeyCache::SigningKeyCache(std::size_t keys_max) : keys_max_(keys_max) {
  TARN_ASSERT(keys_max > 0);
}

SigningKeyCache::~SigningKeyCache() = default;

std::shared_ptr<const SigningKey> SigningKeyCache::find(std::string_view credential,
                                                        std::string_view secret) {
  const std::scoped_lock lock(mutex_);
  const auto found = by_credential_.find(credential);
  if (found == by_credential_.end() || !found->second->key->made_from(secret)) return nullptr;
  entries_.splice(entries_.begin(), entries_, found->second);
  return found->second->key;
}

void SigningKeyCache::keep(std::string_view credential, std::shared_ptr<const SigningKey> key) {
  const std::scoped_lock lock(mutex_);
  if (const auto found = by_credential_.find(credential); found != by_credential_.end()) {
    found->second->key = std::move(key);
    entries_.splice(entries_.begin(), entries_, found->second);
    return;
  }
  if (entries_.size() == keys_max_) {
    by_credential_.erase(entries_.back().credential);
    entries_.pop_back();
  }
  entries_.push_front({.credential = std::string(credential), .key = std::move(key)});
  by_credential_.emplace(entries_.front().credential, entries_.begin());
}

std::size_t SigningKeyCache::size() const {
  const std::scoped_lock lock(mutex_);
  return entries_.size();
}

}  // namespace tarn::aws
