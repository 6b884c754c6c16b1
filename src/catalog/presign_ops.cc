// Catalog: URLs with which clients reach the store themselves, and multipart uploads made through
// them (lakefs-http-behaviour.md 10.3, 17).
#include <exception>

#include "base/error.h"
#include "base/format.h"
#include "base/log.h"
#include "block/part_list.h"
#include "catalog/catalog_parts.h"
#include "io/sync.h"

namespace tarn::catalog {

namespace {

constexpr std::uint32_t kUrlsBetweenYields = 64;

enum class UrlFor : std::uint8_t { object, part };

/// In the words of the reference, which differ by store.
std::string_view refusal(std::string_view store, UrlFor what) {
  if (store == "mem")
    return what == UrlFor::part ? "get presign upload part url: " : "get pre signed url: ";
  if (store == "local" && what == UrlFor::object) return "local adapter presigned URL: ";
  return "";
}

block::Presigner& require_presigner(block::ObjectStore& objects, UrlFor what) {
  if (auto* presigner = objects.presigner()) return *presigner;
  throw Error(ErrorCode::invalid_argument,
              format("{}operation not supported", refusal(objects.info().type, what)));
}

/// The last part of a path; of one that ends in slashes the part before them.
std::string_view file_name(std::string_view path) {
  while (path.size() > 1 && path.ends_with('/'))
    path.remove_suffix(1);
  if (path == "/") return path;
  return path.substr(path.rfind('/') + 1);  // npos + 1 is 0
}

block::ObjectRef data_of(const versioning::Repository& repository, std::string relative) {
  return {.storage_namespace = repository.storage_namespace,
          .address = std::move(relative),
          .type = block::AddressType::relative};
}

}  // namespace

PresignedUpload Catalog::presigned_upload(const versioning::Repository& repository,
                                          std::string_view branch, std::string_view path,
                                          std::string id, std::string_view physical_address) const {
  auto relative = impl_->verify_issued(repository, branch, path, physical_address);
  if (!relative) {
    throw Error(ErrorCode::invalid_argument,
                "physical address must be relative to the storage namespace");
  }
  return {.id = std::move(id), .address = *std::move(relative)};
}

Task<block::PresignedUrl> Catalog::presign_read(Context& ctx,
                                                const versioning::Repository& repository,
                                                std::string_view path, const Entry& entry) {
  co_return co_await require_presigner(impl_->objects, UrlFor::object)
      .presign_get(ctx, object_of(repository, entry), file_name(path));
}

Task<block::PresignedUrl> Catalog::presign_write(Context& ctx,
                                                 const versioning::Repository& repository,
                                                 const IssuedAddress& issued) {
  co_return co_await require_presigner(impl_->objects, UrlFor::object)
      .presign_put(ctx, data_of(repository, issued.relative));
}

Task<std::vector<std::string>> Catalog::Impl::presign_parts(Context& ctx, block::ObjectRef ref,
                                                            std::string_view upload_id,
                                                            std::uint32_t parts) {
  block::Presigner& presigner = require_presigner(objects, UrlFor::part);
  std::vector<std::string> urls;
  urls.reserve(parts);
  for (std::uint32_t number = 1; number <= parts; ++number) {
    urls.push_back((co_await presigner.presign_part(ctx, ref, upload_id, number)).url);
    if (number % kUrlsBetweenYields == 0) co_await io::yield();
  }
  co_return urls;
}

Task<Catalog::NewPresignedUpload> Catalog::create_presigned_upload(
    Context& ctx, const versioning::Repository& repository, const BranchId& branch,
    std::string_view path, std::int64_t parts) {
  IssuedAddress issued = issue_address(repository, branch, path);
  co_await impl_->engine.get_branch(ctx, repository, branch);
  if (parts < 0 || parts > block::kPartNumberMax) {
    throw Error(ErrorCode::invalid_argument, "parts can be between 0 and 10000");
  }
  const block::ObjectRef ref = data_of(repository, issued.relative);
  NewPresignedUpload made;
  made.physical_address = std::move(issued.physical_address);
  made.id = co_await impl_->objects.create_multipart(ctx, ref);
  std::exception_ptr failure;
  try {
    made.part_urls =
        co_await impl_->presign_parts(ctx, ref, made.id, static_cast<std::uint32_t>(parts));
  } catch (const Error&) {
    failure = std::current_exception();
  }
  if (!failure) co_return made;
  co_await impl_->drop_parts(ctx, ref, made.id);
  std::rethrow_exception(failure);
}

Task<> Catalog::Impl::drop_parts(Context& ctx, block::ObjectRef ref, std::string upload_id) {
  try {
    co_await objects.abort_multipart(ctx, ref, upload_id);
  } catch (const Error& error) {
    log::write(log::Level::warn, ctx, "a failed upload stays in the object store",
               {{"upload_id", upload_id}, {"error", error.message()}});
  }
}

Task<std::string> Catalog::presign_part(Context& ctx, const versioning::Repository& repository,
                                        const PresignedUpload& upload, std::uint32_t number) {
  const auto ref = data_of(repository, upload.address);
  block::Presigner& presigner = require_presigner(impl_->objects, UrlFor::part);
  co_return (co_await presigner.presign_part(ctx, ref, upload.id, number)).url;
}

Task<std::string> Catalog::copy_presigned_part(Context& ctx,
                                               const versioning::Repository& repository,
                                               const PresignedUpload& upload, std::uint32_t number,
                                               const versioning::Repository& from,
                                               const Entry& source,
                                               std::optional<block::ByteRange> range) {
  const auto ref = data_of(repository, upload.address);
  covered_bytes(source, range);
  const auto body = co_await open(ctx, from, source, range);
  co_return co_await impl_->objects.upload_part(ctx, ref, upload.id, number, *body);
}

Task<block::ObjectInfo> Catalog::Impl::join_parts(Context& ctx, block::ObjectRef ref,
                                                  std::string_view upload_id,
                                                  std::vector<block::Part> parts) {
  const std::string etag = etag_of(parts);
  std::exception_ptr failure;
  try {
    co_return co_await objects.complete_multipart(ctx, ref, upload_id, std::move(parts));
  } catch (const Error& error) {
    if (error.code() != ErrorCode::upload_not_found || etag.empty()) throw;
    failure = std::current_exception();
  }
  // An earlier completion may have joined these very parts and got no further. Nobody else can
  // have: the address was issued for one upload.
  auto joined = co_await objects.head(ctx, ref);
  if (!joined || joined->etag != etag) std::rethrow_exception(failure);
  co_return *std::move(joined);
}

Task<Entry> Catalog::complete_presigned_upload(
    Context& ctx, const versioning::Repository& repository, const BranchId& branch,
    std::string_view path, const PresignedUpload& upload, std::vector<block::Part> parts,
    versioning::Metadata metadata, std::string content_type) {
  const auto ref = data_of(repository, upload.address);
  Entry entry{.address = upload.address,
              .metadata = std::move(metadata),
              .content_type = content_type.empty() ? std::string(kDefaultContentType)
                                                   : std::move(content_type)};
  static_cast<void>(encode_entry(entry));  // refuses what cannot be stored, before parts are joined
  co_await impl_->check_write(ctx, repository, branch, path, {}, {});
  const auto joined = co_await impl_->join_parts(ctx, ref, upload.id, std::move(parts));
  entry.last_modified = joined.last_modified;
  entry.size = joined.size;
  entry.etag = joined.etag;
  co_await impl_->put_entry(ctx, repository, branch, path, entry, {}, {});
  co_return entry;
}

Task<> Catalog::abort_presigned_upload(Context& ctx, const versioning::Repository& repository,
                                       const PresignedUpload& upload) {
  const auto ref = data_of(repository, upload.address);
  co_await impl_->objects.list_parts(ctx, ref, upload.id, 0, 1);  // aborting tells nobody
  co_await impl_->objects.abort_multipart(ctx, ref, upload.id);
}

}  // namespace tarn::catalog
