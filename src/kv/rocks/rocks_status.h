// rocksdb::Status ends here: outside kv/rocks there is only tarn::Error.
#pragma once

#include <rocksdb/status.h>

#include "base/error.h"

namespace tarn::kv {

/// Precondition: !status.ok(). The status text may name files, so it goes to the log (once, here)
/// and not into messages that clients see.
Error to_error(const rocksdb::Status& status);

}  // namespace tarn::kv
