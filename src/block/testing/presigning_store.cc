#include "block/testing/presigning_store.h"

#include <utility>

#include "base/error.h"
#include "base/format.h"

namespace tarn::block::testing {

PresigningStore::PresigningStore(ObjectStore& inner, const Clock& clock)
    : inner_(inner), clock_(clock), info_(inner.info()) {
  offer(true, true);
}

void PresigningStore::offer(bool whole_objects, bool parts) {
  info_.presign_support = whole_objects;
  info_.presign_multipart_support = parts;
}

Task<PutResult> PresigningStore::put(Context& ctx, const ObjectRef& ref, io::ByteSource& body,
                                     PutOptions options) {
  return inner_.put(ctx, ref, body, std::move(options));
}

Task<std::unique_ptr<io::ByteSource>> PresigningStore::get(Context& ctx, const ObjectRef& ref,
                                                           std::optional<ByteRange> range) {
  return inner_.get(ctx, ref, range);
}

Task<std::optional<ObjectInfo>> PresigningStore::head(Context& ctx, const ObjectRef& ref) {
  return inner_.head(ctx, ref);
}

void PresigningStore::check(const ObjectRef& ref) const {
  inner_.check(ref);
}

Task<> PresigningStore::remove(Context& ctx, const ObjectRef& ref) {
  return inner_.remove(ctx, ref);
}

Task<PutResult> PresigningStore::copy(Context& ctx, const ObjectRef& from, const ObjectRef& to) {
  return inner_.copy(ctx, from, to);
}

Task<ListPage> PresigningStore::list(Context& ctx, std::string_view storage_namespace,
                                     std::string_view prefix, std::string_view after,
                                     std::size_t objects_max) {
  return inner_.list(ctx, storage_namespace, prefix, after, objects_max);
}

Task<std::string> PresigningStore::create_multipart(Context& ctx, const ObjectRef& ref) {
  return inner_.create_multipart(ctx, ref);
}

Task<std::string> PresigningStore::upload_part(Context& ctx, const ObjectRef& ref,
                                               std::string_view upload_id, std::uint32_t number,
                                               io::ByteSource& body, PutOptions options) {
  return inner_.upload_part(ctx, ref, upload_id, number, body, std::move(options));
}

Task<ObjectInfo> PresigningStore::complete_multipart(Context& ctx, const ObjectRef& ref,
                                                     std::string_view upload_id,
                                                     std::vector<Part> parts) {
  return inner_.complete_multipart(ctx, ref, upload_id, std::move(parts));
}

Task<> PresigningStore::abort_multipart(Context& ctx, const ObjectRef& ref,
                                        std::string_view upload_id) {
  return inner_.abort_multipart(ctx, ref, upload_id);
}

Task<std::vector<PartInfo>> PresigningStore::list_parts(Context& ctx, const ObjectRef& ref,
                                                        std::string_view upload_id,
                                                        std::uint32_t after,
                                                        std::size_t parts_max) {
  return inner_.list_parts(ctx, ref, upload_id, after, parts_max);
}

std::string PresigningStore::display_address(const ObjectRef& ref) const {
  return inner_.display_address(ref);
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
