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
  /// Removes bytes that did not become an object; a failure is logged, garbage collection finds
  /// them later.
  Task<> drop_bytes(Context& ctx, const block::ObjectRef& ref);
};

/// The object an entry names.
block::ObjectRef object_of(const versioning::Repository& repository, const Entry& entry);

/// Throws Error{invalid_argument} with the reference's texts.
void require_path(std::string_view path);

}  // namespace tarn::catalog
