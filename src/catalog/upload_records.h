// Records of multipart uploads: the reference's (partition `multiparts`, storage-format.md 2.11)
// and Tarn's additions in partitions of its own, which may be missing for any upload.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/context.h"
#include "base/task.h"
#include "catalog/catalog.h"
#include "kv/store.h"

namespace tarn::catalog {

class UploadRecords {
 public:
  explicit UploadRecords(kv::Store& kv) : kv_(kv) {}

  Task<> put(Context& ctx, const versioning::Repository& repository, const MultipartUpload& upload);
  Task<std::optional<MultipartUpload>> find(Context& ctx, const versioning::Repository& repository,
                                            std::string_view upload_id);
  /// Only what the reference's record has no field for.
  Task<> put_detail(Context& ctx, const versioning::Repository& repository,
                    const MultipartUpload& upload);
  /// Both records and those of the parts.
  Task<> remove(Context& ctx, const versioning::Repository& repository, std::string_view upload_id);

  /// The `uploads_max` uploads of the repository that come first after the marker, by
  /// "branch/path" and id, and whether there are more. Memory is bounded by uploads_max.
  Task<Catalog::UploadPage> list(Context& ctx, const versioning::Repository& repository,
                                 std::string_view prefix, std::string_view after_key,
                                 std::string_view after_id, std::size_t uploads_max);

  /// The checksum a part was sent with; it counts only while the part's ETag is still `etag`.
  Task<> put_part(Context& ctx, std::string_view upload_id, std::uint32_t number,
                  std::string_view etag, std::string_view checksum);
  Task<> add_checksums(Context& ctx, std::string_view upload_id, std::vector<UploadedPart>& parts);

 private:
  kv::Store& kv_;
};

}  // namespace tarn::catalog
