// Object store in memory: for tests and for trying things out. Nothing survives the process.
#pragma once

#include <cstdint>
#include <memory>

#include "base/time.h"
#include "block/object_store.h"

namespace tarn::block {

struct MemConfig {
  std::uint64_t bytes_max = 1ULL << 30;  // objects and parts together; then Error{storage_full}
};

/// Thread-safe. Type "mem", namespaces mem://bucket[/prefix]. Objects carry their hex MD5 as ETag.
class MemObjectStore final : public ObjectStore {
 public:
  MemObjectStore();
  /// `clock` outlives the store.
  explicit MemObjectStore(const Clock& clock, MemConfig config = {});
  ~MemObjectStore() override;

  Task<PutResult> put(Context& ctx, const ObjectRef& ref, io::ByteSource& body,
                      PutOptions options = {}) override;
  Task<std::unique_ptr<io::ByteSource>> get(Context& ctx, const ObjectRef& ref,
                                            std::optional<ByteRange> range = {}) override;
  Task<std::optional<ObjectInfo>> head(Context& ctx, const ObjectRef& ref) override;
  void check(const ObjectRef& ref) const override;
  Task<> remove(Context& ctx, const ObjectRef& ref) override;
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

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tarn::block
