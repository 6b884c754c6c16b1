#include "s3gw/testing/fake_http.h"

#include <gtest/gtest.h>

#include "aws/signed_request.h"

namespace tarn::s3gw::testing {

FakeRequest::FakeRequest(RequestSpec spec)
    : spec_(std::move(spec)),
      target_(spec_.query.empty() ? spec_.path : spec_.path + "?" + spec_.query),
      query_(http::parse_query(spec_.query)),
      body_(spec_) {}

std::optional<std::string_view> FakeRequest::header(std::string_view name) const {
  for (const auto& [field, value] : spec_.headers) {
    if (aws::equal_ignoring_case(field, name)) return value;
  }
  return std::nullopt;
}

std::vector<std::pair<std::string_view, std::string_view>> FakeRequest::headers() const {
  return {spec_.headers.begin(), spec_.headers.end()};
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

}  // namespace tarn::s3gw::testing
