// An S3 service in the test's process, in memory: what block/s3 asks for and no more.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "block/s3/testing/troubled_service.h"

namespace tarn::block {
class MemObjectStore;
}

namespace tarn::block::testing {

/// Looks at no signature, and takes parts of any size. Thread-safe.
class FakeService {
 public:
  FakeService();
  ~FakeService();
  FakeService(const FakeService&) = delete;
  FakeService& operator=(const FakeService&) = delete;

  Task<ServiceAnswer> serve(Context& ctx, ServiceRequest request);

  /// Forgets every bucket.
  void clear();

 private:
  struct Call;

  std::shared_ptr<MemObjectStore> store() const;
  Task<ServiceAnswer> serve_bucket(Context& ctx, Call call);
  static Task<ServiceAnswer> remove_many(Context& ctx, Call call);
  Task<ServiceAnswer> serve_object(Context& ctx, Call call);
  Task<ServiceAnswer> serve_upload(Context& ctx, Call call);
  Task<ServiceAnswer> list(Context& ctx, Call call);
  ServiceAnswer list_uploads(const Call& call) const;
  Task<ServiceAnswer> read(Context& ctx, Call call);
  Task<ServiceAnswer> put(Context& ctx, Call call);
  Task<ServiceAnswer> copy(Context& ctx, Call call);
  Task<ServiceAnswer> put_part(Context& ctx, Call call, std::uint32_t number, std::string id);
  Task<ServiceAnswer> complete(Context& ctx, Call call, std::string id);
  Task<ServiceAnswer> list_parts(Context& ctx, Call call, std::string id);

  mutable std::mutex mutex_;
  std::shared_ptr<MemObjectStore> store_;  // guarded by mutex_, as is what follows
  std::set<std::string> buckets_;
  std::map<std::string, std::string> uploads_;  // id to "bucket/key"
};

}  // namespace tarn::block::testing
