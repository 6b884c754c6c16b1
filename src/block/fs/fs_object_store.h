// Object store on a local file system, in the layout of the reference's "local" block store:
// namespace local://repo and address data/x are the file <root>/repo/data/x.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "block/object_store.h"

namespace tarn::io {
class BlockingPool;
}

namespace tarn::block {

namespace fs {
class Files;
}

struct FsConfig {
  std::string root;  // absolute; made (0700) if missing
  /// Directories outside the root whose files full addresses may name. Read only.
  std::vector<std::string> allowed_external_prefixes;
  /// Bytes that bodies being written may hold at once; then Error{storage_full}.
  std::uint64_t temp_bytes_max = 64ULL << 30;
  /// Objects survive a power failure. Off only for throw-away data: a put then costs no disk flush.
  bool sync = true;
  /// list() reads local:///absolute/path below the root or an external prefix as that directory.
  bool import_enabled = false;
  std::string default_namespace_prefix = "local://";
};

/// Thread-safe; all file work runs on the pool. A body is written under a name of its own below
/// <root>/.tarn/tmp, flushed, renamed, and its directory flushed (shared among concurrent puts), so
/// a crash leaves the old object or the new one. If that last flush fails, put() throws although
/// the new object may be visible, whole.
///
/// Names are checked before use and paths are opened without following symbolic links, so nothing
/// outside the root and the external prefixes can be reached, whatever lies in the tree. Several
/// processes may share a root. remove() leaves empty directories behind.
///
/// Multipart uploads of the reference on the same root can be continued here and the other way
/// round, once they have a part.
class FsObjectStore final : public ObjectStore {
 public:
  /// Opens the store and removes what dead processes left half-written. `pool`, and `files` if
  /// given (tests), outlive it. Throws Error{invalid_argument} for a relative root and what the
  /// system says otherwise.
  static Task<std::unique_ptr<FsObjectStore>> open(Context& ctx, FsConfig config,
                                                   io::BlockingPool& pool,
                                                   fs::Files* files = nullptr);
  /// After close().
  ~FsObjectStore() override;

  Task<PutResult> put(Context& ctx, const ObjectRef& ref, io::ByteSource& body,
                      PutOptions options = {}) override;
  Task<std::unique_ptr<io::ByteSource>> get(Context& ctx, const ObjectRef& ref,
                                            std::optional<ByteRange> range = {}) override;
  Task<std::optional<ObjectInfo>> head(Context& ctx, const ObjectRef& ref) override;
  void check(const ObjectRef& ref) const override;
  Task<> remove(Context& ctx, const ObjectRef& ref) override;
  Task<PutResult> copy(Context& ctx, const ObjectRef& from, const ObjectRef& to) override;
  Task<ListPage> list(Context& ctx, std::string_view storage_namespace, std::string_view prefix,
                      std::string_view after, std::size_t objects_max) override;
  Task<std::string> create_multipart(Context& ctx, const ObjectRef& ref) override;
  Task<std::string> upload_part(Context& ctx, const ObjectRef& ref, std::string_view upload_id,
                                std::uint32_t number, io::ByteSource& body,
                                PutOptions options = {}) override;
  Task<ObjectInfo> complete_multipart(Context& ctx, const ObjectRef& ref,
                                      std::string_view upload_id, std::vector<Part> parts) override;
  Task<> abort_multipart(Context& ctx, const ObjectRef& ref, std::string_view upload_id) override;
  Task<std::vector<PartInfo>> list_parts(Context& ctx, const ObjectRef& ref,
                                         std::string_view upload_id, std::uint32_t after,
                                         std::size_t parts_max) override;
  std::string display_address(const ObjectRef& ref) const override;
  const StoreInfo& info() const override;
  Task<> probe(Context& ctx) override;
  Task<> close() override;

 private:
  struct State;
  explicit FsObjectStore(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace tarn::block
