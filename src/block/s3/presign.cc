// URLs for clients. No request is made but, once per bucket, for its region.
#include <utility>

#include "base/error.h"
#include "block/part_list.h"
#include "block/s3/s3_object_store.h"
#include "block/s3/s3_store_state.h"

namespace tarn::block {

Task<PresignedUrl> S3ObjectStore::presign(Context& ctx, std::string_view method,
                                          const ObjectRef& ref, std::string query) {
  const auto pass = state_->gate.enter();
  if (!state_->config.presign) {
    throw Error(ErrorCode::invalid_argument, "presigned URLs are turned off");
  }
  const s3::Target target = s3::target_of(ref);
  Timestamp expires = state_->clock.now();
  expires.seconds += state_->config.presign_expiry.count();
  std::string url =
      co_await state_->requester.presign(ctx, method, target.bucket, target.key, std::move(query));
  co_return PresignedUrl{.url = std::move(url), .expires = expires};
}

Task<PresignedUrl> S3ObjectStore::presign_get(Context& ctx, const ObjectRef& ref) {
  return presign(ctx, "GET", ref, {});
}

Task<PresignedUrl> S3ObjectStore::presign_put(Context& ctx, const ObjectRef& ref) {
  return presign(ctx, "PUT", ref, {});
}

Task<PresignedUrl> S3ObjectStore::presign_part(Context& ctx, const ObjectRef& ref,
                                               std::string_view upload_id, std::uint32_t number) {
  check_part_number(number);
  return presign(ctx, "PUT", ref, upload_query(upload_id, number));
}

bool S3ObjectStore::presigns_parts() const {
  return state_->config.presign && state_->config.presign_multipart;
}

}  // namespace tarn::block
