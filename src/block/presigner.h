// URLs that let a client read and write objects of a store without credentials of its own. An
// interface apart from ObjectStore: not every backend can, and most callers must not.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/context.h"
#include "base/task.h"
#include "base/time.h"
#include "block/object_store.h"

namespace tarn::block {

struct PresignedUrl {
  std::string url;
  Timestamp expires;
};

/// Safe to call from any executor. Throws as ObjectStore does. A URL is a secret: whoever has it
/// may do what it says until it expires.
class Presigner {
 public:
  virtual ~Presigner() = default;

  /// For GETs (and ranges) of the object, whether it exists or not. Browsers save what they get as
  /// `file_name`, which may be empty.
  virtual Task<PresignedUrl> presign_get(Context& ctx, const ObjectRef& ref,
                                         std::string_view file_name) = 0;
  /// For PUTs of the object.
  virtual Task<PresignedUrl> presign_put(Context& ctx, const ObjectRef& ref) = 0;
  /// For PUTs of a part. Upload and part number are not looked at.
  virtual Task<PresignedUrl> presign_part(Context& ctx, const ObjectRef& ref,
                                          std::string_view upload_id, std::uint32_t number) = 0;

 protected:
  Presigner() = default;
  Presigner(const Presigner&) = delete;
  Presigner& operator=(const Presigner&) = delete;
};

}  // namespace tarn::block
