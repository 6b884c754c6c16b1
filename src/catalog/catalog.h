// Objects in repositories: entries over the versioning engine and bytes in the object store.
// Uploads, reads, listings with delimiters, copies, deletes, multipart. Edges call this for
// objects and versioning::Engine for everything else.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/context.h"
#include "base/task.h"
#include "base/time.h"
#include "block/object_store.h"
#include "block/presigner.h"
#include "catalog/entry.h"
#include "catalog/recorded.h"
#include "kv/store.h"
#include "versioning/engine.h"

namespace tarn::catalog {

struct CatalogConfig {
  std::string signing_secret =
      "OVERRIDE_THIS_SIGNING_SECRET_DEFAULT";  // blockstore.signing.secret_key
  std::string block_storage_prefix = "_lakefs";
  bool ensure_readable_root_namespace = true;
  std::uint64_t upload_bytes_max = UINT64_MAX;
};

struct NewRepository {
  std::string name;  // validated here
  std::string storage_namespace;
  std::string default_branch;  // "" = main
  std::string storage_id;
  bool read_only = false;
  bool bare = false;
};

struct ListParams {
  std::string prefix;
  std::string delimiter;  // "" = flat
  std::string after;      // exclusive; a folded prefix skips its whole group
  std::size_t amount = 100;
};

/// An object, or a folded common prefix (entry is then empty and path ends with the delimiter).
struct ListItem {
  std::string path;
  bool is_prefix = false;
  Entry entry;
};

struct Listing {
  std::vector<ListItem> items;
  bool has_more = false;
};

/// Takes a listing's items in their order, while the page is read. What it is given is valid during
/// the call only.
class ListSink {
 public:
  virtual ~ListSink() = default;
  virtual void object(std::string_view path, const EntryView& entry) = 0;
  virtual void folder(std::string_view prefix) = 0;
};

struct DiffItem {
  versioning::DiffType type = versioning::DiffType::added;
  std::string path;
  bool is_prefix = false;  // folded: type is then meaningless ("prefix_changed")
  Entry entry;             // right side, or the left one of a removed object
};

struct DiffListing {
  std::vector<DiffItem> items;
  bool has_more = false;
};

/// Decides whether a write may replace what is visible at its path (nullopt = nothing): throws to
/// refuse. Called before a body is read, and again, atomically with the write, when the entry is
/// staged. Empty = write whatever is there.
using Condition = std::function<void(const std::optional<Entry>&)>;

/// Refuses to replace anything: Error{precondition_failed} "path already exists".
Condition only_if_absent();

struct UploadParams {
  std::string content_type;  // "" = kDefaultContentType
  versioning::Metadata metadata;
  Condition condition;
  bool force = false;
  block::Digests::Wanted digests;
  /// Called with the digests once all bytes are in and before they become visible; throws to refuse
  /// them (checksum mismatch). May run on a pool thread; may be empty.
  std::function<void(const block::Digests::Values&)> verify;
};

struct Uploaded {
  Entry entry;
  block::Digests::Values digests;
};

struct CopySource {
  RepositoryId repository;
  std::string ref;
  std::string path;
};

struct CopyParams {
  /// Replace instead of copy.
  std::optional<versioning::Metadata> metadata;
  std::optional<std::string> content_type;
  Condition condition;         // on the target
  Condition source_condition;  // on the source, which is never nullopt there
  bool force = false;
};

/// A multipart upload: what the reference's record holds (storage-format.md 2.11), and, for uploads
/// begun by this server, what it lacks.
struct MultipartUpload {
  std::string id;
  std::string branch;              // "" for an upload begun by the reference
  std::string checksum_algorithm;  // S3's name, e.g. "CRC32"; "" = none was asked for
  std::string checksum_type;       // "COMPOSITE", "FULL_OBJECT" or ""
  std::string completing;          // ETag of the parts a completion has begun to join; "" = none
  std::string path;
  Timestamp creation_date;
  std::string physical_address;
  versioning::Metadata metadata;
  std::string content_type;
};

/// A stored part; `checksum` is the raw digest of the algorithm the part was sent with, if any.
struct UploadedPart {
  block::PartInfo info;
  std::string checksum;
};

/// How long commits are kept from garbage collection (storage-format.md 6.3).
struct RetentionRules {
  std::int32_t default_days = 0;
  std::map<std::string, std::int32_t> branch_days;
};

struct IssuedAddress {
  std::string physical_address;  // as shown to the client
  std::string relative;          // with the signature, as part of the key
};

/// A multipart upload whose parts the client sends to the store. Nothing of it is kept here: the
/// store knows the upload, and the signature in its address says what it is for. Only
/// Catalog makes these, so the signature has been looked at.
struct PresignedUpload {
  std::string id;
  std::string address;  // relative, with the signature
};

/// What a client says about bytes it wrote itself (link, stage).
struct ExternalObject {
  std::string physical_address;
  std::string checksum;
  std::uint64_t size = 0;
  std::optional<std::int64_t> mtime;  // Unix seconds; now if absent
  versioning::Metadata metadata;
  std::string content_type;
};

/// Addresses of a repository's entries as clients are shown them, one after the other.
class ShownAddresses {
 public:
  ShownAddresses(const block::ObjectStore& objects, std::string storage_namespace)
      : objects_(objects), ref_{.storage_namespace = std::move(storage_namespace), .address = {}} {}

  /// Valid until the next call.
  std::string_view of(const EntryView& entry);

 private:
  const block::ObjectStore& objects_;
  block::ObjectRef ref_;  // kept for its memory
  std::string shown_;
};

/// Thread-safe. Paths are 1..kPathBytesMax bytes of UTF-8: Error{invalid_argument}
/// ("missing path: required value: validation error" when empty).
class Catalog {
 public:
  struct Parts {
    kv::Store& kv;
    block::ObjectStore& objects;
    versioning::Engine& engine;
    Clock& clock;
  };

  Catalog(Parts parts, CatalogConfig config);
  ~Catalog();
  Catalog(const Catalog&) = delete;
  Catalog& operator=(const Catalog&) = delete;

  versioning::Engine& engine();
  const block::StoreInfo& store_info() const;

  /// Checks in the order of lakefs-http-behaviour.md 11.2, probes the namespace, creates.
  Task<versioning::Repository> create_repository(Context& ctx, NewRepository params);

  // --- settings kept in the namespace ---
  /// nullopt: no rules are set.
  Task<std::optional<RetentionRules>> retention_rules(Context& ctx,
                                                      const versioning::Repository& repository);
  /// nullopt removes them. Error{read_only}. The last writer wins: the stored form has no version.
  Task<> set_retention_rules(Context& ctx, const versioning::Repository& repository,
                             std::optional<RetentionRules> rules);

  // --- what was recorded around commits ---
  /// In the order of their ids: later seconds first. `open`: only those that are, or are not.
  Task<versioning::Page<PullRequest>> list_pull_requests(Context& ctx,
                                                         const versioning::Repository& repository,
                                                         versioning::PageRequest request,
                                                         std::optional<bool> open);
  Task<std::optional<PullRequest>> find_pull_request(Context& ctx,
                                                     const versioning::Repository& repository,
                                                     std::string_view id);
  Task<versioning::Page<ActionRun>> list_runs(Context& ctx,
                                              const versioning::Repository& repository,
                                              versioning::PageRequest request, RunFilter filter);
  Task<std::optional<ActionRun>> find_run(Context& ctx, const versioning::Repository& repository,
                                          std::string_view run_id);
  /// Empty for an unknown run.
  Task<versioning::Page<HookRun>> list_hook_runs(Context& ctx,
                                                 const versioning::Repository& repository,
                                                 std::string_view run_id,
                                                 versioning::PageRequest request);
  /// What the hook printed; nullopt: no such run of a hook.
  Task<std::optional<std::string>> hook_output(Context& ctx,
                                               const versioning::Repository& repository,
                                               std::string_view run_id,
                                               std::string_view hook_run_id);

  // --- reading ---
  /// nullopt: no such object at the ref. Throws for an unknown ref.
  Task<std::optional<Entry>> find(Context& ctx, const versioning::Repository& repository,
                                  std::string_view ref, std::string_view path);
  /// Bytes of an entry; Error{data_missing} if the store lost them.
  Task<std::unique_ptr<io::ByteSource>> open(Context& ctx, const versioning::Repository& repository,
                                             const Entry& entry,
                                             std::optional<block::ByteRange> range = {});
  /// "" = the store's usual one; nullopt: the store has none. Error{object_not_found} if it lost
  /// the bytes.
  Task<std::optional<std::string>> storage_class(Context& ctx,
                                                 const versioning::Repository& repository,
                                                 const Entry& entry);
  Task<Listing> list(Context& ctx, const versioning::Repository& repository, std::string_view ref,
                     ListParams params);
  /// The same page for who needs no copy of it; true: there is more.
  Task<bool> list(Context& ctx, const versioning::Repository& repository, std::string_view ref,
                  ListParams params, ListSink& sink);
  /// A page of differences, folded by delimiter like a listing.
  Task<DiffListing> page_of(Context& ctx, versioning::DiffStream& differences, ListParams params);
  /// As clients are shown it.
  std::string display_address(const versioning::Repository& repository, const Entry& entry) const;
  ShownAddresses shown_addresses(const versioning::Repository& repository) const;

  // --- writing ---
  /// Branch, protection, read-only flag and condition are checked before the body is read. Bytes
  /// stored for a failed upload are removed.
  Task<Uploaded> upload(Context& ctx, const versioning::Repository& repository,
                        const BranchId& branch, std::string_view path, io::ByteSource& body,
                        UploadParams params);
  /// A new object with its own bytes. Error{object_not_found} for the source.
  Task<Entry> copy(Context& ctx, const CopySource& source, const versioning::Repository& target,
                   const BranchId& branch, std::string_view path, CopyParams params);
  /// nullopt per path = done; missing paths are done.
  Task<std::vector<std::optional<Error>>> remove(Context& ctx,
                                                 const versioning::Repository& repository,
                                                 const BranchId& branch,
                                                 std::vector<std::string> paths,
                                                 versioning::WriteOptions options);
  Task<> set_metadata(Context& ctx, const versioning::Repository& repository,
                      const BranchId& branch, std::string_view path, versioning::Metadata metadata,
                      versioning::WriteOptions options);

  // --- bytes written by the client itself (17.1, 17.2, 16.10) ---
  IssuedAddress issue_address(const versioning::Repository& repository, const BranchId& branch,
                              std::string_view path);
  Task<Entry> link(Context& ctx, const versioning::Repository& repository, const BranchId& branch,
                   std::string_view path, ExternalObject object, Condition condition, bool force);
  Task<Entry> stage(Context& ctx, const versioning::Repository& repository, const BranchId& branch,
                    std::string_view path, ExternalObject object, bool force);

  // --- URLs with which clients reach the store themselves (10.3, 17) ---
  // Error{invalid_argument} where the store hands out none, in its own words.
  Task<block::PresignedUrl> presign_read(Context& ctx, const versioning::Repository& repository,
                                         std::string_view path, const Entry& entry);
  Task<block::PresignedUrl> presign_write(Context& ctx, const versioning::Repository& repository,
                                          const IssuedAddress& issued);

  /// Error{branch_not_found}; Error{invalid_argument} for more parts than there can be, or less
  /// than none.
  struct NewPresignedUpload {
    std::string id;
    std::string physical_address;  // as shown to the client
    std::vector<std::string> part_urls;
  };

  Task<NewPresignedUpload> create_presigned_upload(Context& ctx,
                                                   const versioning::Repository& repository,
                                                   const BranchId& branch, std::string_view path,
                                                   std::int64_t parts);
  /// Error{invalid_argument} unless the address was issued for this branch and path, not long ago.
  /// Whether the store knows the upload is not looked at.
  PresignedUpload presigned_upload(const versioning::Repository& repository,
                                   std::string_view branch, std::string_view path, std::string id,
                                   std::string_view physical_address) const;
  Task<std::string> presign_part(Context& ctx, const versioning::Repository& repository,
                                 const PresignedUpload& upload, std::uint32_t number);
  /// The part's ETag. `source` is an entry of `from`.
  Task<std::string> copy_presigned_part(Context& ctx, const versioning::Repository& repository,
                                        const PresignedUpload& upload, std::uint32_t number,
                                        const versioning::Repository& from, const Entry& source,
                                        std::optional<block::ByteRange> range);
  /// May be repeated: the object is the same.
  Task<Entry> complete_presigned_upload(Context& ctx, const versioning::Repository& repository,
                                        const BranchId& branch, std::string_view path,
                                        const PresignedUpload& upload,
                                        std::vector<block::Part> parts,
                                        versioning::Metadata metadata, std::string content_type);
  /// Error{upload_not_found}.
  Task<> abort_presigned_upload(Context& ctx, const versioning::Repository& repository,
                                const PresignedUpload& upload);

  // --- multipart uploads (S3) ---
  struct NewUpload {
    versioning::Metadata metadata;
    std::string content_type;
    std::string checksum_algorithm;
    std::string checksum_type;
  };

  Task<MultipartUpload> create_upload(Context& ctx, const versioning::Repository& repository,
                                      const BranchId& branch, std::string_view path,
                                      NewUpload params);
  /// Error{upload_not_found} unless the upload exists and is for `path` on this branch.
  Task<MultipartUpload> get_upload(Context& ctx, const versioning::Repository& repository,
                                   const BranchId& branch, std::string_view path,
                                   std::string_view upload_id);
  /// `params`: digests and verify are used. `checksum_of` picks the digest to keep with the part;
  /// may be empty.
  using PickDigest = std::function<std::string(const block::Digests::Values&)>;
  Task<UploadedPart> upload_part(Context& ctx, const versioning::Repository& repository,
                                 const MultipartUpload& upload, std::uint32_t number,
                                 io::ByteSource& body, UploadParams params, PickDigest checksum_of);
  /// Error{object_not_found} for the source, Error{invalid_argument} for a range beyond it.
  Task<UploadedPart> copy_part(Context& ctx, const versioning::Repository& repository,
                               const MultipartUpload& upload, std::uint32_t number,
                               const CopySource& source, std::optional<block::ByteRange> range,
                               Condition source_condition);
  Task<Entry> complete_upload(Context& ctx, const versioning::Repository& repository,
                              const BranchId& branch, const MultipartUpload& upload,
                              std::vector<block::Part> parts, Condition condition);
  /// Goes on where a completion of the same parts failed after joining them: the parts are gone
  /// then. nullopt: there was none, complete_upload() is to be called.
  Task<std::optional<Entry>> resume_completion(Context& ctx,
                                               const versioning::Repository& repository,
                                               const BranchId& branch,
                                               const MultipartUpload& upload, std::string_view etag,
                                               Condition condition);
  Task<> abort_upload(Context& ctx, const versioning::Repository& repository,
                      const MultipartUpload& upload);
  Task<std::vector<UploadedPart>> list_parts(Context& ctx, const versioning::Repository& repository,
                                             const MultipartUpload& upload, std::uint32_t after,
                                             std::size_t parts_max);

  struct UploadPage {
    std::vector<MultipartUpload> uploads;  // by "branch/path", then id
    bool has_more = false;
  };

  Task<UploadPage> list_uploads(Context& ctx, const versioning::Repository& repository,
                                std::string_view prefix, std::string_view after_key,
                                std::string_view after_id, std::size_t uploads_max);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tarn::catalog
