#include "base/error.h"
#include "block/s3/documents.h"
#include "testing/fuzz.h"

namespace tarn::fuzz {

void run(std::string_view input) {
  using namespace block::s3;  // NOLINT(google-build-using-namespace): six functions of it
  static_cast<void>(find_error(input));
  static_cast<void>(parse_etag(input));
  if (const auto id = parse_upload_id(input)) TARN_ASSERT(!id->empty());
  if (const auto parts = parse_parts(input)) TARN_ASSERT(parts->parts.size() <= input.size());
  if (const auto codes = parse_delete_failures(input)) {
    for (const std::string& code : *codes)
      TARN_ASSERT(!code.empty());
  }
  if (const auto list = parse_list(input)) {
    TARN_ASSERT(!list->truncated || !list->next.empty());
    for (const auto& object : list->objects)
      TARN_ASSERT(!object.address.empty());
  }
}

}  // namespace tarn::fuzz
