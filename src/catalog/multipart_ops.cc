// Catalog: multipart uploads (S3). The store keeps the parts, the KV what the upload is for.
#include <exception>

#include "base/bytes.h"
#include "base/error.h"
#include "base/log.h"
#include "block/part_list.h"
#include "catalog/catalog_parts.h"

namespace tarn::catalog {

namespace {

block::ObjectRef object_of_upload(const versioning::Repository& repository,
                                  const MultipartUpload& upload) {
  return {.storage_namespace = repository.storage_namespace,
          .address = upload.physical_address,
          .type = block::AddressType::relative};
}

}  // namespace

std::string etag_of(const std::vector<block::Part>& parts) {
  std::vector<std::string> md5s;
  for (const block::Part& part : parts) {
    std::string_view hex = part.etag;
    if (hex.size() >= 2 && hex.front() == '"' && hex.back() == '"') {
      hex = hex.substr(1, hex.size() - 2);
    }
    auto md5 = from_hex(hex);
    if (!md5) return {};
    md5s.push_back(*std::move(md5));
  }
  return block::joined_etag(md5s);
}

std::uint64_t covered_bytes(const Entry& entry, const std::optional<block::ByteRange>& range) {
  if (!range) return entry.size;
  if (range->first > range->last || range->last >= entry.size) {
    throw Error(ErrorCode::invalid_argument, "range is beyond the source");
  }
  return range->last - range->first + 1;
}

Task<MultipartUpload> Catalog::create_upload(Context& ctx, const versioning::Repository& repository,
                                             const BranchId& branch, std::string_view path,
                                             NewUpload params) {
  co_await impl_->check_write(ctx, repository, branch, path, {}, {});
  // What the entry could not be stored with is refused now, not after gigabytes of parts.
  static_cast<void>(
      encode_entry({.metadata = params.metadata, .content_type = params.content_type}));
  MultipartUpload upload{.branch = branch.str(),
                         .checksum_algorithm = std::move(params.checksum_algorithm),
                         .checksum_type = std::move(params.checksum_type),
                         .path = std::string(path),
                         .creation_date = impl_->clock.now(),
                         .physical_address = impl_->names.next(),
                         .metadata = std::move(params.metadata),
                         .content_type = std::move(params.content_type)};
  upload.id = co_await impl_->objects.create_multipart(ctx, object_of_upload(repository, upload));
  std::exception_ptr failure;
  try {
    co_await impl_->uploads.put(ctx, repository, upload);
  } catch (const Error&) {
    failure = std::current_exception();
  }
  if (failure) {
    co_await impl_->drop_upload(ctx, repository, upload);
    std::rethrow_exception(failure);
  }
  co_return upload;
}

Task<> Catalog::Impl::drop_upload(Context& ctx, const versioning::Repository& repository,
                                  const MultipartUpload& upload) {
  try {
    co_await objects.abort_multipart(ctx, object_of_upload(repository, upload), upload.id);
    co_await uploads.remove(ctx, repository, upload.id);
  } catch (const Error& error) {
    log::write(log::Level::warn, ctx, "records of a failed upload stay",
               {{"upload_id", upload.id}, {"error", error.message()}});
  }
}

Task<MultipartUpload> Catalog::get_upload(Context& ctx, const versioning::Repository& repository,
                                          const BranchId& branch, std::string_view path,
                                          std::string_view upload_id) {
  auto upload = co_await impl_->uploads.find(ctx, repository, upload_id);
  const bool matches =
      upload && upload->path == path && (upload->branch.empty() || upload->branch == branch.str());
  if (!matches) throw Error(ErrorCode::upload_not_found, "upload not found");
  upload->branch = branch.str();
  co_return *std::move(upload);
}

Task<UploadedPart> Catalog::upload_part(Context& ctx, const versioning::Repository& repository,
                                        const MultipartUpload& upload, std::uint32_t number,
                                        io::ByteSource& body, UploadParams params,
                                        PickDigest checksum_of) {
  block::Digests digests(params.digests);
  UploadedPart part;
  part.info.number = number;
  part.info.etag =
      co_await impl_->objects.upload_part(ctx, object_of_upload(repository, upload), upload.id,
                                          number, body, impl_->put_options(digests, params.verify));
  const auto& values = digests.values();
  part.info.size = values.size;
  part.info.last_modified = impl_->clock.now();
  if (checksum_of) {
    part.checksum = checksum_of(values);
    if (!part.checksum.empty()) {
      co_await impl_->uploads.put_part(ctx, upload.id, number, part.info.etag, part.checksum);
    }
  }
  co_return part;
}

Task<UploadedPart> Catalog::copy_part(Context& ctx, const versioning::Repository& repository,
                                      const MultipartUpload& upload, std::uint32_t number,
                                      const CopySource& source,
                                      std::optional<block::ByteRange> range,
                                      Condition source_condition) {
  const auto from = co_await impl_->engine.get_repository(ctx, source.repository);
  const auto entry = co_await find(ctx, *from, source.ref, source.path);
  if (!entry) throw Error(ErrorCode::object_not_found, "not found");
  if (source_condition) source_condition(entry);
  UploadedPart part;
  part.info.size = covered_bytes(*entry, range);
  const auto body = co_await open(ctx, *from, *entry, range);
  part.info.number = number;
  part.info.etag = co_await impl_->objects.upload_part(ctx, object_of_upload(repository, upload),
                                                       upload.id, number, *body);
  part.info.last_modified = impl_->clock.now();
  co_return part;
}

Task<Entry> Catalog::Impl::put_joined(Context& ctx, const versioning::Repository& repository,
                                      const BranchId& branch, const MultipartUpload& upload,
                                      const block::ObjectInfo& joined, const Condition& condition) {
  const Entry entry{.address = upload.physical_address,
                    .last_modified = clock.now(),
                    .size = joined.size,
                    .etag = joined.etag,
                    .metadata = upload.metadata,
                    .content_type = upload.content_type.empty() ? std::string(kDefaultContentType)
                                                                : upload.content_type};
  co_await put_entry(ctx, repository, branch, upload.path, entry, condition, {});
  co_await uploads.remove(ctx, repository, upload.id);
  co_return entry;
}

Task<Entry> Catalog::complete_upload(Context& ctx, const versioning::Repository& repository,
                                     const BranchId& branch, const MultipartUpload& upload,
                                     std::vector<block::Part> parts, Condition condition) {
  const std::string etag = etag_of(parts);
  if (auto entry = co_await resume_completion(ctx, repository, branch, upload, etag, condition)) {
    co_return *std::move(entry);
  }
  co_await impl_->check_write(ctx, repository, branch, upload.path, condition, {});
  if (upload.completing != etag) {
    MultipartUpload begun = upload;
    begun.completing = etag;
    co_await impl_->uploads.put_detail(ctx, repository, begun);
  }
  const auto joined = co_await impl_->objects.complete_multipart(
      ctx, object_of_upload(repository, upload), upload.id, std::move(parts));
  co_return co_await impl_->put_joined(ctx, repository, branch, upload, joined, condition);
}

Task<std::optional<Entry>> Catalog::resume_completion(Context& ctx,
                                                      const versioning::Repository& repository,
                                                      const BranchId& branch,
                                                      const MultipartUpload& upload,
                                                      std::string_view etag, Condition condition) {
  if (upload.completing.empty()) co_return std::nullopt;
  // Only a completion of this upload writes to its address, and writes all of it or nothing.
  auto joined = co_await impl_->objects.head(ctx, object_of_upload(repository, upload));
  if (!joined) co_return std::nullopt;
  if (upload.completing != etag) throw Error(ErrorCode::upload_not_found, "upload not found");
  co_await impl_->check_write(ctx, repository, branch, upload.path, condition, {});
  joined->etag = upload.completing;
  co_return co_await impl_->put_joined(ctx, repository, branch, upload, *joined, condition);
}

Task<> Catalog::abort_upload(Context& ctx, const versioning::Repository& repository,
                             const MultipartUpload& upload) {
  co_await impl_->objects.abort_multipart(ctx, object_of_upload(repository, upload), upload.id);
  co_await impl_->uploads.remove(ctx, repository, upload.id);
}

Task<std::vector<UploadedPart>> Catalog::list_parts(Context& ctx,
                                                    const versioning::Repository& repository,
                                                    const MultipartUpload& upload,
                                                    std::uint32_t after, std::size_t parts_max) {
  const auto stored = co_await impl_->objects.list_parts(ctx, object_of_upload(repository, upload),
                                                         upload.id, after, parts_max);
  std::vector<UploadedPart> parts;
  for (const auto& info : stored)
    parts.push_back({.info = info, .checksum = {}});
  co_await impl_->uploads.add_checksums(ctx, upload.id, parts);
  co_return parts;
}

Task<Catalog::UploadPage> Catalog::list_uploads(Context& ctx,
                                                const versioning::Repository& repository,
                                                std::string_view prefix, std::string_view after_key,
                                                std::string_view after_id,
                                                std::size_t uploads_max) {
  return impl_->uploads.list(ctx, repository, prefix, after_key, after_id, uploads_max);
}

}  // namespace tarn::catalog
