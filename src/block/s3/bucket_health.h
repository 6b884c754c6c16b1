// Which buckets refuse us, after what they answered last: a wrong key, a permission taken away or a
// deleted bucket is told apart from a service that is down, and seen without asking for it all the
// time.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace tarn::block::s3 {

/// Thread-safe. A bucket counts once it has worked: naming one that never did, as any client can,
/// says nothing about the server.
class BucketHealth {
 public:
  /// `expected` is to work from the beginning on: "" = none.
  explicit BucketHealth(std::string expected = {});

  /// The last word of the service about a request to the bucket. Logs what changes.
  void note(const std::string& bucket, std::uint16_t status, std::string_view code);

  /// A bucket worth asking again, if there is none left that works.
  std::optional<std::string> suspect() const;

  /// Why the bucket refuses us, if it does.
  std::optional<std::string> refusal_of(const std::string& bucket) const;

 private:
  static void mark(const std::string& bucket, std::string& known, const std::string& refusal);

  mutable std::mutex mutex_;
  std::map<std::string, std::string> refusals_;  // guarded by mutex_; "" = works
};

/// What an answer says against the server itself rather than the request; "" = nothing.
std::string refusal_in(std::uint16_t status, std::string_view code);
/// Whether such a refusal is about our keys, and so about every bucket.
bool is_about_keys(std::string_view refusal);

/// The bucket of "s3://bucket/prefix"; "" for anything else.
std::string bucket_of_namespace(std::string_view storage_namespace);

}  // namespace tarn::block::s3
