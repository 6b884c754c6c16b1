#include "sst/range_splitter.h"

#include "base/error.h"
#include "base/hash.h"

namespace tarn::sst {

bool breaks_after(const SplitParams& params, std::string_view key, std::uint64_t estimated_size) {
  TARN_ASSERT(params.raggedness_entries > 0);
  if (estimated_size < params.range_bytes_min) return false;
  if (estimated_size >= params.range_bytes_max) return true;
  return fnv1a_64(key) % params.raggedness_entries == 0;
}

}  // namespace tarn::sst
