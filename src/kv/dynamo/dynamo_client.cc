#include "kv/dynamo/dynamo_client.h"

#include <algorithm>
#include <charconv>
#include <exception>
#include <optional>
#include <utility>

#include <boost/json/parse.hpp>

#include "aws/sigv4_sign.h"
#include "base/bytes.h"
#include "base/format.h"
#include "base/hash.h"
#include "base/random.h"
#include "io/sync.h"

namespace tarn::kv::dynamo {
namespace {

// A page has at most 1 MB of items and a batch 16 MB, in base64.
constexpr std::uint64_t kAnswerBytesMax = 32 * 1024 * 1024;

constexpr std::string_view kConditionFailed = "ConditionalCheckFailedException";
constexpr std::string_view kNoTable = "ResourceNotFoundException";

http::Endpoint endpoint_of(const DynamoConfig& config) {
  if (config.endpoint.empty()) {
    const bool china = config.region.starts_with("cn-");
    return {.scheme = http::Endpoint::Scheme::https,
            .host = format("dynamodb.{}.amazonaws.com{}", config.region, china ? ".cn" : ""),
            .port = 443};
  }
  const auto url = http::parse_url(config.endpoint);
  if (!url || url->target != "/") {
    throw Error(ErrorCode::invalid_argument,
                format("DynamoDB endpoint: '{}' is not http[s]://host[:port]", config.endpoint));
  }
  return url->endpoint;
}

Error to_error(std::uint16_t status, const Failure& failure, Remedy remedy) {
  if (remedy == Remedy::throttled) {
    return Error(ErrorCode::throttled, "the metadata table asks to slow down");
  }
  if (remedy == Remedy::again) {
    return Error(ErrorCode::unavailable, "the metadata table is unavailable");
  }
  if (failure.type == "ValidationException" &&
      failure.message.find("tem size") != failure.message.npos) {
    return Error(ErrorCode::too_large, "metadata record larger than 400 KiB");
  }
  if (failure.type == kNoTable) {
    return Error(ErrorCode::not_found, "the metadata table does not exist");
  }
  return Error(ErrorCode::internal, format("the metadata table answers {} {}: {}", status,
                                           failure.type, failure.message));
}

bool verifies(const std::optional<std::string_view>& header, std::string_view body) {
  if (!header) return true;
  std::uint32_t told = 0;
  const auto [end, error] = std::from_chars(header->data(), header->data() + header->size(), told);
  const bool parsed = error == std::errc() && end == header->data() + header->size();
  return parsed && told == crc32(0, body);
}

/// 0..1, evenly.
double random_fraction() {
  const std::string bytes = random_bytes(4);
  std::uint32_t number = 0;
  for (const char byte : bytes)
    number = number << 8 | static_cast<unsigned char>(byte);
  return static_cast<double>(number) / 4'294'967'295.0;
}

}  // namespace

Remedy remedy_for(std::uint16_t status, std::string_view type) {
  if (type == "ProvisionedThroughputExceededException" || type == "ThrottlingException" ||
      type == "RequestLimitExceeded" || type == "Throttling" || type == "ThrottledException" ||
      type == "TooManyRequestsException" || type == "SlowDown" || status == 429) {
    return Remedy::throttled;
  }
  if (type == "ExpiredTokenException" || type == "UnrecognizedClientException" ||
      type == "RequestExpired") {
    return Remedy::new_login;
  }
  if (status >= 500 || status == 408 || type == "CrcMismatch") return Remedy::again;
  return Remedy::none;
}

std::chrono::milliseconds backoff_limit(const DynamoConfig& config, std::uint32_t attempt) {
  const std::uint32_t doublings = std::min(attempt - 1, 20U);
  return std::min(config.backoff_first * (1U << doublings), config.backoff_max);
}

/// One answer, or what went wrong.
struct Client::Attempt {
  std::optional<boost::json::value> answer;
  bool condition_failed = false;
  Remedy remedy = Remedy::none;
  std::optional<Error> error;
};

Client::Client(const DynamoConfig& config, http::Client& http, aws::CredentialsSource& credentials,
               const Clock& clock)
    : config_(config),
      http_(http),
      credentials_(credentials),
      clock_(clock),
      endpoint_(endpoint_of(config)) {}

http::ClientRequest Client::make_request(std::string_view operation, const std::string& body,
                                         const aws::Credentials& credentials) const {
  http::ClientRequest request{.method = "POST", .endpoint = endpoint_, .body = body};
  request.headers = {{"Content-Type", "application/x-amz-json-1.0"},
                     {"X-Amz-Target", format("DynamoDB_20120810.{}", operation)}};
  const std::string host = endpoint_.authority();
  aws::SignedRequest to_sign{.method = request.method, .raw_path = "/"};
  to_sign.headers.emplace_back("host", host);
  for (const auto& [name, value] : request.headers)
    to_sign.headers.emplace_back(name, value);
  auto signature =
      aws::sign_request(to_sign, credentials, {.region = config_.region, .service = "dynamodb"},
                        to_hex(sha256(body)), clock_.now());
  for (auto& header : signature)
    request.headers.push_back(std::move(header));
  return request;
}

Task<Client::Attempt> Client::attempt(Context& ctx, std::string_view operation,
                                      const std::string& body,
                                      const aws::Credentials& credentials) {
  std::uint16_t status = 0;
  std::string text;
  bool whole = false;
  try {
    auto response = co_await http_.send(ctx, make_request(operation, body, credentials));
    status = response.status();
    text = co_await response.read_all(ctx, kAnswerBytesMax);
    whole = verifies(response.header("x-amz-crc32"), text);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::unavailable) throw;
    co_return Attempt{.remedy = Remedy::again, .error = error};
  }
  if (whole && status == 200) {
    boost::json::error_code broken;
    auto parsed = boost::json::parse(text, broken);
    if (!broken && parsed.is_object()) co_return Attempt{.answer = std::move(parsed)};
    whole = false;
  }
  const Failure failure =
      whole ? parse_failure(text)
            : Failure{.type = "CrcMismatch", .message = "the answer was damaged on its way"};
  if (failure.type == kConditionFailed) co_return Attempt{.condition_failed = true};
  const Remedy remedy = remedy_for(status, failure.type);
  co_return Attempt{.remedy = remedy, .error = to_error(status, failure, remedy)};
}

Task<CallResult> Client::call(Context& ctx, std::string_view operation, std::string body) {
  CallResult result;
  bool new_login = false;
  for (std::uint32_t number = 1;; ++number) {
    const aws::Credentials credentials = co_await credentials_.get(ctx);
    Attempt done = co_await attempt(ctx, operation, body, credentials);
    if (done.answer) {
      result.answer = *std::move(done.answer);
      co_return result;
    }
    if (done.condition_failed) {
      result.condition_failed = true;
      co_return result;
    }
    switch (done.remedy) {
      case Remedy::none: throw *std::move(done.error);
      case Remedy::new_login:
        if (std::exchange(new_login, true)) throw *std::move(done.error);
        credentials_.refuse(credentials);
        continue;
      case Remedy::again: result.ambiguous = true; break;
      case Remedy::throttled: break;
    }
    if (number >= config_.max_attempts) throw *std::move(done.error);
    co_await pause(ctx, number, *std::move(done.error));
  }
}

Task<> Client::pause(Context& ctx, std::uint32_t attempt, Error reason) {
  const auto limit = backoff_limit(config_, attempt);
  const auto wait = std::chrono::duration_cast<std::chrono::microseconds>(
      std::chrono::duration<double, std::milli>(static_cast<double>(limit.count()) *
                                                random_fraction()));
  // To wake after the deadline would help nobody, and the reason says more than the deadline.
  if (ctx.deadline() != Context::kNoDeadline &&
      Context::SteadyClock::now() + wait >= ctx.deadline()) {
    throw reason;
  }
  co_await io::sleep(wait);
}

}  // namespace tarn::kv::dynamo
