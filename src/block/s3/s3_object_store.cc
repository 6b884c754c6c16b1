#include "block/s3/s3_object_store.h"

#include <algorithm>
#include <exception>
#include <utility>

#include <boost/asio/this_coro.hpp>

#include "base/bytes.h"
#include "base/error.h"
#include "base/format.h"
#include "block/address.h"
#include "block/part_list.h"
#include "block/s3/resuming_reader.h"
#include "block/s3/s3_store_state.h"
#include "block/s3/upload.h"
#include "block/s3/verdict.h"

namespace tarn::block {

namespace {

using s3::Reply;
using s3::S3Request;
using s3::Target;

constexpr std::uint64_t kPositionMax = std::uint64_t{1} << 53;  // no object is that large
constexpr std::size_t kListPageMax = 1'000;

[[noreturn]] void throw_bad_range() {
  throw Error(ErrorCode::invalid_argument, "range starts past the end of the object");
}

std::string copy_source(const Target& from) {
  return format("/{}/{}", from.bucket, percent_encode(from.key, "/"));
}

}  // namespace

S3ObjectStore::S3ObjectStore(S3Config config, std::unique_ptr<http::Client> client,
                             std::unique_ptr<aws::CredentialsSource> credentials,
                             io::BlockingPool& pool, const Clock& clock)
    : state_(std::make_unique<State>(std::move(config), std::move(client), std::move(credentials),
                                     pool, clock)) {}

S3ObjectStore::~S3ObjectStore() = default;

Task<PutResult> S3ObjectStore::put(Context& ctx, const ObjectRef& ref, io::ByteSource& body,
                                   PutOptions options) {
  const auto pass = state_->gate.enter();
  co_return co_await s3::put_body(ctx, *state_, s3::target_of(ref), body, std::move(options));
}

Task<std::unique_ptr<io::ByteSource>> S3ObjectStore::get(Context& ctx, const ObjectRef& ref,
                                                         std::optional<ByteRange> range) {
  const auto pass = state_->gate.enter();
  const Target target = s3::target_of(ref);
  if (range && (range->last < range->first || range->first > kPositionMax)) {
    if (!co_await state_->find(ctx, target)) co_return nullptr;
    throw_bad_range();
  }
  S3Request request{.what = "get", .bucket = target.bucket, .key = target.key, .read_body = false};
  if (range) {
    const std::uint64_t last = range->last > kPositionMax ? UINT64_MAX : range->last;
    request.headers.emplace_back("range", s3::range_header(range->first, last));
  }
  Reply reply = co_await state_->requester.send(ctx, request);
  if (reply.status() == 404 && reply.code != "NoSuchBucket") co_return nullptr;
  if (reply.status() == 416) throw_bad_range();
  if (!reply.ok()) throw s3::refusal("get", reply.status(), reply.code);
  const auto length = reply.response.content_length();
  // A service may send all of an object for a range that covers it.
  const bool whole_for_range =
      range && reply.status() == 200 && (range->first > 0 || !length || *length > range->last + 1);
  if (!length || whole_for_range) {
    throw Error(ErrorCode::unavailable, "object store sent another range than was asked for");
  }
  s3::ReadPlan plan{.bucket = target.bucket,
                    .key = target.key,
                    .etag = reply.header("etag"),
                    .next = range ? range->first : 0,
                    .left = *length};
  co_return std::make_unique<s3::ResumingReader>(state_->requester, state_->config, std::move(plan),
                                                 reply.response.take_body());
}

Task<std::optional<ObjectInfo>> S3ObjectStore::head(Context& ctx, const ObjectRef& ref) {
  const auto pass = state_->gate.enter();
  co_return co_await state_->find(ctx, s3::target_of(ref));
}

void S3ObjectStore::check(const ObjectRef& ref) const {
  static_cast<void>(s3::target_of(ref));
}

Task<> S3ObjectStore::remove(Context& ctx, const ObjectRef& ref) {
  const auto pass = state_->gate.enter();
  const Target target = s3::target_of(ref);
  const Reply reply = co_await state_->requester.send(
      ctx, {.what = "remove", .method = "DELETE", .bucket = target.bucket, .key = target.key});
  const bool missing = reply.status() == 404 && reply.code != "NoSuchBucket";
  if (!reply.ok() && !missing) throw s3::refusal("remove", reply.status(), reply.code);
}

Task<PutResult> S3ObjectStore::copy(Context& ctx, const ObjectRef& from, const ObjectRef& to) {
  const auto pass = state_->gate.enter();
  const Target source = s3::target_of(from);
  const Target target = s3::target_of(to);
  const auto info = co_await state_->find(ctx, source);
  if (!info) throw Error(ErrorCode::data_missing, "the object to copy does not exist");
  if (source == target) co_return PutResult{info->size};
  if (info->size > state_->config.copy_whole_bytes_max) {
    co_await copy_in_parts(ctx, source, target, *info);
    co_return PutResult{info->size};
  }
  S3Request request{.what = "copy",
                    .method = "PUT",
                    .bucket = target.bucket,
                    .key = target.key,
                    .headers = state_->encryption(),
                    .works_long = true};
  request.headers.emplace_back("x-amz-copy-source", copy_source(source));
  request.headers.emplace_back("x-amz-copy-source-if-match", "\"" + info->etag + "\"");
  const Reply reply = co_await state_->requester.send(ctx, request);
  if (reply.code == "NoSuchKey") {
    throw Error(ErrorCode::data_missing, "the object to copy does not exist");
  }
  if (!reply.ok()) throw s3::refusal("copy", reply.status(), reply.code);
  if (auto etag = s3::parse_etag(reply.text); !etag) {
    throw Error(ErrorCode::unavailable, "object store: " + etag.error().message);
  }
  co_return PutResult{info->size};
}

Task<> S3ObjectStore::copy_in_parts(Context& ctx, s3::Target source, s3::Target target,
                                    ObjectInfo info) {
  const std::string id = co_await state_->create_upload(ctx, target);
  std::exception_ptr failure;
  try {
    std::vector<Part> parts;
    const std::uint64_t step =
        std::max(state_->config.copy_part_bytes, info.size / kPartNumberMax + 1);
    for (std::uint64_t first = 0; first < info.size; first += step) {
      const auto number = static_cast<std::uint32_t>(parts.size() + 1);
      const std::uint64_t last = std::min(first + step, info.size) - 1;
      const Reply reply = co_await state_->requester.demand(
          ctx, {.what = "copy part",
                .method = "PUT",
                .bucket = target.bucket,
                .key = target.key,
                .query = upload_query(id, number),
                .headers = {{"x-amz-copy-source", copy_source(source)},
                            {"x-amz-copy-source-if-match", "\"" + info.etag + "\""},
                            {"x-amz-copy-source-range", s3::range_header(first, last)}},
                .works_long = true});
      auto etag = s3::parse_etag(reply.text);
      if (!etag) throw Error(ErrorCode::unavailable, "object store: " + etag.error().message);
      parts.push_back({.number = number, .etag = *std::move(etag)});
    }
    co_await state_->complete_upload(ctx, target, id, parts);
  } catch (...) {
    failure = std::current_exception();
  }
  if (!failure) co_return;
  co_await boost::asio::this_coro::throw_if_cancelled(false);
  co_await state_->give_up_upload(target, id);
  co_await boost::asio::this_coro::throw_if_cancelled(true);
  std::rethrow_exception(failure);
}

Task<ListPage> S3ObjectStore::list(Context& ctx, std::string_view storage_namespace,
                                   std::string_view prefix, std::string_view after,
                                   std::size_t objects_max) {
  const auto pass = state_->gate.enter();
  const Target space = s3::target_of_namespace(storage_namespace);
  std::string query =
      "encoding-type=url&list-type=2&prefix=" + percent_encode(space.key) + percent_encode(prefix);
  const std::string start =
      after.empty() ? "" : "&start-after=" + percent_encode(space.key) + percent_encode(after);
  ListPage page;
  std::string token;
  do {
    // One more than is asked for, for the marker some tools put where the namespace starts.
    const auto wanted = std::min(objects_max - page.objects.size() + 1, kListPageMax);
    std::string one = query + format("&max-keys={}", wanted) + start;
    if (!token.empty()) one += "&continuation-token=" + percent_encode(token);
    const Reply reply = co_await state_->requester.demand(
        ctx, {.what = "list", .bucket = space.bucket, .query = std::move(one)});
    auto listed = s3::parse_list(reply.text);
    if (!listed) throw Error(ErrorCode::unavailable, "object store: " + listed.error().message);
    for (ListedObject& object : listed->objects) {
      if (!object.address.starts_with(space.key)) {
        throw Error(ErrorCode::unavailable, "object store listed what was not asked for");
      }
      object.address.erase(0, space.key.size());
      if (object.address.empty() || object.address <= after) continue;
      if (page.objects.size() == objects_max) {
        page.more = true;
        co_return page;
      }
      page.objects.push_back(std::move(object));
    }
    token = listed->truncated ? std::move(listed->next) : std::string();
  } while (!token.empty());
  co_return page;
}

std::string S3ObjectStore::display_address(const ObjectRef& ref) const {
  if (is_full(ref)) return ref.address;
  std::string_view space = ref.storage_namespace;
  if (space.ends_with('/') && !space.ends_with("//")) space.remove_suffix(1);
  return format("{}/{}", space, ref.address);
}

const StoreInfo& S3ObjectStore::info() const {
  return state_->info;
}

Task<> S3ObjectStore::probe(Context& ctx) {
  const auto pass = state_->gate.enter();
  co_await state_->requester.probe(ctx);
}

Task<> S3ObjectStore::close() {
  co_await state_->gate.close();
  co_await state_->client->close();
}

}  // namespace tarn::block
