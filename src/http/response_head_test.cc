#include "http/response_head.h"

#include <string>

#include <gtest/gtest.h>

namespace tarn::http {
namespace {

using Framing = ResponseHead::Framing;

std::expected<ResponseHead, ParseError> parse(const std::string& lines, bool to_head = false) {
  static std::string bytes;  // the head has views of it
  bytes = lines + "\r\n";
  return parse_response_head(bytes, to_head);
}

TEST(ResponseHead, TellsStatusFieldsAndLength) {
  const auto head = parse("HTTP/1.1 206 Partial Content\r\nContent-Length: 12\r\nETag: \"x\"\r\n");
  ASSERT_TRUE(head) << head.error().message;
  EXPECT_EQ(head->status, 206);
  EXPECT_EQ(head->framing, Framing::length);
  EXPECT_EQ(head->content_length, 12u);
  EXPECT_TRUE(head->keep_alive);
  ASSERT_EQ(head->fields.size(), 2u);
  EXPECT_EQ(head->fields[1].value, "\"x\"");
}

TEST(ResponseHead, KnowsResponsesWithoutABody) {
  EXPECT_EQ(parse("HTTP/1.1 204 No Content\r\n")->framing, Framing::none);
  EXPECT_EQ(parse("HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n")->framing, Framing::none);
  const auto head = parse("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n", true);
  EXPECT_EQ(head->framing, Framing::none);
  EXPECT_TRUE(head->has_length);
  EXPECT_TRUE(head->keep_alive);
  EXPECT_TRUE(parse("HTTP/1.1 200 OK\r\n", true)->keep_alive);
}

TEST(ResponseHead, ReadsUntilTheEndWithoutALength) {
  const auto head = parse("HTTP/1.1 200 OK\r\n");
  EXPECT_EQ(head->framing, Framing::until_close);
  EXPECT_FALSE(head->keep_alive);
}

TEST(ResponseHead, KeepsTheConnectionOnlyWhenTheServerDoes) {
  EXPECT_TRUE(parse("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n")->keep_alive);
  EXPECT_FALSE(parse("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n")->keep_alive);
  EXPECT_FALSE(parse("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n")->keep_alive);
}

TEST(ResponseHead, RefusesWhatCouldBeReadTwoWays) {
  for (const char* lines :
       {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\n", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 0x10\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n", "HTTP/1.1 099 Odd\r\n",
        "HTTP/2.0 200 OK\r\n", "HTTP/1.1 2000 OK\r\n", "HTTP/1.1 -20 OK\r\n", "200 OK\r\n",
        "HTTP/1.1 200 OK\r\nBad Name: x\r\n", "HTTP/1.1 200 OK\r\n: x\r\n", ""}) {
    EXPECT_FALSE(parse(lines)) << lines;
  }
}

}  // namespace
}  // namespace tarn::http
