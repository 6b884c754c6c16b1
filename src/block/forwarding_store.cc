#include "block/forwarding_store.h"

#include <utility>

namespace tarn::block {

Task<PutResult> ForwardingStore::put(Context& ctx, const ObjectRef& ref, io::ByteSource& body,
                                     PutOptions options) {
  return inner_.put(ctx, ref, body, std::move(options));
}

Task<std::unique_ptr<io::ByteSource>> ForwardingStore::get(Context& ctx, const ObjectRef& ref,
                                                           std::optional<ByteRange> range) {
  return inner_.get(ctx, ref, range);
}

Task<std::optional<ObjectInfo>> ForwardingStore::head(Context& ctx, const ObjectRef& ref) {
  return inner_.head(ctx, ref);
}

void ForwardingStore::check(const ObjectRef& ref) const {
  inner_.check(ref);
}

Task<> ForwardingStore::remove(Context& ctx, const ObjectRef& ref) {
  return inner_.remove(ctx, ref);
}

Task<> ForwardingStore::remove_many(Context& ctx, std::vector<ObjectRef> refs) {
  return inner_.remove_many(ctx, std::move(refs));
}

Task<PutResult> ForwardingStore::copy(Context& ctx, const ObjectRef& from, const ObjectRef& to) {
  return inner_.copy(ctx, from, to);
}

Task<ListPage> ForwardingStore::list(Context& ctx, std::string_view storage_namespace,
                                     std::string_view prefix, std::string_view after,
                                     std::size_t objects_max) {
  return inner_.list(ctx, storage_namespace, prefix, after, objects_max);
}

Task<std::string> ForwardingStore::create_multipart(Context& ctx, const ObjectRef& ref) {
  return inner_.create_multipart(ctx, ref);
}

Task<std::string> ForwardingStore::upload_part(Context& ctx, const ObjectRef& ref,
                                               std::string_view upload_id, std::uint32_t number,
                                               io::ByteSource& body, PutOptions options) {
  return inner_.upload_part(ctx, ref, upload_id, number, body, std::move(options));
}

Task<ObjectInfo> ForwardingStore::complete_multipart(Context& ctx, const ObjectRef& ref,
                                                     std::string_view upload_id,
                                                     std::vector<Part> parts) {
  return inner_.complete_multipart(ctx, ref, upload_id, std::move(parts));
}

Task<> ForwardingStore::abort_multipart(Context& ctx, const ObjectRef& ref,
                                        std::string_view upload_id) {
  return inner_.abort_multipart(ctx, ref, upload_id);
}

Task<std::vector<PartInfo>> ForwardingStore::list_parts(Context& ctx, const ObjectRef& ref,
                                                        std::string_view upload_id,
                                                        std::uint32_t after,
                                                        std::size_t parts_max) {
  return inner_.list_parts(ctx, ref, upload_id, after, parts_max);
}

std::string ForwardingStore::display_address(const ObjectRef& ref) const {
  return inner_.display_address(ref);
}

const StoreInfo& ForwardingStore::info() const {
  return inner_.info();
}

Presigner* ForwardingStore::presigner() {
  return inner_.presigner();
}

Task<> ForwardingStore::probe(Context& ctx) {
  return inner_.probe(ctx);
}

Task<> ForwardingStore::close() {
  return inner_.close();
}

}  // namespace tarn::block
