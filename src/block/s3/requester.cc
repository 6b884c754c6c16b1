#include "block/s3/requester.h"

#include <algorithm>
#include <exception>

#include "aws/payload.h"
#include "aws/sigv4_sign.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/format.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/random.h"
#include "block/s3/documents.h"
#include "block/s3/verdict.h"
#include "io/sync.h"

namespace tarn::block::s3 {

namespace {

constexpr std::size_t kInlineHashBytesMax = 64 * 1024;
constexpr int kRedirectsMax = 3;
constexpr std::uint64_t kExpectContinueBytes = 1 << 20;

std::uint32_t random_number() {
  std::uint32_t number = 0;
  for (const char byte : random_bytes(4))
    number = number << 8 | static_cast<unsigned char>(byte);
  return number;
}

metrics::Counter& retries() {
  static metrics::Counter& counter = metrics::counter(
      "tarn_block_s3_retries_total", "Requests to the object store that were sent again.");
  return counter;
}

aws::SignedRequest signed_view(const S3Request& request, const Place& place,
                               const std::string& host) {
  aws::SignedRequest view{.method = request.method,
                          .raw_path = place.path,
                          .raw_query = request.query,
                          .headers = {{"host", host}}};
  for (const auto& [name, value] : request.headers)
    view.headers.emplace_back(name, value);
  return view;
}

}  // namespace

std::chrono::milliseconds backoff(const S3Config& config, std::uint32_t attempts,
                                  std::uint32_t random) {
  const auto doubled = config.backoff_first.count() << std::min<std::uint32_t>(attempts, 20);
  const auto bound = std::min<std::int64_t>(doubled, config.backoff_max.count());
  return std::chrono::milliseconds(random % (bound + 1));
}

Requester::Requester(const S3Config& config, Parts parts)
    : config_(config),
      parts_(parts),
      health_(bucket_of_namespace(config.default_namespace_prefix)) {}

std::chrono::milliseconds Requester::patience(const S3Request& request) const {
  return request.works_long ? config_.work_timeout : config_.response_timeout;
}

PlaceRules Requester::rules() const {
  return {.endpoint = config_.endpoint, .force_path_style = config_.force_path_style};
}

Task<std::string> Requester::payload_hash(Context& ctx, const S3Request& request, bool secure) {
  if (request.stream != nullptr) co_return std::string(aws::kUnsignedPayload);
  if (request.body == nullptr || request.body->empty())
    co_return std::string(aws::kEmptyPayloadHash);
  if (secure && !request.sign_body) co_return std::string(aws::kUnsignedPayload);
  if (!request.sha256.empty()) co_return to_hex(request.sha256);
  if (request.body->size() <= kInlineHashBytesMax) co_return to_hex(sha256(*request.body));
  co_return co_await parts_.pool.run(ctx, [body = request.body] { return to_hex(sha256(*body)); });
}

Task<Reply> Requester::attempt(Context& ctx, const S3Request& request, const std::string& region,
                               const aws::Credentials& credentials) {
  Place place = place_of(rules(), region, request.bucket, request.key);
  const std::string host = place.endpoint.authority();
  const bool secure = place.endpoint.scheme == http::Endpoint::Scheme::https;
  const std::string hash = co_await payload_hash(ctx, request, secure);
  http::ClientRequest out{.method = request.method,
                          .endpoint = place.endpoint,
                          .target = place.path,
                          .headers = request.headers,
                          // A POST that the client repeats by itself would hide that an answer
                          // was lost, which completions have to know.
                          .repeatable = false,
                          .idle_timeout = patience(request),
                          .ahead_of_others = request.ahead_of_others};
  if (!request.query.empty()) out.target += "?" + request.query;
  for (auto& field : aws::sign_request(signed_view(request, place, host), credentials,
                                       {.region = region}, hash, parts_.clock.now())) {
    out.headers.push_back(std::move(field));
  }
  if (request.stream != nullptr) {
    out.stream = request.stream;
    out.stream_bytes = request.stream_bytes;
  } else if (request.body != nullptr) {
    out.borrowed_body = *request.body;
  }
  out.expect_continue = request.stream != nullptr && request.stream_bytes >= kExpectContinueBytes;

  Reply reply{.response = co_await parts_.client.send(ctx, std::move(out))};
  const bool success = reply.status() >= 200 && reply.status() < 300;
  if (!success || request.read_body) {
    reply.text = co_await reply.response.read_all(ctx, kDocumentBytesMax);
    reply.code = find_error(reply.text).code;
  }
  co_return reply;
}

Task<> Requester::pause(Context& ctx, std::string what, std::uint32_t attempts) {
  retries().add();
  const auto time = backoff(config_, attempts, random_number());
  if (ctx.deadline() != Context::kNoDeadline &&
      ctx.deadline() - Context::SteadyClock::now() <= time) {
    throw Error(ErrorCode::deadline_exceeded,
                format("deadline exceeded repeating {} at the object store", what));
  }
  co_await io::sleep(time);
}

Task<Reply> Requester::send(Context& ctx, const S3Request& request) {
  const auto last_begin = Context::SteadyClock::now() + patience(request);
  const auto may_repeat = [&](std::uint32_t attempts) {
    return attempts < config_.max_retries && Context::SteadyClock::now() < last_begin;
  };
  std::string region = co_await region_of(ctx, request.bucket);
  int redirects = 0;
  bool renewed = false;
  for (std::uint32_t attempts = 0;; ++attempts) {
    ctx.check_deadline();
    const aws::Credentials credentials = co_await parts_.credentials.get(ctx);
    std::exception_ptr failure;
    std::string why;
    Reply reply;
    try {
      reply = co_await attempt(ctx, request, region, credentials);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::unavailable || request.stream != nullptr) throw;
      failure = std::current_exception();
      why = error.message();
    }
    if (!failure) {
      reply.attempts = attempts + 1;
      const std::string named = reply.header("x-amz-bucket-region");
      const std::string other = named.empty() ? find_error(reply.text).region : named;
      const bool elsewhere = is_region_name(other) && other != region;
      const Verdict verdict = judge(reply.status(), reply.code, elsewhere);
      const bool repeatable = request.stream == nullptr;
      if (verdict == Verdict::answer || !repeatable) {
        health_.note(request.bucket, reply.status(), reply.code);
        co_return reply;
      }
      if (verdict == Verdict::other_region) {
        if (++redirects > kRedirectsMax) co_return reply;
        regions_.note(request.bucket, other);
        region = other;
        continue;
      }
      if (verdict == Verdict::new_keys) {
        if (std::exchange(renewed, true)) {
          health_.note(request.bucket, reply.status(), reply.code);
          co_return reply;
        }
        parts_.credentials.refuse(credentials);
        continue;
      }
      why = reply.code.empty() ? format("status {}", reply.status()) : reply.code;
      if (!may_repeat(attempts)) co_return reply;
    } else if (!may_repeat(attempts)) {
      std::rethrow_exception(failure);
    }
    if (config_.log_retries) {
      log::write(log::Level::info, ctx, "object store request repeated",
                 {{"op", request.what}, {"attempt", attempts + 1}, {"reason", why}});
    }
    co_await pause(ctx, request.what, attempts);
  }
}

Task<Reply> Requester::demand(Context& ctx, const S3Request& request) {
  Reply reply = co_await send(ctx, request);
  if (!reply.ok()) throw refusal(request.what, reply.status(), reply.code);
  co_return reply;
}

Task<std::string> Requester::region_of(Context& ctx, const std::string& bucket) {
  auto found = co_await find_region(ctx, bucket);
  // The request itself will find out, and knows how to wait.
  co_return found ? *std::move(found) : config_.region;
}

Task<std::optional<std::string>> Requester::find_region(Context& ctx, const std::string& bucket) {
  if (auto known = regions_.find(bucket)) co_return *std::move(known);
  if (!config_.discover_bucket_region) co_return config_.region;
  const S3Request ask{.what = "ask for the bucket's region", .method = "HEAD", .bucket = bucket};
  const aws::Credentials credentials = co_await parts_.credentials.get(ctx);
  try {
    const Reply reply = co_await attempt(ctx, ask, config_.region, credentials);
    std::string named = reply.header("x-amz-bucket-region");
    const bool tells = is_region_name(named);
    if (!tells) named = config_.region;
    // Refused for any reason but trouble: it will not tell another time either.
    const bool final = judge(reply.status(), {}, false) == Verdict::answer;
    if (final) regions_.note(bucket, named);
    if (tells || final) co_return named;
  } catch (const Error& error) {
    if (error.code() != ErrorCode::unavailable) throw;
  }
  co_return std::nullopt;
}

Task<> Requester::probe(Context& ctx) {
  if (auto bucket = health_.suspect()) co_return co_await probe_bucket(ctx, *std::move(bucket));
  http::ClientRequest request{.method = "HEAD", .ahead_of_others = true};
  request.endpoint = place_of({.endpoint = config_.endpoint, .force_path_style = true},
                              config_.region, "probe", {})
                         .endpoint;
  auto response = co_await parts_.client.send(ctx, std::move(request));
  const std::uint16_t status = response.status();
  if (status >= 500) throw refusal("a probe", status, {});
}

Task<> Requester::probe_bucket(Context& ctx, std::string bucket) {
  const std::string region = co_await region_of(ctx, bucket);
  const aws::Credentials credentials = co_await parts_.credentials.get(ctx);
  const S3Request ask{
      .what = "a probe", .method = "HEAD", .bucket = bucket, .ahead_of_others = true};
  const Reply reply = co_await attempt(ctx, ask, region, credentials);
  if (reply.status() >= 500) throw refusal(ask.what, reply.status(), {});
  health_.note(bucket, reply.status(), reply.status() == 404 ? "NoSuchBucket" : reply.code);
  if (const auto refused = health_.refusal_of(bucket)) {
    throw Error(ErrorCode::permission_denied,
                format("the object store refuses bucket {}: {}", bucket, *refused));
  }
}

Task<PresignedUrl> Requester::presign(Context& ctx, std::string_view method,
                                      const std::string& bucket, const std::string& key,
                                      std::string query) {
  // A URL for the wrong region is of no use, and whoever wants a thousand must not wait a thousand
  // times.
  const auto region = co_await find_region(ctx, bucket);
  if (!region) {
    throw Error(ErrorCode::unavailable, "the object store does not tell where the bucket is");
  }
  const aws::Credentials credentials = co_await parts_.credentials.get(ctx);
  PlaceRules outside = rules();
  if (!config_.presign_endpoint.empty()) outside.endpoint = config_.presign_endpoint;
  const Place place = place_of(outside, *region, bucket, key);
  const std::string host = place.endpoint.authority();
  const aws::SignedRequest view{
      .method = method, .raw_path = place.path, .raw_query = query, .headers = {{"host", host}}};
  const Timestamp now = parts_.clock.now();
  std::int64_t seconds = config_.presign_expiry.count();
  if (credentials.expires) {
    seconds = std::clamp<std::int64_t>(credentials.expires->seconds - now.seconds, 1, seconds);
  }
  const std::string signed_query = aws::presign_query(view, credentials, {.region = *region},
                                                      static_cast<std::uint32_t>(seconds), now);
  co_return PresignedUrl{.url = place.endpoint.origin() + place.path + "?" + signed_query,
                         .expires = {.seconds = now.seconds + seconds, .nanos = now.nanos}};
}

}  // namespace tarn::block::s3
