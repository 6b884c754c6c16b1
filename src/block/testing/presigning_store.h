// Decorator that hands out URLs, for the tests of whatever hands them on.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "block/forwarding_store.h"
#include "block/presigner.h"

namespace tarn::block::testing {

/// URLs read "https://store/<namespace>/<address>?GET&name=<file name>" and the like; nobody serves
/// them. `inner` and `clock` outlive it.
class PresigningStore final : public ForwardingStore, public Presigner {
 public:
  PresigningStore(ObjectStore& inner, const Clock& clock);

  static constexpr std::int64_t kExpirySeconds = 900;

  /// What info() says, and whether there is a presigner.
  void offer(bool whole_objects, bool parts);

  /// presign_part() fails for this number; 0 = for none.
  void fail_part(std::uint32_t number) { failing_part_ = number; }

  const StoreInfo& info() const override { return info_; }

  Presigner* presigner() override { return info_.presign_support ? this : nullptr; }

  Task<PresignedUrl> presign_get(Context& ctx, const ObjectRef& ref,
                                 std::string_view file_name) override;
  Task<PresignedUrl> presign_put(Context& ctx, const ObjectRef& ref) override;
  Task<PresignedUrl> presign_part(Context& ctx, const ObjectRef& ref, std::string_view upload_id,
                                  std::uint32_t number) override;

 private:
  PresignedUrl url_of(const ObjectRef& ref, std::string_view query) const;

  const Clock& clock_;
  StoreInfo info_;
  std::uint32_t failing_part_ = 0;
};

}  // namespace tarn::block::testing
