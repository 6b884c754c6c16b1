#include "base/context.h"

#include "base/error.h"

namespace tarn {

void Context::check_deadline() const {
  if (expired()) throw Error(ErrorCode::deadline_exceeded, "deadline exceeded");
}

}  // namespace tarn
