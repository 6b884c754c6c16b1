// Object store in an S3 service: namespace s3://bucket/prefix, address data/x, key prefix/data/x.
#pragma once

#include <memory>
#include <string>

#include "aws/credentials/credentials.h"
#include "base/time.h"
#include "block/object_store.h"
#include "block/presigner.h"
#include "block/s3/s3_config.h"
#include "http/client.h"
#include "io/blocking_pool.h"

namespace tarn::block {

namespace s3 {
struct Target;
}

/// Thread-safe. Requests are repeated while the service is in trouble, at most max_retries times
/// and never beyond the deadline; a body is read once and kept in memory part by part for that.
///
/// A multipart upload of a client is one of the service's own: its rules on part sizes hold.
class S3ObjectStore final : public ObjectStore, public Presigner {
 public:
  /// Does no I/O. `credentials` may use `client`; `pool` and `clock` outlive the store. Throws
  /// Error{invalid_argument} for an endpoint that is no URL.
  S3ObjectStore(S3Config config, std::unique_ptr<http::Client> client,
                std::unique_ptr<aws::CredentialsSource> credentials, io::BlockingPool& pool,
                const Clock& clock);
  /// After close().
  ~S3ObjectStore() override;

  Task<PutResult> put(Context& ctx, const ObjectRef& ref, io::ByteSource& body,
                      PutOptions options = {}) override;
  Task<std::unique_ptr<io::ByteSource>> get(Context& ctx, const ObjectRef& ref,
                                            std::optional<ByteRange> range = {}) override;
  Task<std::optional<ObjectInfo>> head(Context& ctx, const ObjectRef& ref) override;
  void check(const ObjectRef& ref) const override;
  Task<> remove(Context& ctx, const ObjectRef& ref) override;
  Task<> remove_many(Context& ctx, std::vector<ObjectRef> refs) override;
  Task<PutResult> copy(Context& ctx, const ObjectRef& from, const ObjectRef& to) override;
  Task<ListPage> list(Context& ctx, std::string_view storage_namespace, std::string_view prefix,
                      std::string_view after, std::size_t objects_max) override;
  Task<std::string> create_multipart(Context& ctx, const ObjectRef& ref) override;
  Task<std::string> upload_part(Context& ctx, const ObjectRef& ref, std::string_view upload_id,
                                std::uint32_t number, io::ByteSource& body,
                                PutOptions options = {}) override;
  Task<ObjectInfo> complete_multipart(Context& ctx, const ObjectRef& ref,
                                      std::string_view upload_id, std::vector<Part> parts) override;
  Task<> abort_multipart(Context& ctx, const ObjectRef& ref, std::string_view upload_id) override;
  Task<std::vector<PartInfo>> list_parts(Context& ctx, const ObjectRef& ref,
                                         std::string_view upload_id, std::uint32_t after,
                                         std::size_t parts_max) override;
  std::string display_address(const ObjectRef& ref) const override;
  const StoreInfo& info() const override;
  Task<> probe(Context& ctx) override;
  Task<> close() override;

  Presigner* presigner() override;
  Task<PresignedUrl> presign_get(Context& ctx, const ObjectRef& ref,
                                 std::string_view file_name) override;
  Task<PresignedUrl> presign_put(Context& ctx, const ObjectRef& ref) override;
  Task<PresignedUrl> presign_part(Context& ctx, const ObjectRef& ref, std::string_view upload_id,
                                  std::uint32_t number) override;

  struct State;

 private:
  Task<> remove_batch(Context& ctx, std::string bucket, std::vector<std::string> keys);
  Task<> copy_in_parts(Context& ctx, s3::Target source, s3::Target target, ObjectInfo info);

  Task<std::string> stream_part(Context& ctx, s3::Target target, std::string upload_id,
                                std::uint32_t number, io::ByteSource& body, PutOptions options);
  Task<PresignedUrl> presign(Context& ctx, std::string_view method, const ObjectRef& ref,
                             std::string query);

  std::unique_ptr<State> state_;
};

}  // namespace tarn::block
