#include "s3gw/gateway.h"

#include <utility>

namespace tarn::s3gw {

struct Gateway::Impl {
  Parts parts;
  GatewayConfig config;
};

Gateway::Gateway(Parts parts, GatewayConfig config)
    : impl_(std::make_unique<Impl>(parts, std::move(config))) {}

Gateway::~Gateway() = default;

Task<> Gateway::handle(Context& ctx, http::Request&, http::Response& response) {
  response.set_status(501);
  co_await response.send(ctx, {});
}

}  // namespace tarn::s3gw
