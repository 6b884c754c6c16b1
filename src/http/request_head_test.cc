#include "http/request_head.h"

#include <algorithm>
#include <array>
#include <random>
#include <string>

#include <gtest/gtest.h>

namespace tarn::http {
namespace {

/// 0 when the bytes are one well-formed head, else the status of the refusal; 1 = incomplete.
int verdict(std::string_view bytes, RequestHead& head) {
  HeadScanner scanner;
  const auto length = scanner.scan(bytes, 8'192);
  if (!length) return length.error().status;
  if (!*length) return 1;
  EXPECT_EQ(**length, bytes.size());
  const auto parsed = parse_head(bytes.substr(0, **length), head);
  return parsed ? 0 : parsed.error().status;
}

std::string request(std::string_view fields, std::string_view line = "PUT /a?b HTTP/1.1") {
  return std::string(line) + "\r\nHost: h\r\n" + std::string(fields) + "\r\n";
}

struct Case {
  std::string_view what;
  std::string bytes;
  int status;
};

TEST(RequestHead, RefusesWhatTwoParsersCouldReadDifferently) {
  using namespace std::string_literals;
  const std::array cases = {
      Case{"plain", request(""), 0},
      Case{"length", request("Content-Length: 5\r\n"), 0},
      Case{"chunked", request("Transfer-Encoding: Chunked\r\n"), 0},
      Case{"padded length", request("Content-Length: \t 5 \t\r\n"), 0},
      Case{"length twice, same", request("Content-Length: 5\r\nContent-Length: 5\r\n"), 400},
      Case{"length twice, other", request("Content-Length: 5\r\nContent-Length: 6\r\n"), 400},
      Case{"length list", request("Content-Length: 5, 5\r\n"), 400},
      Case{"length sign", request("Content-Length: +5\r\n"), 400},
      Case{"length minus", request("Content-Length: -5\r\n"), 400},
      Case{"length hex", request("Content-Length: 0x5\r\n"), 400},
      Case{"length empty", request("Content-Length:\r\n"), 400},
      Case{"length space inside", request("Content-Length: 5 5\r\n"), 400},
      Case{"length overflow", request("Content-Length: 18446744073709551616\r\n"), 400},
      Case{"length and coding", request("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"),
           400},
      Case{"coding and length", request("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"),
           400},
      Case{"coding twice", request("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
           400},
      Case{"coding list", request("Transfer-Encoding: gzip, chunked\r\n"), 501},
      Case{"coding unknown", request("Transfer-Encoding: xchunked\r\n"), 501},
      Case{"coding identity", request("Transfer-Encoding: identity\r\n"), 501},
      Case{"coding vertical tab", request("Transfer-Encoding: \vchunked\r\n"), 400},
      Case{"coding in 1.0", request("Transfer-Encoding: chunked\r\n", "PUT / HTTP/1.0"), 400},
      Case{"space before colon", request("Transfer-Encoding : chunked\r\n"), 400},
      Case{"no colon", request("Transfer-Encoding chunked\r\n"), 400},
      Case{"empty name", request(": x\r\n"), 400},
      Case{"control in name", request("Con\x01tent: x\r\n"), 400},
      Case{"zero byte in value", request("X: a\0b\r\n"s), 400},
      Case{"folded", request("X: a\r\n b\r\n"), 400},
      Case{"folded with tab", request("X: a\r\n\tb\r\n"), 400},
      Case{"bare LF", "GET / HTTP/1.1\nHost: h\n\n", 400},
      Case{"bare LF in fields", request("X: a\nContent-Length: 5\r\n"), 400},
      Case{"bare CR in value", request("X: a\rContent-Length: 5\r\n"), 400},
      Case{"host twice", request("Host: other\r\n"), 400},
      Case{"no host", "GET / HTTP/1.1\r\n\r\n", 400},
      Case{"no host in 1.0", "GET / HTTP/1.0\r\n\r\n", 0},
      Case{"leading space field", "GET / HTTP/1.1\r\n Host: h\r\n\r\n", 400},
      Case{"version 2", request("", "GET / HTTP/2.0"), 505},
      Case{"version 1.2", request("", "GET / HTTP/1.2"), 505},
      Case{"version 0.9", request("", "GET / HTTP/0.9"), 505},
      Case{"version text", request("", "GET / HTTP/1.x"), 400},
      Case{"version lower case", request("", "GET / http/1.1"), 400},
      Case{"no version", request("", "GET /"), 400},
      Case{"two spaces", request("", "GET  / HTTP/1.1"), 400},
      Case{"tab", request("", "GET\t/ HTTP/1.1"), 400},
      Case{"space in target", request("", "GET /a b HTTP/1.1"), 400},
      Case{"relative target", request("", "GET a HTTP/1.1"), 400},
      Case{"star", request("", "GET * HTTP/1.1"), 400},
      Case{"options star", request("", "OPTIONS * HTTP/1.1"), 0},
      Case{"connect", request("", "CONNECT h:1 HTTP/1.1"), 400},
      Case{"other scheme", request("", "GET ftp://h/ HTTP/1.1"), 400},
      Case{"no authority", request("", "GET http:///x HTTP/1.1"), 400},
      Case{"user info", request("", "GET http://u@h/x HTTP/1.1"), 400},
      Case{"method", request("", "G@T / HTTP/1.1"), 400},
      Case{"TLS", "\x16\x03\x01\x02\x01\r\n\r\n"s, 400},
      Case{"bad connection list", request("Connection: a b\r\n"), 400},
  };
  for (const Case& one : cases) {
    RequestHead head;
    EXPECT_EQ(verdict(one.bytes, head), one.status) << one.what;
  }
}

TEST(RequestHead, ReadsWhatHandlersNeed) {
  RequestHead head;
  const std::string bytes =
      "PUT /a%2Fb/c?x=1&y HTTP/1.1\r\nHost: h:80\r\nX-One:  two words \r\nx-one: three\r\n"
      "Expect: 100-Continue\r\nContent-Length: 12\r\nEmpty:\r\n\r\n";
  ASSERT_EQ(verdict(bytes, head), 0);
  EXPECT_EQ(head.method, "PUT");
  EXPECT_EQ(head.target, "/a%2Fb/c?x=1&y");
  EXPECT_EQ(head.path(), "/a%2Fb/c");
  EXPECT_EQ(head.query(), "x=1&y");
  EXPECT_EQ(head.find("X-ONE"), "two words");
  EXPECT_EQ(head.find("empty"), "");
  EXPECT_EQ(head.find("absent"), std::nullopt);
  EXPECT_EQ(head.fields.size(), 6U);
  EXPECT_TRUE(head.expects_continue);
  EXPECT_TRUE(head.keep_alive);
  EXPECT_EQ(head.framing, RequestHead::Framing::length);
  EXPECT_EQ(head.content_length, 12U);
}

TEST(RequestHead, ForgetsTheRequestBefore) {
  RequestHead head;
  ASSERT_EQ(
      verdict(request("Expect: 100-continue\r\nContent-Length: 5\r\nConnection: close\r\n"), head),
      0);
  const std::string bytes = request("", "GET /next HTTP/1.1");
  ASSERT_EQ(verdict(bytes, head), 0);
  EXPECT_FALSE(head.expects_continue);
  EXPECT_TRUE(head.keep_alive);
  EXPECT_EQ(head.framing, RequestHead::Framing::none);
  EXPECT_EQ(head.content_length, 0U);
  EXPECT_EQ(head.fields.size(), 1U);
}

TEST(RequestHead, KnowsWhoWantsTheConnectionKept) {
  const auto keeps = [](std::string_view fields, std::string_view line) {
    RequestHead head;
    EXPECT_EQ(verdict(request(fields, line), head), 0);
    return head.keep_alive;
  };
  EXPECT_TRUE(keeps("", "GET / HTTP/1.1"));
  EXPECT_FALSE(keeps("Connection: Close\r\n", "GET / HTTP/1.1"));
  EXPECT_FALSE(keeps("Connection: foo, close\r\n", "GET / HTTP/1.1"));
  EXPECT_FALSE(keeps("", "GET / HTTP/1.0"));
  EXPECT_TRUE(keeps("Connection: keep-alive\r\n", "GET / HTTP/1.0"));
}

TEST(RequestHead, ReducesAbsoluteTargetsAndBelievesTheirAuthority) {
  RequestHead head;
  std::string bytes = request("", "GET HTTP://example.org:8080/p%20q?x HTTP/1.1");
  ASSERT_EQ(verdict(bytes, head), 0);
  EXPECT_EQ(head.target, "/p%20q?x");
  EXPECT_EQ(head.find("host"), "example.org:8080");
  bytes = request("", "GET http://example.org?x=1 HTTP/1.1");
  ASSERT_EQ(verdict(bytes, head), 0);
  EXPECT_EQ(head.target, "/?x=1");
  EXPECT_EQ(head.path(), "/");
  bytes = request("", "GET http://example.org HTTP/1.1");
  ASSERT_EQ(verdict(bytes, head), 0);
  EXPECT_EQ(head.target, "/");
}

TEST(HeadScanner, FindsTheSameEndHoweverTheBytesArrive) {
  const std::string head = request("X: y\r\n");
  const std::string bytes = head + "GET /next";
  for (std::size_t step = 1; step <= bytes.size(); ++step) {
    HeadScanner scanner;
    std::optional<std::size_t> found;
    for (std::size_t size = 0; !found; size += step) {
      ASSERT_LE(size, bytes.size() + step);
      found = scanner.scan(std::string_view(bytes).substr(0, size), 8'192).value();
    }
    EXPECT_EQ(found, head.size());
  }
}

TEST(HeadScanner, RefusesAHeadBeyondItsLimit) {
  const std::string head = request("X: " + std::string(1'000, 'x') + "\r\n");
  EXPECT_EQ(HeadScanner{}.scan(head, head.size()).value(), head.size());
  EXPECT_EQ(HeadScanner{}.scan(head, head.size() - 1).error().status, 431);
  EXPECT_EQ(HeadScanner{}.scan(head.substr(0, 500), 500).error().status, 431);
  EXPECT_EQ(HeadScanner{}.scan(head.substr(0, 499), 500).value(), std::nullopt);
}

TEST(HeadScanner, SkipsEmptyLinesBeforeARequest) {
  EXPECT_EQ(leading_empty_lines("\r\n\r\nGET"), 4U);
  EXPECT_EQ(leading_empty_lines("\r"), 0U);
  EXPECT_EQ(leading_empty_lines("\nGET"), 0U);
}

bool lies_within(std::string_view inner, std::string_view outer) {
  return inner.empty() || (inner.data() >= outer.data() &&
                           inner.data() + inner.size() <= outer.data() + outer.size());
}

// Whatever is accepted must have one reading: checked against the raw bytes.
void expect_unambiguous(const RequestHead& head, std::string_view bytes) {
  EXPECT_TRUE(is_token(head.method));
  EXPECT_TRUE(head.target.starts_with('/') || head.target == "*");
  EXPECT_TRUE(lies_within(head.target, bytes) || head.target.data() == head.rewritten.data());
  int lengths = 0;
  int codings = 0;
  int hosts = 0;
  for (const HeadField& field : head.fields) {
    EXPECT_TRUE(is_token(field.name));
    EXPECT_TRUE(lies_within(field.value, bytes));
    EXPECT_EQ(field.value.find_first_of(std::string_view("\r\n\0", 3)), std::string_view::npos);
    lengths += equal_without_case(field.name, "content-length");
    codings += equal_without_case(field.name, "transfer-encoding");
    hosts += equal_without_case(field.name, "host");
  }
  EXPECT_LE(lengths + codings, 1);
  EXPECT_LE(hosts, 1);
  EXPECT_EQ(head.framing == RequestHead::Framing::chunked, codings == 1);
  EXPECT_EQ(head.framing == RequestHead::Framing::length, lengths == 1);
}

TEST(RequestHead, StaysUnambiguousUnderMutation) {
  const std::array seeds = {
      request("Content-Length: 5\r\nConnection: keep-alive\r\n"),
      request("Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n"),
      request("Authorization: AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host\r\n",
              "GET http://h/x?y=%20 HTTP/1.1"),
      request("Connection: close, upgrade\r\nUpgrade: h2c\r\n", "OPTIONS * HTTP/1.0"),
  };
  const std::string bits(
      "\r\n\0 \t:,%/?#\x7f\x80\xff"
      "0Aa",
      17);
  std::mt19937 random(20'261'121);
  int accepted = 0;
  for (int round = 0; round < 60'000; ++round) {
    std::string bytes = seeds[random() % seeds.size()];
    for (std::size_t edits = 1 + random() % 3; edits > 0; --edits) {
      const std::size_t at = random() % bytes.size();
      switch (random() % 5) {
        case 0: bytes[at] = bits[random() % bits.size()]; break;
        case 1: bytes.insert(at, 1, bits[random() % bits.size()]); break;
        case 2: bytes.erase(at, 1 + random() % 4); break;
        case 3: bytes[at] = static_cast<char>(random()); break;
        case 4: bytes.insert(at, bytes.substr(random() % bytes.size(), random() % 30)); break;
      }
      if (bytes.empty()) bytes = "\r\n";
    }
    RequestHead head;
    HeadScanner scanner;
    const auto length = scanner.scan(bytes, 8'192);
    if (!length || !*length) continue;
    const std::string exact = bytes.substr(0, **length);  // its own block: overreads are seen
    if (!parse_head(exact, head)) continue;
    ++accepted;
    expect_unambiguous(head, exact);
    if (HasFailure()) FAIL() << "round " << round << ": " << exact;
  }
  EXPECT_GT(accepted, 1'000);
}

}  // namespace
}  // namespace tarn::http
