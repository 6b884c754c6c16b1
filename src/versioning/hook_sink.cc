#include "versioning/hook_sink.h"

namespace tarn::versioning {

Task<std::string> NoHooks::run(Context&, const HookRecord&) {
  co_return std::string();
}

}  // namespace tarn::versioning
