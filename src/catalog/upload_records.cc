#include "catalog/upload_records.h"

#include <algorithm>

#include "base/error.h"
#include "base/format.h"
#include "catalog/upload_codec.h"

namespace tarn::catalog {

namespace {

constexpr std::string_view kUploads = "multiparts";
constexpr std::string_view kDetails = "tarn/uploads";
constexpr std::string_view kParts = "tarn/upload-parts";
constexpr std::size_t kEraseBatch = 500;

std::string detail_prefix(const versioning::Repository& repository) {
  return repository.partition() + "/";
}

std::string detail_key(const versioning::Repository& repository, std::string_view upload_id) {
  return detail_prefix(repository).append(upload_id);
}

std::string part_key(std::string_view upload_id, std::uint32_t number) {
  return format("{}/{:05}", upload_id, number);
}

std::string key_of(const MultipartUpload& upload) {
  return upload.branch + "/" + upload.path;
}

bool listed_before(const MultipartUpload& a, const MultipartUpload& b) {
  const std::string left = key_of(a);
  const std::string right = key_of(b);
  return left != right ? left < right : a.id < b.id;
}

}  // namespace

Task<> UploadRecords::put(Context& ctx, const versioning::Repository& repository,
                          const MultipartUpload& upload) {
  std::vector<kv::Op> ops;
  ops.push_back(kv::Op::set(std::string(kDetails), detail_key(repository, upload.id),
                            encode_upload_detail(upload)));
  ops.push_back(kv::Op::set_if(std::string(kUploads), upload.id, encode_upload(upload),
                               kv::Expect::absent()));
  const auto results = co_await kv_.run(ctx, std::move(ops));
  if (!results.back().stored) throw Error(ErrorCode::internal, "upload id is not unique");
}

Task<std::optional<MultipartUpload>> UploadRecords::find(Context& ctx,
                                                         const versioning::Repository& repository,
                                                         std::string_view upload_id) {
  constexpr std::size_t kIdBytesMax = 512;
  if (upload_id.empty() || upload_id.size() > kIdBytesMax) co_return std::nullopt;
  std::vector<kv::Address> addresses;
  addresses.push_back({std::string(kUploads), std::string(upload_id)});
  addresses.push_back({std::string(kDetails), detail_key(repository, upload_id)});
  const auto found = co_await kv_.get_many(ctx, std::move(addresses));
  if (!found[0]) {
    // Left by a removal that stopped half-way, on a store whose writes can: still listed.
    if (found[1]) co_await remove(ctx, repository, upload_id);
    co_return std::nullopt;
  }
  MultipartUpload upload = decode_upload(*found[0]);
  if (found[1]) {
    MultipartUpload detail = decode_upload_detail(*found[1]);
    upload.branch = std::move(detail.branch);
    upload.checksum_algorithm = std::move(detail.checksum_algorithm);
    upload.checksum_type = std::move(detail.checksum_type);
    upload.completing = std::move(detail.completing);
  }
  co_return upload;
}

Task<> UploadRecords::put_detail(Context& ctx, const versioning::Repository& repository,
                                 const MultipartUpload& upload) {
  co_await kv_.set(ctx, kDetails, detail_key(repository, upload.id), encode_upload_detail(upload));
}

Task<> UploadRecords::remove(Context& ctx, const versioning::Repository& repository,
                             std::string_view upload_id) {
  std::vector<kv::Op> ops;
  ops.push_back(kv::Op::erase(std::string(kUploads), std::string(upload_id)));
  ops.push_back(kv::Op::erase(std::string(kDetails), detail_key(repository, upload_id)));
  auto parts = kv_.scan(kParts, {.prefix = std::string(upload_id) + "/"});
  while (parts->next() || co_await parts->fill(ctx)) {
    ops.push_back(kv::Op::erase(std::string(kParts), std::string(parts->key())));
    if (ops.size() >= kEraseBatch) co_await kv_.run(ctx, std::exchange(ops, {}));
  }
  if (!ops.empty()) co_await kv_.run(ctx, std::move(ops));
}

Task<Catalog::UploadPage> UploadRecords::list(Context& ctx,
                                              const versioning::Repository& repository,
                                              std::string_view prefix, std::string_view after_key,
                                              std::string_view after_id, std::size_t uploads_max) {
  const std::string scope = detail_prefix(repository);
  auto details = kv_.scan(kDetails, {.prefix = scope});
  // A heap of the least ones seen, one more than asked for, the greatest of them on top.
  Catalog::UploadPage page;
  auto& heap = page.uploads;
  while (details->next() || co_await details->fill(ctx)) {
    MultipartUpload upload = decode_upload_detail(details->value());
    upload.id = std::string(details->key().substr(scope.size()));
    const std::string key = key_of(upload);
    if (!key.starts_with(prefix) || key < after_key ||
        (key == after_key && upload.id <= after_id)) {
      continue;
    }
    heap.push_back(std::move(upload));
    std::ranges::push_heap(heap, listed_before);
    if (heap.size() > uploads_max + 1) {
      std::ranges::pop_heap(heap, listed_before);
      heap.pop_back();
    }
  }
  std::ranges::sort_heap(heap, listed_before);
  if (heap.size() > uploads_max) {
    page.has_more = true;
    heap.pop_back();
  }
  co_return page;
}

Task<> UploadRecords::put_part(Context& ctx, std::string_view upload_id, std::uint32_t number,
                               std::string_view etag, std::string_view checksum) {
  co_await kv_.set(ctx, kParts, part_key(upload_id, number),
                   encode_part_detail({std::string(etag), std::string(checksum)}));
}

Task<> UploadRecords::add_checksums(Context& ctx, std::string_view upload_id,
                                    std::vector<UploadedPart>& parts) {
  std::vector<kv::Address> addresses;
  for (const UploadedPart& part : parts) {
    addresses.push_back({std::string(kParts), part_key(upload_id, part.info.number)});
  }
  const auto found = co_await kv_.get_many(ctx, std::move(addresses));
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (!found[i]) continue;
    PartDetail detail = decode_part_detail(*found[i]);
    if (detail.etag == parts[i].info.etag) parts[i].checksum = std::move(detail.checksum);
  }
}

}  // namespace tarn::catalog
