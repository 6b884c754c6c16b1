// Where object bytes live: user data, range files, probes. Backends: mem, fs, s3. Each
// passes block/testing/object_store_suite.h.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/context.h"
#include "base/task.h"
#include "base/time.h"
#include "block/digests.h"
#include "io/byte_source.h"

namespace tarn::block {

/// How an address is to be read (storage-format.md 5.3).
enum class AddressType : std::uint8_t { by_prefix_deprecated = 0, relative = 1, full = 2 };

/// One object, as entries name it: an address below a storage namespace, or a full URI. The
/// backend resolves it; an address that leaves its namespace or its root is
/// Error{invalid_argument}, whatever tricks it uses.
struct ObjectRef {
  std::string storage_namespace;  // e.g. "local://repo", "s3://bucket/prefix", "mem://repo"
  std::string address;            // "data/x/y", or a URI when type is full
  AddressType type = AddressType::relative;
};

/// Bytes first..last, both inclusive; `last` is clamped to the object's end.
struct ByteRange {
  std::uint64_t first = 0;
  std::uint64_t last = UINT64_MAX;
};

struct ObjectInfo {
  std::uint64_t size = 0;
  Timestamp last_modified;
  std::string etag;  // without quotes; empty where the backend keeps none (fs)
  std::string storage_class = {};  // "" = the usual one
};

struct PutOptions {
  /// Updated with every piece on whichever thread handles it, so that hashing costs no extra hop.
  /// Must outlive put(). May be null.
  Digests* digests = nullptr;
  /// Called once, after the last byte went through `digests` and before the object (or part)
  /// becomes visible; throws to refuse it, and nothing is stored. On any thread. May be empty.
  std::function<void()> accept = {};
  /// Most bytes to accept; beyond it Error{too_large}.
  std::uint64_t bytes_max = UINT64_MAX;
};

struct PutResult {
  std::uint64_t size = 0;
};

struct Part {
  std::uint32_t number = 0;  // 1..10'000
  std::string etag;          // as upload_part returned it
};

struct PartInfo {
  std::uint32_t number = 0;
  std::string etag;
  std::uint64_t size = 0;
  Timestamp last_modified;
};

struct ListedObject {
  std::string address;  // relative to the listed namespace
  std::uint64_t size = 0;
  Timestamp last_modified;
  std::string etag;
};

struct ListPage {
  std::vector<ListedObject> objects;  // bytewise order of address
  bool more = false;
};

/// What the HTTP API's config endpoint says of the store.
struct StoreInfo {
  std::string type;             // "local", "mem", "s3": the reference's blockstore type names
  std::string namespace_regex;  // what a repository's storage namespace must match
  std::string namespace_example;
  std::string default_namespace_prefix;  // "" = none
  bool presign_support = false;
  bool presign_support_ui = false;  // offered to browsers too
  bool presign_multipart_support = false;
  bool import_support = false;
  bool storage_classes = false;  // objects may have them
};

class Presigner;

/// Safe to call from any executor. Throws Error{unavailable}, {storage_full}, {deadline_exceeded},
/// {invalid_argument} for an address that does not resolve, and passes on what a body source
/// throws. An object becomes visible, whole and durable, when put() or complete_multipart()
/// returns, and not at all if they throw; putting again replaces it atomically for readers that
/// open it afterwards, while open readers keep the old bytes.
class ObjectStore {
 public:
  virtual ~ObjectStore() = default;

  virtual Task<PutResult> put(Context& ctx, const ObjectRef& ref, io::ByteSource& body,
                              PutOptions options = {}) = 0;

  /// A reader over the range (the whole object if nullopt), or null if there is no object. size()
  /// of the reader is the number of bytes it will yield. A range that starts past the end yields
  /// Error{invalid_argument}. The source may outlive the call, not the store.
  virtual Task<std::unique_ptr<io::ByteSource>> get(Context& ctx, const ObjectRef& ref,
                                                    std::optional<ByteRange> range = {}) = 0;

  virtual Task<std::optional<ObjectInfo>> head(Context& ctx, const ObjectRef& ref) = 0;

  /// Whether the address resolves, without looking whether there is an object: throws
  /// Error{invalid_argument} as head() would. The base's rules are those of stores of buckets.
  virtual void check(const ObjectRef& ref) const;

  /// Idempotent: a missing object is success.
  virtual Task<> remove(Context& ctx, const ObjectRef& ref) = 0;

  /// remove() of each, in few requests where the store can. All are tried, in no order; throws the
  /// first failure then.
  virtual Task<> remove_many(Context& ctx, std::vector<ObjectRef> refs);

  /// Copies bytes inside the store; Error{data_missing} if the source is gone.
  virtual Task<PutResult> copy(Context& ctx, const ObjectRef& from, const ObjectRef& to) = 0;

  /// Objects below `storage_namespace` whose address starts with `prefix`, after `after`.
  virtual Task<ListPage> list(Context& ctx, std::string_view storage_namespace,
                              std::string_view prefix, std::string_view after,
                              std::size_t objects_max) = 0;

  /// Starts a multipart upload of `ref`; the id is opaque, 1..1024 printable characters.
  virtual Task<std::string> create_multipart(Context& ctx, const ObjectRef& ref) = 0;

  /// Stores one part, replacing an earlier one of that number; returns its ETag (hex MD5).
  /// Error{upload_not_found} if the upload is unknown.
  virtual Task<std::string> upload_part(Context& ctx, const ObjectRef& ref,
                                        std::string_view upload_id, std::uint32_t number,
                                        io::ByteSource& body, PutOptions options = {}) = 0;

  /// Joins exactly the listed parts, in order. Error{invalid_argument} for an unknown part or a
  /// wrong ETag; nothing changes then and the upload stays usable. Returns size and
  /// ETag "<hex md5 of the part md5s>-<count>".
  virtual Task<ObjectInfo> complete_multipart(Context& ctx, const ObjectRef& ref,
                                              std::string_view upload_id,
                                              std::vector<Part> parts) = 0;

  /// Drops the upload and its parts; idempotent.
  virtual Task<> abort_multipart(Context& ctx, const ObjectRef& ref,
                                 std::string_view upload_id) = 0;

  /// Parts numbered above `after`, ascending. Error{upload_not_found}.
  virtual Task<std::vector<PartInfo>> list_parts(Context& ctx, const ObjectRef& ref,
                                                 std::string_view upload_id, std::uint32_t after,
                                                 std::size_t parts_max) = 0;

  /// The address as clients are shown it (storage-format.md 5.3), e.g. "local:///root/ns/data/x".
  virtual std::string display_address(const ObjectRef& ref) const = 0;

  virtual const StoreInfo& info() const = 0;

  /// Makes URLs for clients; null where the store cannot, or is not to. Lives as long as the store.
  virtual Presigner* presigner() { return nullptr; }

  /// Whether the store can be reached at all: throws Error{unavailable} and the like if not. Cheap.
  virtual Task<> probe(Context& ctx) = 0;

  /// Refuses new work and waits for what is under way. Idempotent.
  virtual Task<> close() = 0;

 protected:
  ObjectStore() = default;
  ObjectStore(const ObjectStore&) = delete;
  ObjectStore& operator=(const ObjectStore&) = delete;
};

}  // namespace tarn::block
