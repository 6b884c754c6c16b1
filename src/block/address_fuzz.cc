#include "base/error.h"
#include "block/address.h"
#include "testing/fuzz.h"

namespace tarn::fuzz {

namespace {

const block::LocalRoots& roots() {
  static const block::LocalRoots kRoots{.root = "/data/objects",
                                        .external_prefixes = {"/mnt/lake", "/"}};
  return kRoots;
}

bool stays_below(std::string_view path) {
  if (path.starts_with('/') || path.find('\0') != path.npos) return false;
  while (!path.empty()) {
    const std::string_view name = take_until(path, '/');
    if (name.empty() || name == "." || name == "..") return false;
  }
  return true;
}

void check_local(const block::ObjectRef& ref) {
  const auto place = block::resolve_local(roots(), ref);
  if (place) {
    TARN_ASSERT(!place->path.empty() && stays_below(place->path) && !place->path.ends_with('/'));
    TARN_ASSERT(place->base <= roots().external_prefixes.size());
    std::string_view path = place->path;
    TARN_ASSERT(place->base != 0 || take_until(path, '/') != block::kPrivateDirectory);
    TARN_ASSERT(place->path.starts_with(place->space));
  }
  for (const bool absolute : {false, true}) {
    const auto space = block::resolve_local_namespace(roots(), ref.storage_namespace, absolute);
    if (space) TARN_ASSERT(stays_below(space->path));
  }
  static_cast<void>(block::display_local(roots().root, ref));
}

}  // namespace

void run(std::string_view input) {
  block::ObjectRef ref;
  ref.type = static_cast<block::AddressType>(take_byte(input) % 3);
  ref.storage_namespace = take_until(input, '\n');
  ref.address = input;
  check_local(ref);
  if (const auto location = block::resolve(ref)) {
    TARN_ASSERT(block::is_known_scheme(location->scheme) && !location->bucket.empty());
  }
  static_cast<void>(block::parse_uri(ref.storage_namespace));
  const std::string clean = block::clean_path(ref.address);
  TARN_ASSERT(block::clean_path(clean) == clean);
}

}  // namespace tarn::fuzz
