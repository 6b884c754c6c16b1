#include "block/testing/presigning_store.h"

#include <utility>

#include "base/error.h"
#include "base/format.h"

namespace tarn::block::testing {

PresigningStore::PresigningStore(ObjectStore& inner, const Clock& clock)
    : ForwardingStore(inner), clock_(clock), info_(inner.info()) {
  offer(true, true);
}

void PresigningStore::offer(bool whole_objects, bool parts) {
  info_.presign_support = whole_objects;
  info_.presign_multipart_support = parts;
}

PresignedUrl PresigningStore::url_of(const ObjectRef& ref, std::string_view query) const {
  Timestamp expires = clock_.now();
  expires.seconds += kExpirySeconds;
  return {.url = format("https://store/{}/{}?{}", ref.storage_namespace, ref.address, query),
          .expires = expires};
}

Task<PresignedUrl> PresigningStore::presign_get(Context& /*ctx*/, const ObjectRef& ref,
                                                std::string_view file_name) {
  co_return url_of(ref, format("GET&name={}", file_name));
}

Task<PresignedUrl> PresigningStore::presign_put(Context& /*ctx*/, const ObjectRef& ref) {
  co_return url_of(ref, "PUT");
}

Task<PresignedUrl> PresigningStore::presign_part(Context& /*ctx*/, const ObjectRef& ref,
                                                 std::string_view upload_id, std::uint32_t number) {
  if (number == failing_part_) throw Error(ErrorCode::unavailable, "no URL for this part");
  co_return url_of(ref, format("PUT&upload={}&part={}", upload_id, number));
}

}  // namespace tarn::block::testing
