// Two protocols on one port (s3-gateway.md A1.3): which edge a request belongs to.
#pragma once

#include <string>
#include <vector>

#include "app/readiness.h"
#include "http/message.h"

namespace tarn::app {

/// Pure; `domains` are lower-case host names of the S3 gateway.
bool is_s3_request(const http::Request& request, const std::vector<std::string>& domains);

class Dispatcher final : public http::Handler {
 public:
  /// All outlive it.
  Dispatcher(http::Handler& rest, http::Handler& s3, const Readiness& readiness,
             std::vector<std::string> domains)
      : rest_(rest), s3_(s3), readiness_(readiness), domains_(std::move(domains)) {}

  Task<> handle(Context& ctx, http::Request& request, http::Response& response) override;

 private:
  http::Handler& rest_;
  http::Handler& s3_;
  const Readiness& readiness_;
  const std::vector<std::string> domains_;
};

}  // namespace tarn::app
