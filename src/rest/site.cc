#include "rest/site.h"

#include "api/openapi.h"
#include "base/metrics.h"
#include "rest/authentication.h"

namespace tarn::rest {

namespace {

constexpr std::string_view kPage = R"html(<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>Tarn</title></head>
<body>
<h1>Tarn</h1>
<p>Versioned object storage. This server was built without its web interface.</p>
<p>The HTTP API is at <code>/api/v1</code>, its description at <a href="/openapi.json">/openapi.json</a>.</p>
</body>
</html>
)html";

Task<> send(Context& ctx, http::Response& response, std::uint16_t status,
            std::string_view content_type, std::string body) {
  response.set_status(status);
  response.add_header("Content-Type", content_type);
  co_await response.send(ctx, body);
}

Task<> log_out(Context& ctx, bool secure, http::Response& response) {
  response.add_header("Set-Cookie", session_cookie("", 0, 0, secure));
  response.add_header("Location", "/auth/login");
  response.set_status(307);
  return response.send(ctx, {});
}

Task<> send_page(Context& ctx, http::Response& response) {
  response.add_header("X-Frame-Options", "SAMEORIGIN");
  response.add_header("X-Content-Type-Options", "nosniff");
  response.add_header("Content-Security-Policy", "default-src 'none'");
  return send(ctx, response, 200, "text/html; charset=utf-8", std::string(kPage));
}

bool is_iceberg(std::string_view path) {
  return path.starts_with("/iceberg/api/") || path.starts_with("/iceberg/relative_to/") ||
         path.starts_with("/mds/iceberg/api/");
}

}  // namespace

Task<> serve_site(Context& ctx, const Services& services, http::Request& request,
                  http::Response& response) {
  const std::string_view path = request.raw_path();
  if (path == "/_health") {
    return send(ctx, response, 200, "text/plain; charset=utf-8",
                "alive! " + services.authority.installation_id());
  }
  if (path == "/metrics") {
    return send(ctx, response, 200, "text/plain; version=0.0.4; charset=utf-8", metrics::render());
  }
  if (path == "/openapi.json") {
    return send(ctx, response, 200, "application/json", std::string(api::openapi_document()));
  }
  if (path == "/logout")
    return log_out(ctx, services.config.secure_cookies || request.is_tls(), response);
  if (is_iceberg(path)) {
    return send(ctx, response, 501, "text/plain; charset=utf-8", "Not Implemented\n");
  }
  return send_page(ctx, response);
}

}  // namespace tarn::rest
