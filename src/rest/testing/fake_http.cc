#include "rest/testing/fake_http.h"

#include <algorithm>
#include <cctype>

#include <gtest/gtest.h>

namespace tarn::rest::testing {

namespace {

bool same_name(std::string_view a, std::string_view b) {
  return std::ranges::equal(
      a, b, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

}  // namespace

FakeRequest::FakeRequest(RequestSpec spec)
    : spec_(std::move(spec)), query_(http::parse_query(raw_query())), body_(spec_) {}

std::string_view FakeRequest::raw_path() const {
  return std::string_view(spec_.target).substr(0, spec_.target.find('?'));
}

std::string_view FakeRequest::raw_query() const {
  const auto mark = spec_.target.find('?');
  return mark == std::string::npos ? std::string_view()
                                   : std::string_view(spec_.target).substr(mark + 1);
}

std::optional<std::string_view> FakeRequest::header(std::string_view name) const {
  for (const auto& [key, value] : spec_.headers) {
    if (same_name(key, name)) return value;
  }
  return std::nullopt;
}

std::vector<std::pair<std::string_view, std::string_view>> FakeRequest::headers() const {
  return {spec_.headers.begin(), spec_.headers.end()};
}

std::optional<std::uint64_t> FakeRequest::content_length() const {
  return spec_.chunked ? std::nullopt : std::optional<std::uint64_t>(spec_.body.size());
}

Task<std::string_view> FakeRequest::Body::read(Context& /*ctx*/) {
  was_read = true;
  const std::string_view piece = std::string_view(spec.body).substr(at, spec.piece_bytes);
  at += piece.size();
  co_return piece;
}

std::optional<std::uint64_t> FakeRequest::Body::size() const {
  return spec.chunked ? std::nullopt : std::optional<std::uint64_t>(spec.body.size());
}

void FakeResponse::add_header(std::string_view name, std::string_view value) {
  EXPECT_FALSE(started_) << "header " << name << " after the head was sent";
  headers_.emplace_back(name, value);
}

std::string FakeResponse::header(std::string_view name) const {
  std::string value;
  int count = 0;
  for (const auto& [key, text] : headers_) {
    if (!same_name(key, name)) continue;
    value = text;
    ++count;
  }
  EXPECT_LE(count, 1) << "header " << name << " was sent " << count << " times";
  return value;
}

bool FakeResponse::has_header(std::string_view name) const {
  return std::ranges::any_of(headers_, [&](const auto& h) { return same_name(h.first, name); });
}

void FakeResponse::start() {
  EXPECT_FALSE(started_) << "a second response";
  EXPECT_NE(status_, 0) << "no status";
  started_ = true;
}

Task<> FakeResponse::send(Context& /*ctx*/, std::string_view body) {
  start();
  body_ = body;
  co_return;
}

Task<> FakeResponse::send_stream(Context& ctx, io::ByteSource& body) {
  start();
  while (true) {
    const std::string_view piece = co_await body.read(ctx);
    if (piece.empty()) co_return;
    body_ += piece;
  }
}

Task<> FakeResponse::send_head_only(Context& /*ctx*/, std::uint64_t content_length) {
  start();
  announced_length_ = content_length;
  co_return;
}

Task<> FakeResponse::begin(Context& /*ctx*/) {
  start();
  co_return;
}

Task<> FakeResponse::write(Context& /*ctx*/, std::string_view piece) {
  body_ += piece;
  co_return;
}

Task<> FakeResponse::finish(Context& /*ctx*/) {
  co_return;
}

}  // namespace tarn::rest::testing
