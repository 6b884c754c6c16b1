#include "http/testing/troubled_service.h"

#include <algorithm>
#include <chrono>
#include <string>

#include "base/error.h"
#include "base/format.h"
#include "io/byte_source.h"
#include "io/sync.h"

namespace tarn::http::testing {

namespace {

constexpr std::uint64_t kBodyBytesMax = 64 << 20;

bool is_same(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

/// Breaks off after the first half.
class HalfSource final : public io::ByteSource {
 public:
  explicit HalfSource(std::string bytes) : bytes_(std::move(bytes)) {}

  Task<std::string_view> read(Context&) override {
    if (std::exchange(sent_, true)) throw Error(ErrorCode::cancelled, "broken on purpose");
    co_return std::string_view(bytes_).substr(0, bytes_.size() / 2);
  }

  std::optional<std::uint64_t> size() const override { return bytes_.size(); }

 private:
  std::string bytes_;
  bool sent_ = false;
};

bool is_hop_by_hop(std::string_view name) {
  return is_same(name, "Content-Length") || is_same(name, "Connection") || is_same(name, "Date") ||
         is_same(name, "Transfer-Encoding") || is_same(name, "Host") || is_same(name, "Expect");
}

/// With a connection of its own, since kept ones would have to end before the caller's loop.
Task<ServiceAnswer> forward(std::string endpoint, Context& ctx, ServiceRequest request) {
  http::Client client;
  http::ClientRequest out{.method = request.method,
                          .endpoint = http::parse_url(endpoint)->endpoint,
                          .target = request.target,
                          .body = std::move(request.body)};
  for (auto& [name, value] : request.headers) {
    if (!is_hop_by_hop(name)) out.headers.emplace_back(name, value);
  }
  auto reply = co_await client.send(ctx, std::move(out));
  ServiceAnswer answer{.status = reply.status()};
  for (const auto& [name, value] : reply.headers()) {
    if (!is_hop_by_hop(name)) answer.headers.emplace_back(name, value);
  }
  if (request.method == "HEAD") {
    answer.head_length = reply.content_length().value_or(0);
  } else {
    answer.body = co_await reply.read_all(ctx, kBodyBytesMax);
  }
  co_await client.close();
  co_return answer;
}

}  // namespace

std::optional<std::string> ServiceRequest::header(std::string_view name) const {
  for (const auto& [field, value] : headers) {
    if (is_same(field, name)) return value;
  }
  return std::nullopt;
}

std::string_view to_string(ServiceFault fault) {
  switch (fault) {
    case ServiceFault::none: return "none";
    case ServiceFault::slow_down: return "slow down";
    case ServiceFault::internal_error: return "internal error";
    case ServiceFault::reset_before: return "reset before";
    case ServiceFault::lost_answer: return "lost answer";
    case ServiceFault::half_body: return "half body";
    case ServiceFault::wrong_body: return "wrong body";
    case ServiceFault::wrong_etag: return "wrong ETag";
    case ServiceFault::silence: return "silence";
  }
  return "?";
}

TroubledService::TroubledService(Service service, ServiceAnswer slow_down)
    : service_(std::move(service)),
      slow_down_(std::move(slow_down)),
      server_([this](Context& ctx, http::Request& request, http::Response& response) {
        return handle(ctx, request, response);
      }) {}

Service TroubledService::forward_to(std::string endpoint) {
  return [endpoint](Context& ctx, ServiceRequest request) {
    return forward(endpoint, ctx, std::move(request));
  };
}

void TroubledService::plan(std::string method, std::string part_of_target,
                           std::vector<ServiceFault> faults) {
  const std::scoped_lock lock(mutex_);
  method_ = std::move(method);
  part_of_target_ = std::move(part_of_target);
  faults_ = std::move(faults);
  after_ = std::nullopt;
  seen_ = 0;
  struck_.clear();
}

void TroubledService::fail_nth(std::uint64_t n, ServiceFault fault, std::size_t times) {
  std::vector<ServiceFault> faults(n - 1, ServiceFault::none);
  faults.insert(faults.end(), times, fault);
  plan("", "", std::move(faults));
}

void TroubledService::fail_from(std::uint64_t n, ServiceFault fault, ServiceFault then) {
  fail_nth(n, fault);
  const std::scoped_lock lock(mutex_);
  after_ = then;
}

void TroubledService::heal() {
  const std::scoped_lock lock(mutex_);
  faults_.clear();
  after_ = std::nullopt;
}

std::size_t TroubledService::seen() const {
  const std::scoped_lock lock(mutex_);
  return seen_;
}

std::string TroubledService::struck() const {
  const std::scoped_lock lock(mutex_);
  return struck_;
}

ServiceFault TroubledService::next(std::string_view method, std::string_view target) {
  const std::scoped_lock lock(mutex_);
  if (!method_.empty() && method != method_) return ServiceFault::none;
  if (target.find(part_of_target_) == std::string_view::npos) return ServiceFault::none;
  const std::size_t number = seen_++;
  const ServiceFault fault =
      number < faults_.size() ? faults_[number] : after_.value_or(ServiceFault::none);
  if (fault != ServiceFault::none && struck_.empty()) struck_ = format("{} {}", method, target);
  return fault;
}

Task<> TroubledService::handle(Context& ctx, http::Request& request, http::Response& response) {
  using enum ServiceFault;
  const ServiceFault fault = next(request.method(), request.target());
  if (fault == reset_before) throw Error(ErrorCode::cancelled, "hangs up on purpose");
  ServiceRequest in{.method = std::string(request.method()),
                    .target = std::string(request.target()),
                    .headers = {},
                    .body = co_await io::read_all(ctx, request.body(), kBodyBytesMax)};
  if (fault == slow_down || fault == internal_error) {
    response.set_status(fault == slow_down ? slow_down_.status : 500);
    co_return co_await response.send(ctx, fault == slow_down ? slow_down_.body : "");
  }
  if (fault == silence) co_await io::sleep(std::chrono::seconds(2));
  for (const auto& [name, value] : request.headers())
    in.headers.emplace_back(name, value);
  const bool is_head = in.method == "HEAD";
  ServiceAnswer answer = co_await service_(ctx, std::move(in));
  if (fault == lost_answer) throw Error(ErrorCode::cancelled, "hangs up on purpose");
  response.set_status(answer.status);
  for (const auto& [name, value] : answer.headers) {
    const bool lies = fault == wrong_etag && is_same(name, "ETag");
    response.add_header(name, lies ? "\"00000000000000000000000000000000\"" : value);
  }
  if (is_head) co_return co_await response.send_head_only(ctx, answer.head_length);
  if (fault == half_body) {
    HalfSource half(answer.body.empty() ? "lost" : answer.body);
    co_return co_await response.send_stream(ctx, half);
  }
  if (fault == wrong_body && !answer.body.empty()) answer.body.back() ^= 1;
  co_await response.send(ctx, answer.body);
}

}  // namespace tarn::http::testing
