#include "app/dispatcher.h"

#include <algorithm>
#include <cctype>

namespace tarn::app {

namespace {

/// Host without port, brackets' content kept, trailing dot dropped, lower case.
std::string host_name(std::string_view host) {
  if (!host.starts_with('[')) host = host.substr(0, host.rfind(':'));
  if (host.ends_with('.')) host.remove_suffix(1);
  std::string name(host);
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
  return name;
}

bool is_s3_host(std::string_view name, const std::vector<std::string>& domains) {
  return std::ranges::any_of(domains, [&](const std::string& domain) {
    if (name == domain) return true;
    if (name.size() <= domain.size() + 1 || !name.ends_with(domain)) return false;
    const std::string_view label = name.substr(0, name.size() - domain.size() - 1);
    return name[label.size()] == '.' && label.find('.') == std::string_view::npos;
  });
}

Task<> send_readiness(Context& ctx, const Readiness& readiness, http::Response& response) {
  const Readiness::Report report = readiness.report();
  response.set_status(report.ready ? 200 : 503);
  response.add_header("Content-Type", "application/json");
  response.add_header("Cache-Control", "no-store");
  co_await response.send(ctx, report.json);
}

}  // namespace

bool is_s3_request(const http::Request& request, const std::vector<std::string>& domains) {
  if (const auto host = request.header("host"); host && is_s3_host(host_name(*host), domains)) {
    return true;
  }
  if (const auto authorization = request.header("authorization")) {
    if (authorization->starts_with("AWS4-") || authorization->starts_with("AWS ")) return true;
  }
  if (request.raw_query().empty()) return false;
  for (const char* name : {"X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature"}) {
    if (request.find_query(name) != nullptr) return true;
  }
  return request.find_query("AWSAccessKeyId") != nullptr &&
         request.find_query("Signature") != nullptr;
}

Task<> Dispatcher::handle(Context& ctx, http::Request& request, http::Response& response) {
  if (is_s3_request(request, domains_)) return s3_.handle(ctx, request, response);
  if (request.raw_path() == "/_ready") return send_readiness(ctx, readiness_, response);
  return rest_.handle(ctx, request, response);
}

}  // namespace tarn::app
