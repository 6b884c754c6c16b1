// Derived Signature Version 4 keys, and the cache that saves deriving one for every request.
#pragma once

#include <cstddef>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/hash.h"

namespace tarn::aws {

/// One day's key of one credential for one region and service. Thread-safe.
class SigningKey {
 public:
  /// `scope` is "yyyymmdd/region/service/aws4_request".
  SigningKey(std::string_view secret, std::string_view scope);

  /// 64 lower-case hex characters.
  std::string sign(std::string_view message) const;

  bool made_from(std::string_view secret) const;

  /// The raw 32 bytes.
  const std::string& bytes() const noexcept { return key_; }

 private:
  std::string secret_;  // compared on every use: a key id may get another secret
  std::string key_;
  mutable std::mutex mutex_;
  mutable HmacSha256 hmac_;  // keyed once: a fifth of the cost of keying it for every message
};

/// Bounded, least recently used goes first. Thread-safe.
class SigningKeyCache {
 public:
  explicit SigningKeyCache(std::size_t keys_max = 4'096);
  ~SigningKeyCache();
  SigningKeyCache(const SigningKeyCache&) = delete;
  SigningKeyCache& operator=(const SigningKeyCache&) = delete;

  /// `credential` is "access key/scope". Null when unknown or made from another secret.
  std::shared_ptr<const SigningKey> find(std::string_view credential, std::string_view secret);

  /// Call only for a key that has verified a signature, so that nobody without a secret can
  /// push others out.
  void keep(std::string_view credential, std::shared_ptr<const SigningKey> key);

  std::size_t size() const;

 private:
  struct Entry {
    std::string credential;
    std::shared_ptr<const SigningKey> key;  // shared with requests under way
  };

  const std::size_t keys_max_;
  mutable std::mutex mutex_;
  std::list<Entry> entries_;  // most recently used first
  std::unordered_map<std::string_view, std::list<Entry>::iterator> by_credential_;
};

}  // namespace tarn::aws
