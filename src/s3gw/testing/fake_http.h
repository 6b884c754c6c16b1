// A request and a response in memory: what the gateway sees, without sockets.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/message.h"
#include "io/byte_source.h"

namespace tarn::s3gw::testing {

using Headers = std::vector<std::pair<std::string, std::string>>;

struct RequestSpec {
  std::string method = "GET";
  std::string path = "/";  // percent-encoded
  std::string query = {};
  Headers headers = {};
  std::string body = {};
  bool chunked = false;
  std::size_t piece_bytes = SIZE_MAX;  // how the body arrives
};

class FakeRequest final : public http::Request {
 public:
  explicit FakeRequest(RequestSpec spec);

  std::string_view method() const override { return spec_.method; }

  std::string_view target() const override { return target_; }

  std::string_view raw_path() const override { return spec_.path; }

  std::string_view raw_query() const override { return spec_.query; }

  const std::vector<http::QueryParam>& query() const override { return query_; }

  std::optional<std::string_view> header(std::string_view name) const override;
  std::vector<std::pair<std::string_view, std::string_view>> headers() const override;

  std::optional<std::uint64_t> content_length() const override { return body_.size(); }

  io::ByteSource& body() override { return body_; }

  std::string_view remote_address() const override { return "127.0.0.1"; }

  bool is_tls() const override { return false; }

  std::string_view id() const override { return "00000000-0000-4000-8000-000000000000"; }

  bool body_was_read() const { return body_.was_read; }

 private:
  struct Body final : io::ByteSource {
    explicit Body(const RequestSpec& request) : spec(request) {}

    Task<std::string_view> read(Context& ctx) override;
    std::optional<std::uint64_t> size() const override;

    const RequestSpec& spec;
    std::size_t at = 0;
    bool was_read = false;
  };

  const RequestSpec spec_;
  const std::string target_;
  const std::vector<http::QueryParam> query_;
  Body body_;
};

class FakeResponse final : public http::Response {
 public:
  void add_header(std::string_view name, std::string_view value) override;

  void set_status(std::uint16_t status) override { status_ = status; }

  std::uint16_t status() const override { return status_; }

  bool started() const override { return started_; }

  Task<> send(Context& ctx, std::string_view body) override;
  Task<> send_stream(Context& ctx, io::ByteSource& body) override;
  Task<> send_head_only(Context& ctx, std::uint64_t content_length) override;
  Task<> begin(Context& ctx) override;
  Task<> write(Context& ctx, std::string_view piece) override;
  Task<> finish(Context& ctx) override;

  const std::string& body() const { return body_; }

  const Headers& headers() const { return headers_; }

  std::optional<std::uint64_t> announced_length() const { return announced_length_; }

 private:
  void start();

  std::uint16_t status_ = 0;
  bool started_ = false;
  Headers headers_;
  std::string body_;
  std::optional<std::uint64_t> announced_length_;
};

}  // namespace tarn::s3gw::testing
