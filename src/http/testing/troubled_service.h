// An HTTP service that fails on demand: between a store and what really serves it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/client.h"
#include "http/testing/local_server.h"

namespace tarn::http::testing {

/// A request with its whole body, and what it is answered.
struct ServiceRequest {
  std::string method;
  std::string target;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;

  /// Without regard to case; nullopt if absent.
  std::optional<std::string> header(std::string_view name) const;
};

struct ServiceAnswer {
  std::uint16_t status = 200;
  std::vector<std::pair<std::string, std::string>> headers{};
  std::string body{};
  std::uint64_t head_length = 0;  // what a HEAD announces
};

using Service = std::function<Task<ServiceAnswer>(Context&, ServiceRequest)>;

enum class ServiceFault : std::uint8_t {
  none,
  slow_down,       // refuses, as its kind of service does
  internal_error,  // 500 without a body
  reset_before,    // hangs up and does nothing
  lost_answer,     // does it and hangs up without a byte
  half_body,       // does it, and its answer breaks off in the middle
  wrong_body,      // does it, and a byte of its answer is another
  wrong_etag,      // says it kept other bytes
  silence,         // answers after two seconds
};

std::string_view to_string(ServiceFault fault);

/// Serves on a port of 127.0.0.1. Thread-safe.
class TroubledService {
 public:
  explicit TroubledService(Service service, ServiceAnswer slow_down = {.status = 503});
  /// Before moto, or any other server there.
  static Service forward_to(std::string endpoint);

  std::string endpoint() const { return server_.endpoint().origin(); }

  /// The fault of request n (from 0) that matches; none after the list.
  void plan(std::string method, std::string part_of_target, std::vector<ServiceFault> faults);
  /// The n-th request from now on (1 = the next) and the `times - 1` after it fail.
  void fail_nth(std::uint64_t n, ServiceFault fault, std::size_t times = 1);
  /// The n-th fails so, and all that follow in another way, until heal().
  void fail_from(std::uint64_t n, ServiceFault fault, ServiceFault then);
  void heal();

  /// Requests since then that it was about.
  std::size_t seen() const;
  /// Method and target of the first that failed; "" if none has.
  std::string struck() const;

 private:
  ServiceFault next(std::string_view method, std::string_view target);
  Task<> handle(Context& ctx, http::Request& request, http::Response& response);

  const Service service_;
  const ServiceAnswer slow_down_;
  mutable std::mutex mutex_;
  std::string method_, part_of_target_;  // guarded by mutex_, as is what follows
  std::vector<ServiceFault> faults_;
  std::optional<ServiceFault> after_;  // of those behind the list
  std::size_t seen_ = 0;
  std::string struck_;
  http::testing::LocalServer server_;
};

}  // namespace tarn::http::testing
