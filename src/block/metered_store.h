// Decorator that measures a store: tarn_block_op_seconds{op,outcome}, tarn_block_read_bytes,
// tarn_block_written_bytes.
#pragma once

#include <cstdint>
#include <memory>

#include "block/forwarding_store.h"

namespace tarn::block {

/// Outcomes: ok; missing (a value, not a failure); refused (the caller's fault); failed. Probes and
/// presigning are not measured: they ask the store next to nothing.
class MeteredStore final : public ForwardingStore {
 public:
  explicit MeteredStore(std::unique_ptr<ObjectStore> inner);
  ~MeteredStore() override;

  Task<PutResult> put(Context& ctx, const ObjectRef& ref, io::ByteSource& body,
                      PutOptions options) override;
  Task<std::unique_ptr<io::ByteSource>> get(Context& ctx, const ObjectRef& ref,
                                            std::optional<ByteRange> range) override;
  Task<std::optional<ObjectInfo>> head(Context& ctx, const ObjectRef& ref) override;
  Task<> remove(Context& ctx, const ObjectRef& ref) override;
  Task<> remove_many(Context& ctx, std::vector<ObjectRef> refs) override;
  Task<PutResult> copy(Context& ctx, const ObjectRef& from, const ObjectRef& to) override;
  Task<ListPage> list(Context& ctx, std::string_view storage_namespace, std::string_view prefix,
                      std::string_view after, std::size_t objects_max) override;
  Task<std::string> create_multipart(Context& ctx, const ObjectRef& ref) override;
  Task<std::string> upload_part(Context& ctx, const ObjectRef& ref, std::string_view upload_id,
                                std::uint32_t number, io::ByteSource& body,
                                PutOptions options) override;
  Task<ObjectInfo> complete_multipart(Context& ctx, const ObjectRef& ref,
                                      std::string_view upload_id, std::vector<Part> parts) override;
  Task<> abort_multipart(Context& ctx, const ObjectRef& ref, std::string_view upload_id) override;
  Task<std::vector<PartInfo>> list_parts(Context& ctx, const ObjectRef& ref,
                                         std::string_view upload_id, std::uint32_t after,
                                         std::size_t parts_max) override;

 private:
  std::unique_ptr<ObjectStore> owned_;
};

}  // namespace tarn::block
