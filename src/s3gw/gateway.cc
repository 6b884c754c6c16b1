#include "s3gw/gateway.h"

#include <chrono>
#include <exception>
#include <utility>

#include <boost/system/system_error.hpp>

#include "aws/signing_key.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/random.h"
#include "s3gw/authentication.h"
#include "s3gw/call.h"
#include "s3gw/error_response.h"
#include "s3gw/permissions.h"

namespace tarn::s3gw {

namespace {

using aws::S3Error;
using aws::S3ErrorCode;

constexpr std::chrono::seconds kSlow{1};  // worth a line in the log
constexpr std::string_view kRequestSeconds = "tarn_s3_request_seconds";
constexpr std::string_view kRequestHelp = "Time to answer an S3 request, by operation.";

/// No rules for foreign origins are kept yet, so none is let in (A5.6).
S3Error answer_preflight(const Call& call) {
  if (!call.header("origin")) {
    return {.code = S3ErrorCode::invalid_request,
            .message = "Insufficient information. Origin request header needed."};
  }
  return {.code = S3ErrorCode::access_forbidden,
          .details = {
              {"Method", std::string(call.header("access-control-request-method").value_or(""))},
              {"ResourceType", "BUCKET"}}};
}

Task<> run_operation(Context& ctx, Call& call) {
  call.wire = {.method = call.request.method(),
               .raw_path = call.request.raw_path(),
               .raw_query = call.request.raw_query(),
               .headers = call.request.headers()};
  call.headers = call.wire.headers;
  auto target = parse_target(call.header("host").value_or(""), call.wire.raw_path,
                             call.services.config.domains);
  if (target) call.target = *std::move(target);
  if (call.wire.method == "OPTIONS") refuse(answer_preflight(call));
  co_await authenticate(ctx, call);
  if (!target) refuse(std::move(target.error()));
  if (call.target.level == Level::key) call.key = split_key(call.target.key);
  call.operation =
      require(find_operation({.method = call.wire.method,
                              .level = call.target.level,
                              .query = call.query,
                              .copies = call.header("x-amz-copy-source").has_value()}));
  authorize(*call.operation, call);
  if (call.target.level != Level::service && call.operation->name != "CreateBucket") {
    call.repository = co_await get_repository(ctx, call, call.target.bucket);
  }
  co_await call.operation->handler(ctx, call);
}

bool is_write_to_key(const Call& call) {
  return call.target.level == Level::key && !call.is_head() && call.wire.method != "GET";
}

}  // namespace

struct Gateway::Impl {
  Impl(Parts parts, GatewayConfig config_)
      : config(std::move(config_)),
        host_id(to_base64(random_bytes(24))),
        services{.catalog = parts.catalog,
                 .authority = parts.authority,
                 .clock = parts.clock,
                 .config = config,
                 .keys = keys,
                 .host_id = host_id} {
    for (const Operation& operation : operations()) {
      latency.push_back(
          &metrics::histogram(kRequestSeconds, kRequestHelp, {{"operation", operation.name}}));
    }
  }

  void record(const Context& ctx, const Call& call, std::chrono::steady_clock::time_point start);
  Task<> answer_failure(Context& ctx, Call& call, std::exception_ptr failure);

  const GatewayConfig config;
  const std::string host_id;
  aws::SigningKeyCache keys;
  const Services services;
  std::vector<metrics::Histogram*> latency;  // by row of the table
  metrics::Histogram& refused_latency =
      metrics::histogram(kRequestSeconds, kRequestHelp, {{"operation", "none"}});
  metrics::Counter& internal_errors = metrics::counter(
      "tarn_s3_internal_errors_total", "S3 answers with status 500: each is a defect.");
};

void Gateway::Impl::record(const Context& ctx, const Call& call,
                           std::chrono::steady_clock::time_point start) {
  const auto took = std::chrono::steady_clock::now() - start;
  metrics::Histogram& histogram =
      call.operation == nullptr
          ? refused_latency
          : *latency[static_cast<std::size_t>(call.operation - operations().data())];
  histogram.observe(took);
  const bool slow = took >= kSlow;
  if (!slow && !log::enabled(log::Level::debug)) return;
  log::write(
      slow ? log::Level::info : log::Level::debug, ctx, slow ? "slow s3 request" : "s3 request",
      {{"operation", call.operation == nullptr ? std::string_view("none") : call.operation->name},
       {"method", call.request.method()},
       {"path", call.request.raw_path()},
       {"status", call.response.status()},
       {"took_us", std::chrono::duration_cast<std::chrono::microseconds>(took).count()}});
}

Task<> Gateway::Impl::answer_failure(Context& ctx, Call& call, std::exception_ptr failure) {
  S3Error answer{.code = S3ErrorCode::internal_error};
  bool missing_branch = false;
  try {
    std::rethrow_exception(failure);
  } catch (const Error& error) {
    answer = s3_error_of(error);
    missing_branch = error.code() == ErrorCode::branch_not_found && is_write_to_key(call);
    if (answer.code == S3ErrorCode::internal_error) {
      internal_errors.add();
      log::write(log::Level::error, ctx, "s3 request failed",
                 {{"error", error.message()}, {"code", to_string(error.code())}});
    }
  }
  if (call.response.started()) std::rethrow_exception(failure);
  if (missing_branch) answer = co_await explain_missing_branch(ctx, call, call.key.ref);
  if (call.operation == nullptr ? call.wire.method == "HEAD" && call.target.level == Level::bucket
                                : call.operation->name == "HeadBucket") {
    call.response.add_header("x-amz-bucket-region", config.region);
  }
  co_await send_error(ctx, call, answer);
}

Gateway::Gateway(Parts parts, GatewayConfig config)
    : impl_(std::make_unique<Impl>(parts, std::move(config))) {}

Gateway::~Gateway() = default;

Task<> Gateway::handle(Context& ctx, http::Request& request, http::Response& response) {
  const auto start = std::chrono::steady_clock::now();
  Call call{.services = impl_->services, .request = request, .response = response};
  response.add_header("x-amz-request-id", request.id());
  response.add_header("x-amz-id-2", impl_->host_id);
  response.add_header("Server", impl_->config.server_name);
  std::exception_ptr failure;
  try {
    co_await run_operation(ctx, call);
  } catch (const Error&) {
    failure = std::current_exception();
  } catch (const boost::system::system_error&) {
    throw;  // the connection is gone, or the server stops
  } catch (const std::exception& error) {
    failure = std::make_exception_ptr(Error(ErrorCode::internal, error.what()));
  }
  if (failure) co_await impl_->answer_failure(ctx, call, failure);
  impl_->record(ctx, call, start);
}

}  // namespace tarn::s3gw
