#include <algorithm>
#include <charconv>

#include "http/client.h"
#include "http/request_head.h"

namespace tarn::http {

namespace {

constexpr std::uint16_t default_port(Endpoint::Scheme scheme) {
  return scheme == Endpoint::Scheme::https ? 443 : 80;
}

bool is_host(std::string_view host) {
  constexpr std::string_view kMarks = "-._:";
  return !host.empty() && std::ranges::all_of(host, [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kMarks.find(c) != std::string_view::npos;
  });
}

/// Splits "host", "host:port", "[v6]" or "[v6]:port"; false when it is none of them.
bool split_authority(std::string_view authority, Endpoint& out) {
  std::string_view host = authority;
  std::string_view port;
  bool has_port = false;
  if (authority.starts_with('[')) {
    const auto end = authority.find(']');
    if (end == std::string_view::npos) return false;
    host = authority.substr(1, end - 1);
    const std::string_view rest = authority.substr(end + 1);
    if (!rest.empty() && !rest.starts_with(':')) return false;
    has_port = !rest.empty();
    port = has_port ? rest.substr(1) : rest;
  } else if (const auto colon = authority.find(':'); colon != std::string_view::npos) {
    host = authority.substr(0, colon);
    port = authority.substr(colon + 1);
    has_port = true;
    if (port.find(':') != std::string_view::npos) return false;
  }
  if (!is_host(host)) return false;
  out.host = std::string(host);
  if (!has_port) return true;
  const auto parsed = std::from_chars(port.data(), port.data() + port.size(), out.port);
  return parsed.ec == std::errc{} && parsed.ptr == port.data() + port.size() && out.port != 0;
}

}  // namespace

std::string Endpoint::authority() const {
  std::string out = host.find(':') != std::string::npos ? "[" + host + "]" : host;
  if (port != default_port(scheme)) out += ":" + std::to_string(port);
  return out;
}

std::string Endpoint::origin() const {
  return (scheme == Scheme::https ? "https://" : "http://") + authority();
}

std::optional<Url> parse_url(std::string_view text) {
  const auto mark = text.find("://");
  if (mark == std::string_view::npos) return std::nullopt;
  Url url;
  const std::string_view scheme = text.substr(0, mark);
  if (equal_without_case(scheme, "https")) {
    url.endpoint.scheme = Endpoint::Scheme::https;
  } else if (equal_without_case(scheme, "http")) {
    url.endpoint.scheme = Endpoint::Scheme::http;
  } else {
    return std::nullopt;
  }
  url.endpoint.port = default_port(url.endpoint.scheme);
  const std::string_view rest = text.substr(mark + 3);
  const auto end = std::min(rest.find_first_of("/?#"), rest.size());
  if (!split_authority(rest.substr(0, end), url.endpoint)) return std::nullopt;
  const std::string_view target = rest.substr(end);
  const bool clean =
      std::ranges::all_of(target, [](char c) { return c > ' ' && c < '\x7f' && c != '#'; });
  if (!clean) return std::nullopt;
  url.target = target.starts_with('/') ? std::string(target) : "/" + std::string(target);
  return url;
}

}  // namespace tarn::http
