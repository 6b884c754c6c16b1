// The one table, laid out as the reference does (storage-format.md 1.6).
#pragma once

namespace tarn::kv {

class BlockingSession;

/// Makes table, partitions and view where they are missing (no superuser needed, but CREATE on the
/// schema), under the lock the reference takes for the same. An existing table is looked at first
/// and left alone when it is complete. Throws Error{invalid_argument} for a table `kv` of any other
/// shape, and
/// without `create` where there is none.
void open_schema(BlockingSession& session, bool create);

}  // namespace tarn::kv
