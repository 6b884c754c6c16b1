#include "catalog/upload_records.h"

#include <algorithm>

#include "base/error.h"
#include "base/format.h"
#include "multipart.pb.h"

namespace tarn::catalog {

namespace pb = ::io::treeverse::lakefs::multipart;

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

template <class Message>
Message parse(std::string_view bytes) {
  Message message;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    throw Error(ErrorCode::corrupt, "multipart upload record does not parse");
  }
  return message;
}

MultipartUpload upload_of(const pb::UploadData& data) {
  MultipartUpload upload{
      .id = data.upload_id(),
      .path = data.path(),
      .creation_date = {data.creation_date().seconds(), data.creation_date().nanos()},
      .physical_address = data.physical_address(),
      .content_type = data.content_type()};
  for (const auto& [name, value] : data.metadata())
    upload.metadata.emplace(name, value);
  return upload;
}

void add_detail(MultipartUpload& upload, const pb::UploadDetail& detail) {
  upload.branch = detail.branch();
  upload.checksum_algorithm = detail.checksum_algorithm();
  upload.checksum_type = detail.checksum_type();
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
  pb::UploadData data;
  data.set_upload_id(upload.id);
  data.set_path(upload.path);
  data.mutable_creation_date()->set_seconds(upload.creation_date.seconds);
  data.mutable_creation_date()->set_nanos(upload.creation_date.nanos);
  data.set_physical_address(upload.physical_address);
  for (const auto& [name, value] : upload.metadata)
    (*data.mutable_metadata())[name] = value;
  data.set_content_type(upload.content_type);
  pb::UploadDetail detail;
  detail.set_branch(upload.branch);
  detail.set_path(upload.path);
  *detail.mutable_creation_date() = data.creation_date();
  detail.set_checksum_algorithm(upload.checksum_algorithm);
  detail.set_checksum_type(upload.checksum_type);
  std::vector<kv::Op> ops;
  ops.push_back(kv::Op::set(std::string(kDetails), detail_key(repository, upload.id),
                            detail.SerializeAsString()));
  ops.push_back(kv::Op::set_if(std::string(kUploads), upload.id, data.SerializeAsString(),
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
  if (!found[0]) co_return std::nullopt;
  MultipartUpload upload = upload_of(parse<pb::UploadData>(*found[0]));
  if (found[1]) add_detail(upload, parse<pb::UploadDetail>(*found[1]));
  co_return upload;
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
    const auto detail = parse<pb::UploadDetail>(details->value());
    MultipartUpload upload{
        .id = std::string(details->key().substr(scope.size())),
        .path = detail.path(),
        .creation_date = {detail.creation_date().seconds(), detail.creation_date().nanos()}};
    add_detail(upload, detail);
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
  pb::PartDetail detail;
  detail.set_etag(std::string(etag));
  detail.set_checksum(std::string(checksum));
  co_await kv_.set(ctx, kParts, part_key(upload_id, number), detail.SerializeAsString());
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
    auto detail = parse<pb::PartDetail>(*found[i]);
    if (detail.etag() == parts[i].info.etag) parts[i].checksum = detail.checksum();
  }
}

}  // namespace tarn::catalog
