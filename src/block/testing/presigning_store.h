// Decorator that hands out URLs, for the tests of whatever hands them on.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "block/object_store.h"
#include "block/presigner.h"

namespace tarn::block::testing {

/// URLs read "https://store/<namespace>/<address>?GET&name=<file name>" and the like; nobody serves
/// them. `inner` and `clock` outlive it.
class PresigningStore final : public ObjectStore, public Presigner {
 public:
  PresigningStore(ObjectStore& inner, const Clock& clock);

  static constexpr std::int64_t kExpirySeconds = 900;

  /// What info() says, and whether there is a presigner.
  void offer(bool whole_objects, bool parts);

  /// presign_part() fails for this number; 0 = for none.
  void fail_part(std::uint32_t number) { failing_part_ = number; }

  Task<PutResult> put(Context& ctx, const ObjectRef& ref, io::ByteSource& body,
                      PutOptions options) override;
  Task<std::unique_ptr<io::ByteSource>> get(Context& ctx, const ObjectRef& ref,
                                            std::optional<ByteRange> range) override;
  Task<std::optional<ObjectInfo>> head(Context& ctx, const ObjectRef& ref) override;
  void check(const ObjectRef& ref) const override;
  Task<> remove(Context& ctx, const ObjectRef& ref) override;
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
  std::string display_address(const ObjectRef& ref) const override;

  const StoreInfo& info() const override { return info_; }

  Task<> probe(Context& ctx) override { return inner_.probe(ctx); }

  Task<> close() override { return inner_.close(); }

  Presigner* presigner() override { return info_.presign_support ? this : nullptr; }

  Task<PresignedUrl> presign_get(Context& ctx, const ObjectRef& ref,
                                 std::string_view file_name) override;
  Task<PresignedUrl> presign_put(Context& ctx, const ObjectRef& ref) override;
  Task<PresignedUrl> presign_part(Context& ctx, const ObjectRef& ref, std::string_view upload_id,
                                  std::uint32_t number) override;

 private:
  PresignedUrl url_of(const ObjectRef& ref, std::string_view query) const;

  ObjectStore& inner_;
  const Clock& clock_;
  StoreInfo info_;
  std::uint32_t failing_part_ = 0;
};

}  // namespace tarn::block::testing
