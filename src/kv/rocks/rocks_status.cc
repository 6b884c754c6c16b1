#include "kv/rocks/rocks_status.h"

#include <string>

#include "base/log.h"

namespace tarn::kv {

Error to_error(const rocksdb::Status& status) {
  TARN_ASSERT(!status.ok());
  const std::string detail = status.ToString();
  log::error("metadata store failed", {{"status", detail}});
  if (status.IsNoSpace()) {
    return Error(ErrorCode::storage_full, "no space left for metadata");
  }
  switch (status.code()) {
    case rocksdb::Status::kCorruption:
      return Error(ErrorCode::corrupt, "metadata store is corrupt: " + detail);
    case rocksdb::Status::kIOError:
    case rocksdb::Status::kShutdownInProgress:
    case rocksdb::Status::kTimedOut:
    case rocksdb::Status::kBusy:
    case rocksdb::Status::kTryAgain:
    case rocksdb::Status::kAborted:
    case rocksdb::Status::kIncomplete:
      return Error(ErrorCode::unavailable, "metadata store is unavailable");
    default: return Error(ErrorCode::internal, "metadata store: " + detail);
  }
}

}  // namespace tarn::kv
