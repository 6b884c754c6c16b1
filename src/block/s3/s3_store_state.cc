#include "block/s3/s3_store_state.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/bytes.h"
#include "base/error.h"
#include "base/format.h"
#include "base/hash.h"
#include "base/log.h"
#include "block/address.h"
#include "block/part_list.h"
#include "block/s3/place.h"
#include "block/s3/verdict.h"

namespace tarn::block {

namespace s3 {

Target target_of(const ObjectRef& ref) {
  auto location = resolve(ref);
  if (!location) throw Error(ErrorCode::invalid_argument, location.error().message);
  if (location->scheme != "s3") {
    throw Error(ErrorCode::invalid_argument, "physical address is not valid for block adapter: s3");
  }
  if (!is_bucket_name(location->bucket)) {
    throw Error(ErrorCode::invalid_argument, "invalid address: bad bucket name");
  }
  constexpr std::size_t kKeyBytesMax = 1'024;
  if (location->key.size() > kKeyBytesMax) {
    throw Error(ErrorCode::invalid_argument, "invalid address: too long");
  }
  return {.bucket = std::move(location->bucket), .key = std::move(location->key)};
}

Target target_of_namespace(std::string_view storage_namespace) {
  Target target = target_of({std::string(storage_namespace), "x", AddressType::relative});
  target.key.pop_back();
  return target;
}

}  // namespace s3

namespace {

using s3::Bytes;
using s3::Reply;
using s3::S3Request;
using s3::Target;

constexpr std::size_t kInlineHashBytesMax = 64 * 1024;
constexpr std::chrono::seconds kGiveUpTimeout{10};

StoreInfo info_of(const S3Config& config) {
  return {.type = "s3",
          .namespace_regex = "^s3://",
          .namespace_example = "s3://example-bucket/",
          .default_namespace_prefix = config.default_namespace_prefix,
          .presign_support = config.presign,
          .presign_support_ui = config.presign && config.presign_ui,
          .presign_multipart_support = config.presign && config.presign_multipart,
          .import_support = false,
          .storage_classes = true};
}

/// Encrypted objects have ETags that are no MD5, though some look like one.
bool has_md5_etags(const S3Config& config) {
  return config.server_side_encryption != "aws:kms";
}

void check_etag(const S3Config& config, std::string_view etag, std::string_view md5) {
  if (!has_md5_etags(config) || !s3::is_md5_etag(etag) || etag == to_hex(md5)) return;
  throw Error(ErrorCode::unavailable, "the object store kept other bytes than were sent");
}

}  // namespace

std::string upload_query(std::string_view upload_id, std::uint32_t part_number) {
  std::string query;
  if (part_number != 0) query = format("partNumber={}&", part_number);
  return query + "uploadId=" + percent_encode(upload_id);
}

S3ObjectStore::State::State(S3Config c, std::unique_ptr<http::Client> http_client,
                            std::unique_ptr<aws::CredentialsSource> source,
                            io::BlockingPool& blocking_pool, const Clock& the_clock)
    : config(std::move(c)),
      info(info_of(config)),
      client(std::move(http_client)),
      credentials(std::move(source)),
      pool(blocking_pool),
      clock(the_clock),
      requester(config,
                {.client = *client, .credentials = *credentials, .pool = pool, .clock = clock}),
      buffers(std::max<std::size_t>(1, config.part_buffers)) {
  for (const std::string& endpoint : {config.endpoint, config.presign_endpoint}) {
    if (!endpoint.empty() && !http::parse_url(endpoint)) {
      throw Error(ErrorCode::invalid_argument, "the S3 endpoint is no URL");
    }
  }
}

s3::Headers S3ObjectStore::State::encryption() const {
  s3::Headers headers;
  if (config.server_side_encryption.empty()) return headers;
  headers.emplace_back("x-amz-server-side-encryption", config.server_side_encryption);
  if (!config.server_side_encryption_kms_key_id.empty()) {
    headers.emplace_back("x-amz-server-side-encryption-aws-kms-key-id",
                         config.server_side_encryption_kms_key_id);
  }
  return headers;
}

Task<io::Semaphore::Permit> S3ObjectStore::State::take_buffer(Context& ctx) {
  Context brief = ctx.within(config.response_timeout);
  try {
    co_return co_await buffers.acquire(brief);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::deadline_exceeded || ctx.expired()) throw;
    throw Error(ErrorCode::throttled, "too many uploads wait for the object store");
  }
}

Task<std::string> S3ObjectStore::State::md5_of(Context& ctx, Bytes bytes) {
  if (bytes->size() <= kInlineHashBytesMax) co_return tarn::md5(*bytes);
  co_return co_await pool.run(ctx, [bytes] { return tarn::md5(*bytes); });
}

Task<std::optional<ObjectInfo>> S3ObjectStore::State::find(Context& ctx, const Target& target) {
  const Reply reply = co_await requester.send(
      ctx, {.what = "head", .method = "HEAD", .bucket = target.bucket, .key = target.key});
  if (reply.status() == 404) co_return std::nullopt;
  if (!reply.ok()) throw s3::refusal("head", reply.status(), reply.code);
  const auto modified = parse_http_date(reply.header("last-modified"));
  const auto size = reply.response.content_length();
  if (!modified || !size) {
    throw Error(ErrorCode::unavailable, "object store answered head without size or time");
  }
  co_return ObjectInfo{.size = *size,
                       .last_modified = *modified,
                       .etag = s3::plain_etag(reply.header("etag")),
                       .storage_class = reply.header("x-amz-storage-class")};
}

Task<ObjectInfo> S3ObjectStore::State::head(Context& ctx, const Target& target) {
  auto found = co_await find(ctx, target);
  if (!found) throw Error(ErrorCode::data_missing, "an object is gone that has just been written");
  co_return *std::move(found);
}

Task<> S3ObjectStore::State::put_whole(Context& ctx, const Target& target, Bytes bytes,
                                       Known known) {
  S3Request request{.what = "put",
                    .method = "PUT",
                    .bucket = target.bucket,
                    .key = target.key,
                    .headers = encryption(),
                    .body = std::move(bytes),
                    .sha256 = std::move(known.sha256),
                    .sign_body = known.md5.empty()};
  if (!known.md5.empty()) request.headers.emplace_back("content-md5", to_base64(known.md5));
  const Reply reply = co_await requester.demand(ctx, request);
  if (known.md5.empty()) co_return;
  check_etag(config, s3::plain_etag(reply.header("etag")), known.md5);
}

Task<std::string> S3ObjectStore::State::create_upload(Context& ctx, const Target& target) {
  const Reply reply = co_await requester.demand(ctx, {.what = "create upload",
                                                      .method = "POST",
                                                      .bucket = target.bucket,
                                                      .key = target.key,
                                                      .query = "uploads=",
                                                      .headers = encryption()});
  auto id = s3::parse_upload_id(reply.text);
  if (!id) throw Error(ErrorCode::unavailable, "object store: " + id.error().message);
  co_return *std::move(id);
}

Task<std::string> S3ObjectStore::State::send_part(Context& ctx, const Target& target,
                                                  std::string_view upload_id, std::uint32_t number,
                                                  Bytes bytes) {
  const std::string md5 = co_await md5_of(ctx, bytes);
  const Reply reply = co_await requester.demand(ctx, {.what = "upload part",
                                                      .method = "PUT",
                                                      .bucket = target.bucket,
                                                      .key = target.key,
                                                      .query = upload_query(upload_id, number),
                                                      .headers = {{"content-md5", to_base64(md5)}},
                                                      .body = bytes});
  std::string etag = s3::plain_etag(reply.header("etag"));
  check_etag(config, etag, md5);
  co_return etag;
}

Task<std::string> S3ObjectStore::State::complete_upload(Context& ctx, const Target& target,
                                                        std::string_view upload_id,
                                                        const std::vector<Part>& parts) {
  const Reply reply = co_await requester.send(
      ctx, {.what = "complete upload",
            .method = "POST",
            .bucket = target.bucket,
            .key = target.key,
            .query = upload_query(upload_id),
            .body = std::make_shared<const std::string>(s3::complete_document(parts)),
            .works_long = true});
  if (reply.ok()) {
    auto etag = s3::parse_etag(reply.text);
    if (!etag) throw Error(ErrorCode::unavailable, "object store: " + etag.error().message);
    co_return *std::move(etag);
  }
  if (reply.code == "NoSuchUpload" && reply.attempts > 1) {
    // An attempt whose answer was lost may have done it: then the object has the joined ETag.
    std::vector<std::string> md5s;
    for (const Part& part : parts)
      md5s.push_back(from_hex(s3::plain_etag(part.etag)).value_or(""));
    const auto found = co_await find(ctx, target);
    if (found && found->etag == joined_etag(md5s)) co_return found->etag;
  }
  throw s3::refusal("complete upload", reply.status(), reply.code);
}

Task<> S3ObjectStore::State::abort_upload(Context& ctx, const Target& target,
                                          std::string_view upload_id) {
  const Reply reply = co_await requester.send(ctx, {.what = "abort upload",
                                                    .method = "DELETE",
                                                    .bucket = target.bucket,
                                                    .key = target.key,
                                                    .query = upload_query(upload_id)});
  if (!reply.ok() && reply.status() != 404) {
    throw s3::refusal("abort upload", reply.status(), reply.code);
  }
}

Task<> S3ObjectStore::State::give_up_upload(const Target& target, std::string_view upload_id) {
  Context ctx(Context::SteadyClock::now() + kGiveUpTimeout);
  try {
    co_await abort_upload(ctx, target, upload_id);
  } catch (const Error& error) {
    log::warn("an unfinished upload stays in the object store",
              {{"bucket", target.bucket}, {"error", error.message()}});
  }
}

}  // namespace tarn::block
