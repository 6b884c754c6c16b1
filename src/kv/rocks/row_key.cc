#include "kv/rocks/row_key.h"

#include "base/error.h"
#include "kv/store.h"

namespace tarn::kv {

std::string row_key(std::string_view partition, std::string_view key) {
  TARN_ASSERT(partition.size() <= kAddressBytesMax);
  std::string row;
  row.reserve(2 + partition.size() + key.size());
  row.push_back(static_cast<char>(partition.size() >> 8));
  row.push_back(static_cast<char>(partition.size() & 0xff));
  row.append(partition);
  row.append(key);
  return row;
}

}  // namespace tarn::kv
