#include "block/mem/mem_object_store.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <utility>

#include "base/bytes.h"
#include "base/error.h"
#include "base/format.h"
#include "base/random.h"
#include "block/address.h"
#include "block/gate.h"
#include "block/part_list.h"

namespace tarn::block {

namespace {

constexpr std::size_t kPieceBytes = 256 * 1024;

struct Blob {
  std::string bytes;
  std::string md5;  // raw
  std::string etag;
  Timestamp modified;
};

using BlobPtr = std::shared_ptr<const Blob>;  // owners: the store's map and open readers

struct Upload {
  std::string key;
  std::map<std::uint32_t, BlobPtr> parts;
};

const Clock& system_clock() {
  static const SystemClock clock;
  return clock;
}

std::string key_of(const ObjectRef& ref) {
  auto location = resolve(ref);
  if (!location) throw Error(ErrorCode::invalid_argument, location.error().message);
  if (location->scheme != "mem" && location->scheme != "memory") {
    throw Error(ErrorCode::invalid_argument,
                "physical address is not valid for block adapter: mem");
  }
  return format("{}/{}", location->bucket, location->key);
}

std::string prefix_of(std::string_view storage_namespace) {
  auto key = key_of({std::string(storage_namespace), "x", AddressType::relative});
  key.pop_back();
  return key;
}

class BlobSource final : public io::ByteSource {
 public:
  BlobSource(BlobPtr blob, Span span)
      : blob_(std::move(blob)),
        rest_(std::string_view(blob_->bytes).substr(span.first, span.count)),
        size_(span.count) {}

  Task<std::string_view> read(Context&) override {
    const auto piece = rest_.substr(0, kPieceBytes);
    rest_.remove_prefix(piece.size());
    co_return piece;
  }

  std::optional<std::uint64_t> size() const override { return size_; }

 private:
  BlobPtr blob_;
  std::string_view rest_;
  std::uint64_t size_;
};

}  // namespace

struct MemObjectStore::State {
  const Clock& clock;
  MemConfig config;
  StoreInfo info = {.type = "mem",
                    .namespace_regex = "^mem://",
                    .namespace_example = "mem://example-bucket/",
                    .default_namespace_prefix = {},
                    .presign_support = false,
                    .import_support = false};
  Gate gate{};
  std::mutex mutex{};
  std::map<std::string, BlobPtr, std::less<>> objects{};  // guarded by mutex, as are the next two
  std::map<std::string, Upload, std::less<>> uploads{};
  std::uint64_t bytes = 0;

  Task<BlobPtr> take(Context& ctx, io::ByteSource& body, PutOptions options) const;
  void replace(BlobPtr& slot, BlobPtr blob);

  void drop(const BlobPtr& blob) { bytes -= blob->bytes.size(); }

  Upload& require(std::string_view upload_id, std::string_view key);
};

/// Reads a whole body, hashing as it comes.
Task<BlobPtr> MemObjectStore::State::take(Context& ctx, io::ByteSource& body,
                                          PutOptions options) const {
  auto blob = std::make_shared<Blob>();
  const auto limit = std::min(options.bytes_max, config.bytes_max);
  for (;;) {
    const auto piece = co_await body.read(ctx);
    if (piece.empty()) break;
    if (piece.size() > limit - blob->bytes.size()) {
      if (limit == options.bytes_max) throw Error(ErrorCode::too_large, "object is too large");
      throw Error(ErrorCode::storage_full, "object store is full");
    }
    if (options.digests != nullptr) options.digests->update(piece);
    blob->bytes += piece;
  }
  if (options.accept) options.accept();
  blob->md5 = tarn::md5(blob->bytes);
  blob->etag = to_hex(blob->md5);
  blob->modified = clock.now();
  co_return blob;
}

/// Under the mutex.
void MemObjectStore::State::replace(BlobPtr& slot, BlobPtr blob) {
  const std::uint64_t freed = slot ? slot->bytes.size() : 0;
  if (blob->bytes.size() > config.bytes_max - (bytes - freed)) {
    throw Error(ErrorCode::storage_full, "object store is full");
  }
  bytes = bytes - freed + blob->bytes.size();
  slot = std::move(blob);
}

/// Under the mutex.
Upload& MemObjectStore::State::require(std::string_view upload_id, std::string_view key) {
  const auto found = uploads.find(upload_id);
  if (found == uploads.end() || found->second.key != key) throw_upload_not_found();
  return found->second;
}

MemObjectStore::MemObjectStore() : MemObjectStore(system_clock()) {}

MemObjectStore::MemObjectStore(const Clock& clock, MemConfig config)
    : state_(new State{.clock = clock, .config = config}) {}

MemObjectStore::~MemObjectStore() = default;

Task<PutResult> MemObjectStore::put(Context& ctx, const ObjectRef& ref, io::ByteSource& body,
                                    PutOptions options) {
  const auto pass = state_->gate.enter();
  auto key = key_of(ref);
  auto blob = co_await state_->take(ctx, body, options);
  const std::uint64_t size = blob->bytes.size();
  const std::lock_guard lock(state_->mutex);
  auto [slot, fresh] = state_->objects.try_emplace(std::move(key));
  try {
    state_->replace(slot->second, std::move(blob));
  } catch (...) {
    if (fresh) state_->objects.erase(slot);
    throw;
  }
  co_return PutResult{size};
}

Task<std::unique_ptr<io::ByteSource>> MemObjectStore::get(Context&, const ObjectRef& ref,
                                                          std::optional<ByteRange> range) {
  const auto pass = state_->gate.enter();
  const auto key = key_of(ref);
  const std::lock_guard lock(state_->mutex);
  const auto found = state_->objects.find(key);
  if (found == state_->objects.end()) co_return nullptr;
  const auto span = clamp_range(range, found->second->bytes.size());
  co_return std::make_unique<BlobSource>(found->second, span);
}

Task<std::optional<ObjectInfo>> MemObjectStore::head(Context&, const ObjectRef& ref) {
  const auto pass = state_->gate.enter();
  const auto key = key_of(ref);
  const std::lock_guard lock(state_->mutex);
  const auto found = state_->objects.find(key);
  if (found == state_->objects.end()) co_return std::nullopt;
  const Blob& blob = *found->second;
  co_return ObjectInfo{blob.bytes.size(), blob.modified, blob.etag};
}

void MemObjectStore::check(const ObjectRef& ref) const {
  static_cast<void>(key_of(ref));
}

Task<> MemObjectStore::remove(Context&, const ObjectRef& ref) {
  const auto pass = state_->gate.enter();
  const auto key = key_of(ref);
  const std::lock_guard lock(state_->mutex);
  const auto found = state_->objects.find(key);
  if (found == state_->objects.end()) co_return;
  state_->drop(found->second);
  state_->objects.erase(found);
}

Task<PutResult> MemObjectStore::copy(Context&, const ObjectRef& from, const ObjectRef& to) {
  const auto pass = state_->gate.enter();
  const auto source_key = key_of(from);
  const auto target_key = key_of(to);
  const std::lock_guard lock(state_->mutex);
  const auto source = state_->objects.find(source_key);
  if (source == state_->objects.end()) {
    throw Error(ErrorCode::data_missing, "the object to copy does not exist");
  }
  auto blob = std::make_shared<Blob>(*source->second);
  blob->modified = state_->clock.now();
  const std::uint64_t size = blob->bytes.size();
  auto [slot, fresh] = state_->objects.try_emplace(target_key);
  try {
    state_->replace(slot->second, std::move(blob));
  } catch (...) {
    if (fresh) state_->objects.erase(slot);
    throw;
  }
  co_return PutResult{size};
}

Task<ListPage> MemObjectStore::list(Context&, std::string_view storage_namespace,
                                    std::string_view prefix, std::string_view after,
                                    std::size_t objects_max) {
  const auto pass = state_->gate.enter();
  const auto base = prefix_of(storage_namespace);
  const auto full_prefix = base + std::string(prefix);
  ListPage page;
  const std::lock_guard lock(state_->mutex);
  auto at = state_->objects.lower_bound(full_prefix);
  if (!after.empty()) {
    if (auto later = base + std::string(after); later >= full_prefix) {
      at = state_->objects.upper_bound(later);
    }
  }
  for (; at != state_->objects.end() && at->first.starts_with(full_prefix); ++at) {
    if (page.objects.size() >= objects_max) {
      page.more = true;
      break;
    }
    const Blob& blob = *at->second;
    page.objects.push_back(
        {at->first.substr(base.size()), blob.bytes.size(), blob.modified, blob.etag});
  }
  co_return page;
}

Task<std::string> MemObjectStore::create_multipart(Context&, const ObjectRef& ref) {
  const auto pass = state_->gate.enter();
  auto key = key_of(ref);
  auto id = to_hex(random_bytes(16));
  const std::lock_guard lock(state_->mutex);
  state_->uploads.emplace(id, Upload{std::move(key), {}});
  co_return id;
}

Task<std::string> MemObjectStore::upload_part(Context& ctx, const ObjectRef& ref,
                                              std::string_view upload_id, std::uint32_t number,
                                              io::ByteSource& body, PutOptions options) {
  const auto pass = state_->gate.enter();
  const auto key = key_of(ref);
  check_part_number(number);
  {
    const std::lock_guard lock(state_->mutex);
    state_->require(upload_id, key);
  }
  auto blob = co_await state_->take(ctx, body, options);
  auto etag = blob->etag;
  const std::lock_guard lock(state_->mutex);
  auto& parts = state_->require(upload_id, key).parts;
  auto [slot, fresh] = parts.try_emplace(number);
  try {
    state_->replace(slot->second, std::move(blob));
  } catch (...) {
    if (fresh) parts.erase(slot);
    throw;
  }
  co_return etag;
}

Task<ObjectInfo> MemObjectStore::complete_multipart(Context&, const ObjectRef& ref,
                                                    std::string_view upload_id,
                                                    std::vector<Part> parts) {
  const auto pass = state_->gate.enter();
  const auto key = key_of(ref);
  const std::lock_guard lock(state_->mutex);
  Upload& upload = state_->require(upload_id, key);
  check_part_list(parts);
  auto blob = std::make_shared<Blob>();
  std::vector<std::string> md5s;
  for (const Part& part : parts) {
    const auto found = upload.parts.find(part.number);
    if (found == upload.parts.end() || !part_etag_matches(part.etag, found->second->md5)) {
      throw_bad_part(part.number);
    }
    blob->bytes += found->second->bytes;
    md5s.push_back(found->second->md5);
  }
  blob->etag = joined_etag(md5s);
  blob->modified = state_->clock.now();
  ObjectInfo info{blob->bytes.size(), blob->modified, blob->etag};
  for (const auto& [number, part] : upload.parts) {
    state_->drop(part);
  }
  BlobPtr& slot = state_->objects[key];
  if (slot) state_->drop(slot);
  state_->bytes += blob->bytes.size();  // never more than its parts held
  slot = std::move(blob);
  state_->uploads.erase(state_->uploads.find(upload_id));
  co_return info;
}

Task<> MemObjectStore::abort_multipart(Context&, const ObjectRef& ref, std::string_view upload_id) {
  const auto pass = state_->gate.enter();
  const auto key = key_of(ref);
  const std::lock_guard lock(state_->mutex);
  const auto found = state_->uploads.find(upload_id);
  if (found == state_->uploads.end() || found->second.key != key) co_return;
  for (const auto& [number, part] : found->second.parts) {
    state_->drop(part);
  }
  state_->uploads.erase(found);
}

Task<std::vector<PartInfo>> MemObjectStore::list_parts(Context&, const ObjectRef& ref,
                                                       std::string_view upload_id,
                                                       std::uint32_t after, std::size_t parts_max) {
  const auto pass = state_->gate.enter();
  const auto key = key_of(ref);
  const std::lock_guard lock(state_->mutex);
  const Upload& upload = state_->require(upload_id, key);
  std::vector<PartInfo> page;
  for (auto at = upload.parts.upper_bound(after);
       at != upload.parts.end() && page.size() < parts_max; ++at) {
    const Blob& blob = *at->second;
    page.push_back({at->first, blob.etag, blob.bytes.size(), blob.modified});
  }
  co_return page;
}

std::string MemObjectStore::display_address(const ObjectRef& ref) const {
  if (is_full(ref)) return ref.address;
  std::string_view space = ref.storage_namespace;
  if (space.ends_with('/') && !space.ends_with("//")) space.remove_suffix(1);
  return format("{}/{}", space, ref.address);
}

const StoreInfo& MemObjectStore::info() const {
  return state_->info;
}

Task<> MemObjectStore::probe(Context&) {
  co_return;
}

Task<> MemObjectStore::close() {
  return state_->gate.close();
}

}  // namespace tarn::block
