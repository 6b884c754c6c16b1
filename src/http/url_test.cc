#include <gtest/gtest.h>

#include "http/client.h"

namespace tarn::http {
namespace {

TEST(ParseUrl, TakesSchemeHostPortAndTarget) {
  const auto url = parse_url("HTTP://minio.local:9000/a%20b?x=1");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->endpoint, (Endpoint{Endpoint::Scheme::http, "minio.local", 9000}));
  EXPECT_EQ(url->target, "/a%20b?x=1");
  EXPECT_EQ(url->endpoint.origin(), "http://minio.local:9000");
}

TEST(ParseUrl, FillsInTheSchemesPortAndARootPath) {
  EXPECT_EQ(parse_url("https://h")->endpoint.port, 443);
  EXPECT_EQ(parse_url("http://h")->endpoint.port, 80);
  EXPECT_EQ(parse_url("https://h")->target, "/");
  EXPECT_EQ(parse_url("https://h?q")->target, "/?q");
  EXPECT_EQ(parse_url("https://h:443")->endpoint.authority(), "h");
}

TEST(ParseUrl, KeepsBracketsOfIpv6ForTheHostHeaderOnly) {
  const auto url = parse_url("http://[::1]:8000/x");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->endpoint.host, "::1");
  EXPECT_EQ(url->endpoint.authority(), "[::1]:8000");
}

TEST(ParseUrl, RefusesWhatIsNotAPlainHttpUrl) {
  for (const char* text : {"", "h", "ftp://h", "http://", "http://u:p@h/", "http://h:0/",
                           "http://h:65536/", "http://h:8x/", "http://h/a b", "http://h/#f",
                           "http://h/\r\nX: y", "http://[::1", "http://a:b:c/", "http://h\\x/"}) {
    EXPECT_FALSE(parse_url(text)) << text;
  }
}

}  // namespace
}  // namespace tarn::http
