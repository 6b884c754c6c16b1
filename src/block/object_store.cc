#include "block/object_store.h"

#include <exception>
#include <utility>

#include "base/error.h"
#include "block/address.h"

namespace tarn::block {

void ObjectStore::check(const ObjectRef& ref) const {
  if (auto place = resolve(ref); !place) {
    throw Error(ErrorCode::invalid_argument, std::move(place.error().message));
  }
}

// NOLINTNEXTLINE(performance-unnecessary-value-param): lives as long as the task
Task<> ObjectStore::remove_many(Context& ctx, std::vector<ObjectRef> refs) {
  std::exception_ptr failure;
  for (const ObjectRef& ref : refs) {
    try {
      co_await remove(ctx, ref);
    } catch (const Error&) {
      if (!failure) failure = std::current_exception();
    }
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace tarn::block
