#include "rest/api.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <deque>
#include <optional>
#include <string_view>
#include <utility>

#include <boost/system/system_error.hpp>

#include "api/contract.h"
#include "api/error_models.h"
#include "api/openapi.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/format.h"
#include "base/log.h"
#include "base/metrics.h"
#include "http/router.h"
#include "rest/authentication.h"
#include "rest/error_response.h"
#include "rest/operations.h"
#include "rest/request_document.h"
#include "rest/site.h"

namespace tarn::rest {

namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::string_view kMount = "/api/v1";
constexpr std::chrono::seconds kSlow{1};
// A body is read before its sender is refused, as the contract comes first. Not more than this of
// a stranger's.
constexpr std::uint64_t kStrangerBodyBytesMax = 65'536;

bool is_known_method(std::string_view method) {
  constexpr std::array<std::string_view, 9> kMethods = {
      "GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT"};
  return std::ranges::find(kMethods, method) != kMethods.end();
}

bool is_api_path(std::string_view path) {
  return path == kMount || (path.starts_with(kMount) && path[kMount.size()] == '/');
}

Task<> send_json(Context& ctx, http::Response& response, std::uint16_t status, std::string body) {
  response.set_status(status);
  response.add_header("Content-Type", "application/json");
  response.add_header("X-Content-Type-Options", "nosniff");
  co_await response.send(ctx, body);
}

Task<> send_error(Context& ctx, http::Response& response, ErrorAnswer answer) {
  const api::Error model{.message = std::move(answer.message)};
  co_await send_json(ctx, response, answer.status, api::to_json(model));
}

Task<> send_refusal(Context& ctx, http::Response& response, Refusal refusal,
                    std::string_view request_id) {
  if (!refusal.is_plain_text) {
    co_return co_await send_error(ctx, response, {400, std::move(refusal.message)});
  }
  response.set_status(400);
  // Found when the parameters are bound, which the reference does behind the request id.
  response.add_header("X-Request-Id", request_id);
  response.add_header("Content-Type", "text/plain; charset=utf-8");
  response.add_header("X-Content-Type-Options", "nosniff");
  co_await response.send(ctx, refusal.message + "\n");
}

}  // namespace

struct Api::Impl {
  /// A row of the table with what the contract says of it, under the router's number.
  struct Route {
    const Operation* operation;
    const api::OperationRule* rule;
    metrics::Histogram* seconds;
  };

  /// What became of the part before the handler.
  struct Prepared {
    std::optional<Refusal> refusal;
    Parameters params;
    Identity identity;
    std::optional<api::JsonDocument> document;
  };

  Impl(Parts parts, ApiConfig api_config);

  Task<> serve(Context& ctx, http::Request& request, http::Response& response);
  Task<> run(Context& ctx, const Route& route, const http::RouteMatch& match,
             http::Request& request, http::Response& response);
  Task<> attempt(Context& ctx, const Route& route, const http::RouteMatch& match,
                 http::Request& request, http::Response& response, Prepared& prepared);
  Task<> prepare(Context& ctx, const Route& route, const http::RouteMatch& match,
                 http::Request& request, Prepared& prepared);
  void note(const Context& ctx, const Route& route, const http::Request& request,
            std::uint16_t status, SteadyClock::duration took) const;

  const ApiConfig config;
  const Services services;
  const api::Contract contract;
  http::Router router;
  std::vector<Route> routes;
};

Api::Impl::Impl(Parts parts, ApiConfig api_config)
    : config(std::move(api_config)),
      services{parts.catalog, parts.catalog.engine(), parts.authority, parts.clock, config},
      contract(api::openapi_document()) {
  for (const Operation& operation : operations()) {
    const api::OperationRule* rule = contract.find(operation.id);
    TARN_ASSERT(rule != nullptr);
    const std::size_t number =
        router.add(operation.method, std::string(kMount).append(operation.path));
    TARN_ASSERT(number == routes.size());
    routes.push_back({&operation, rule,
                      &metrics::histogram("tarn_rest_request_seconds",
                                          "Time from a request's head to the end of its response.",
                                          {{"operation", operation.id}})});
  }
}

Task<> Api::Impl::serve(Context& ctx, http::Request& request, http::Response& response) {
  const std::string_view path = request.raw_path();
  if (!is_api_path(path)) co_return co_await serve_site(ctx, services, request, response);
  if (!is_known_method(request.method())) {
    response.set_status(405);
    co_return co_await response.send(ctx, {});
  }
  if (const auto match = router.match(request.method(), path)) {
    co_return co_await run(ctx, routes[match->route], *match, request, response);
  }
  if (!percent_decode(path)) {
    co_return co_await send_error(ctx, response, {400, "malformed path"});
  }
  co_await send_error(ctx, response, {404, "invalid API endpoint"});
}

Task<> Api::Impl::run(Context& ctx, const Route& route, const http::RouteMatch& match,
                      http::Request& request, http::Response& response) {
  const auto began = SteadyClock::now();
  Prepared prepared;
  std::optional<Error> failure;
  try {
    co_await attempt(ctx, route, match, request, response, prepared);
  } catch (const Error& error) {
    failure = error;
  } catch (const boost::system::system_error&) {
    throw;  // the connection is gone, or the server stops
  } catch (const std::exception& error) {
    failure = Error(ErrorCode::internal, error.what());
  }
  // The client has gone or stalls: the connection knows which, and answers if anybody listens.
  if (failure && failure->code() == ErrorCode::cancelled) throw Error(*failure);
  if (failure) {
    ErrorAnswer answer = answer_for(*failure, prepared.identity.principal.has_value());
    if (answer.status >= 500 && answer.status != 501) {
      log::write(log::Level::error, ctx, "request failed",
                 {{"operation", route.operation->id},
                  {"code", to_string(failure->code())},
                  {"error", failure->message()},
                  {"at", format("{}:{}", failure->where().file_name(), failure->where().line())}});
    }
    if (response.started()) throw Error(*failure);
    if (request.method() == "HEAD") {  // no body, and so no type
      response.set_status(answer.status);
      co_await response.send(ctx, {});
    } else {
      co_await send_error(ctx, response, std::move(answer));
    }
  }
  note(ctx, route, request, response.status(), SteadyClock::now() - began);
}

Task<> Api::Impl::attempt(Context& ctx, const Route& route, const http::RouteMatch& match,
                          http::Request& request, http::Response& response, Prepared& prepared) {
  co_await prepare(ctx, route, match, request, prepared);
  if (prepared.refusal) {
    co_return co_await send_refusal(ctx, response, *std::move(prepared.refusal), request.id());
  }
  response.add_header("X-Request-Id", request.id());
  if (prepared.identity.failed) {
    throw Error(ErrorCode::unauthenticated, "error authenticating request");
  }
  Call call{ctx,
            services,
            request,
            response,
            prepared.params,
            prepared.identity.principal,
            prepared.document};
  authorize(route.operation->permission, call);
  const Implementation& implementation = route.operation->implementation;
  if (implementation.handler == nullptr) {
    throw Error(ErrorCode::not_implemented, std::string(implementation.missing));
  }
  co_await implementation.handler(call);
}

Task<> Api::Impl::prepare(Context& ctx, const Route& route, const http::RouteMatch& match,
                          http::Request& request, Prepared& prepared) {
  auto params = read_parameters(*route.rule, request, match);
  if (!params) {
    prepared.refusal = std::move(params.error());
    co_return;
  }
  prepared.params = *std::move(params);
  if (route.operation->permission.kind() != Permission::Kind::open) {
    prepared.identity = co_await identify(ctx, services.authority, request);
  }
  if (!route.rule->body || !route.rule->body->validate) co_return;
  std::uint64_t limit = config.json_body_bytes_max;
  if (!prepared.identity.principal) {
    limit = std::min(limit, kStrangerBodyBytesMax);
    if (request.content_length().value_or(0) > limit) {
      prepared.identity.failed = true;
      co_return;
    }
  }
  auto document = co_await receive_document(ctx, *route.rule->body, request, limit);
  if (document) {
    prepared.document = *std::move(document);
  } else {
    prepared.refusal = std::move(document.error());
  }
}

void Api::Impl::note(const Context& ctx, const Route& route, const http::Request& request,
                     std::uint16_t status, SteadyClock::duration took) const {
  route.seconds->observe(took);
  const bool slow = took >= kSlow;
  if (!slow && !log::enabled(log::Level::debug)) return;
  const auto took_ms = std::chrono::duration_cast<std::chrono::milliseconds>(took).count();
  log::write(slow ? log::Level::info : log::Level::debug, ctx, slow ? "slow request" : "request",
             {{"operation", route.operation->id},
              {"method", request.method()},
              {"path", request.raw_path()},
              {"status", status},
              {"took_ms", took_ms}});
}

Api::Api(Parts parts, ApiConfig config) : impl_(std::make_unique<Impl>(parts, std::move(config))) {}

Api::~Api() = default;

Task<> Api::handle(Context& ctx, http::Request& request, http::Response& response) {
  return impl_->serve(ctx, request, response);
}

}  // namespace tarn::rest
