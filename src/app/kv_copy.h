// tarn kv copy: the metadata of an installation moved to another store, checked.
#pragma once

#include <map>
#include <string>

namespace tarn::app {

struct KvCopyOptions {
  std::string from;  // see find_store()
  std::string to;
  bool source_is_stopped = false;  // the operator says so, where the store cannot tell
  bool verify_only = false;
  bool start_over = false;
};

/// Blocking: copies, compares, prints progress. Returns the exit code; throws Error for what stands
/// in the way. Of `environment` the server's own variables are left alone: they could name one
/// store only, and here are two.
int run_kv_copy(const KvCopyOptions& options, std::map<std::string, std::string> environment);

}  // namespace tarn::app
