#include "app/dispatcher.h"

#include <gtest/gtest.h>

namespace tarn::app {
namespace {

/// A request head; dispatch looks at nothing else.
class Head final : public http::Request {
 public:
  Head(std::string host, std::string authorization = {}, std::string query = {})
      : host_(std::move(host)),
        authorization_(std::move(authorization)),
        raw_query_(std::move(query)),
        query_(http::parse_query(raw_query_)) {}

  std::string_view method() const override { return "GET"; }

  std::string_view target() const override { return "/"; }

  std::string_view raw_path() const override { return "/"; }

  std::string_view raw_query() const override { return raw_query_; }

  const std::vector<http::QueryParam>& query() const override { return query_; }

  std::optional<std::string_view> header(std::string_view name) const override {
    if (name == "host") return host_;
    if (name == "authorization" && !authorization_.empty()) return authorization_;
    return std::nullopt;
  }

  std::vector<std::pair<std::string_view, std::string_view>> headers() const override { return {}; }

  std::optional<std::uint64_t> content_length() const override { return 0; }

  io::ByteSource& body() override { return body_; }

  std::string_view remote_address() const override { return "127.0.0.1"; }

  bool is_tls() const override { return false; }

  std::string_view id() const override { return "id"; }

 private:
  std::string host_, authorization_, raw_query_;
  std::vector<http::QueryParam> query_;
  io::StringSource body_{""};
};

bool is_s3(const Head& head) {
  return is_s3_request(head, {"s3.example.com", "s3.local.lakefs.io"});
}

TEST(Dispatcher, SendsTheGatewaysHostsToS3) {
  for (const char* host : {"s3.example.com", "S3.Example.com:8000", "repo.s3.example.com",
                           "s3.example.com.", "repo.s3.local.lakefs.io:80"}) {
    EXPECT_TRUE(is_s3(Head(host))) << host;
  }
  for (const char* host : {"example.com", "xs3.example.com", "a.b.s3.example.com", "", "[::1]:8000",
                           ".s3.example.com.evil", "127.0.0.1:8000"}) {
    EXPECT_FALSE(is_s3(Head(host))) << host;
  }
}

TEST(Dispatcher, SendsSignedRequestsToS3AndOtherLoginsToTheApi) {
  EXPECT_TRUE(is_s3(Head("h", "AWS4-HMAC-SHA256 Credential=x")));
  EXPECT_TRUE(is_s3(Head("h", "AWS key:signature")));
  EXPECT_FALSE(is_s3(Head("h", "Basic eDp5")));
  EXPECT_FALSE(is_s3(Head("h", "Bearer x.y.z")));
  EXPECT_FALSE(is_s3(Head("h", "AWSX")));
  EXPECT_FALSE(is_s3(Head("h")));
}

TEST(Dispatcher, SendsPresignedUrlsToS3) {
  EXPECT_TRUE(is_s3(Head("h", "", "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=0")));
  EXPECT_TRUE(is_s3(Head("h", "", "AWSAccessKeyId=a&Signature=b&Expires=1")));
  EXPECT_FALSE(is_s3(Head("h", "", "AWSAccessKeyId=a")));
  EXPECT_FALSE(is_s3(Head("h", "", "prefix=X-Amz-Signature")));
}

}  // namespace
}  // namespace tarn::app
