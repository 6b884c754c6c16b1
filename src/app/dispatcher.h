// Two protocols on one port (s3-gateway.md A1.3): which edge a request belongs to.
#pragma once

#include <string>
#include <vector>

#include "http/message.h"

namespace tarn::app {

/// Pure; `domains` are lower-case host names of the S3 gateway.
bool is_s3_request(const http::Request& request, const std::vector<std::string>& domains);

class Dispatcher final : public http::Handler {
 public:
  Dispatcher(http::Handler& rest, http::Handler& s3, std::vector<std::string> domains)
      : rest_(rest), s3_(s3), domains_(std::move(domains)) {}

  Task<> handle(Context& ctx, http::Request& request, http::Response& response) override;

 private:
  http::Handler& rest_;
  http::Handler& s3_;
  const std::vector<std::string> domains_;
};

}  // namespace tarn::app
