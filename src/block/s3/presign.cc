// URLs for clients. No request is made but, once per bucket, for its region.
#include <utility>

#include "base/bytes.h"
#include "base/error.h"
#include "block/part_list.h"
#include "block/s3/attachment.h"
#include "block/s3/s3_object_store.h"
#include "block/s3/s3_store_state.h"

namespace tarn::block {

Presigner* S3ObjectStore::presigner() {
  return state_->config.presign ? this : nullptr;
}

Task<PresignedUrl> S3ObjectStore::presign(Context& ctx, std::string_view method,
                                          const ObjectRef& ref, std::string query) {
  const auto pass = state_->gate.enter();
  if (!state_->config.presign) {
    throw Error(ErrorCode::invalid_argument, "presigned URLs are turned off");
  }
  const s3::Target target = s3::target_of(ref);
  co_return co_await state_->requester.presign(ctx, method, target.bucket, target.key,
                                               std::move(query));
}

Task<PresignedUrl> S3ObjectStore::presign_get(Context& ctx, const ObjectRef& ref,
                                              std::string_view file_name) {
  std::string query;
  if (!file_name.empty()) {
    query = "response-content-disposition=" + percent_encode(s3::attachment(file_name));
  }
  return presign(ctx, "GET", ref, std::move(query));
}

Task<PresignedUrl> S3ObjectStore::presign_put(Context& ctx, const ObjectRef& ref) {
  return presign(ctx, "PUT", ref, {});
}

Task<PresignedUrl> S3ObjectStore::presign_part(Context& ctx, const ObjectRef& ref,
                                               std::string_view upload_id, std::uint32_t number) {
  check_part_number(number);
  return presign(ctx, "PUT", ref, upload_query(upload_id, number));
}

}  // namespace tarn::block
