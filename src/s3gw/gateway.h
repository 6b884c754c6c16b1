// The S3 protocol edge: signature, address, operation, answer. Start here; docs in README.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "auth/authority.h"
#include "base/context.h"
#include "base/task.h"
#include "base/time.h"
#include "catalog/catalog.h"
#include "http/message.h"

namespace tarn::s3gw {

struct GatewayConfig {
  std::vector<std::string> domains = {};  // lower-case; no entry is a dotted suffix of another
  std::string region = "us-east-1";
  std::string server_name = "Tarn";
  std::uint64_t put_bytes_max = std::uint64_t{5} << 30;
  std::uint64_t part_bytes_min = std::uint64_t{5} << 20;  // of every part but the last
};

/// Answers every request it is given in S3's dialect; telling S3 requests from others is the
/// caller's. Thread-safe; collaborators outlive it.
class Gateway final : public http::Handler {
 public:
  struct Parts {
    catalog::Catalog& catalog;
    auth::Authority& authority;
    Clock& clock;
  };

  Gateway(Parts parts, GatewayConfig config);
  ~Gateway() override;
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;

  Task<> handle(Context& ctx, http::Request& request, http::Response& response) override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tarn::s3gw
