// What the catalog is made of, shared by its operations. Internal to catalog/.
#pragma once

#include <string>
#include <string_view>

#include "catalog/address_signer.h"
#include "catalog/catalog.h"
#include "catalog/path_names.h"
#include "catalog/upload_records.h"

namespace tarn::catalog {

struct Catalog::Impl {
  Impl(Parts parts, CatalogConfig catalog_config)
      : kv(parts.kv),
        objects(parts.objects),
        engine(parts.engine),
        clock(parts.clock),
        config(std::move(catalog_config)),
        names(clock),
        signer(config.signing_secret),
        uploads(kv) {}

  kv::Store& kv;
  block::ObjectStore& objects;
  versioning::Engine& engine;
  Clock& clock;
  const CatalogConfig config;
  PathNames names;
  AddressSigner signer;
  UploadRecords uploads;

  /// What is visible on the branch now.
  Task<std::optional<Entry>> visible(Context& ctx, const versioning::Repository& repository,
                                     const BranchId& branch, std::string_view path);
  /// The relative address, if `physical_address` is one of the namespace's data folder in either
  /// of its forms: as the repository names it, or as clients are shown it. It has passed
  /// the signer then, which refuses what was not issued for this branch and path.
  std::optional<std::string> verify_issued(const versioning::Repository& repository,
                                           std::string_view branch, std::string_view path,
                                           std::string_view physical_address) const;
  /// Everything a write is refused for that can be known before its body is read.
  Task<> check_write(Context& ctx, const versioning::Repository& repository, const BranchId& branch,
                     std::string_view path, const Condition& condition,
                     versioning::WriteOptions options);
  /// Stages the entry, under its condition if it has one.
  Task<> put_entry(Context& ctx, const versioning::Repository& repository, const BranchId& branch,
                   std::string_view path, const Entry& entry, const Condition& condition,
                   versioning::WriteOptions options);
  /// The same for an entry whose bytes nobody else has: removes them if the entry is refused.
  Task<> put_new(Context& ctx, const versioning::Repository& repository, const BranchId& branch,
                 std::string_view path, const Entry& entry, const Condition& condition,
                 versioning::WriteOptions options);
  /// Bounded by configuration; `verify` sees the digests before the bytes become visible. Both
  /// arguments must outlive the put.
  block::PutOptions put_options(
      block::Digests& digests,
      const std::function<void(const block::Digests::Values&)>& verify) const;
  /// The entry of an upload whose parts were joined into these bytes; the upload is over.
  Task<Entry> put_joined(Context& ctx, const versioning::Repository& repository,
                         const BranchId& branch, const MultipartUpload& upload,
                         const block::ObjectInfo& joined, const Condition& condition);
  /// Removes an upload whose id nobody was told; a failure is logged.
  Task<> drop_upload(Context& ctx, const versioning::Repository& repository,
                     const MultipartUpload& upload);
  /// Removes the marker of a repository that was not created, so that its namespace can be used;
  /// a failure is logged.
  Task<> drop_marker(Context& ctx, const RepositoryId& id, const block::ObjectRef& marker);
  /// URLs for the parts from 1 to `parts`.
  Task<std::vector<std::string>> presign_parts(Context& ctx, block::ObjectRef ref,
                                               std::string_view upload_id, std::uint32_t parts);
  /// The object of these parts, whether this call joins them or an earlier one has.
  Task<block::ObjectInfo> join_parts(Context& ctx, block::ObjectRef ref, std::string_view upload_id,
                                     std::vector<block::Part> parts);
  /// Ends an upload that nobody was told of; a failure is logged.
  Task<> drop_parts(Context& ctx, block::ObjectRef ref, std::string upload_id);
  /// Removes bytes that did not become an object; a failure is logged, garbage collection finds
  /// them later.
  Task<> drop_bytes(Context& ctx, const block::ObjectRef& ref);
};

/// The object an entry names.
block::ObjectRef object_of(const versioning::Repository& repository, const Entry& entry);

/// ETag of the object that these parts make; "" if the ETag of one is none, which the store
/// refuses.
std::string etag_of(const std::vector<block::Part>& parts);

/// Bytes of an entry that a range covers. Error{invalid_argument} where it is not within the entry.
std::uint64_t covered_bytes(const Entry& entry, const std::optional<block::ByteRange>& range);

/// Throws Error{invalid_argument} with the reference's texts.
void require_path(std::string_view path);

}  // namespace tarn::catalog
