#include "http/server.h"

#include <string>

#include <gtest/gtest.h>

#include "http/test_client.h"
#include "io/byte_source.h"

namespace tarn::http {
namespace {

using testing::RunningServer;
using testing::TestClient;

Task<> say_hello(Context& ctx, Request& request, Response& response) {
  response.set_status(200);
  response.add_header("Content-Type", "text/plain");
  response.add_header("X-Path", request.raw_path());
  response.add_header("X-Id", request.id());
  co_await response.send(ctx, "hello");
}

Task<> echo(Context& ctx, Request& request, Response& response) {
  co_await response.send_stream(ctx, request.body());
}

TEST(Server, EchoesBodiesOfEitherFraming) {
  RunningServer server(echo);
  TestClient client(server.port());
  const auto sized =
      client.ask("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello");
  EXPECT_EQ(sized.body, "hello");
  const auto chunked = client.ask(
      "PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nTrailer: t\r\n\r\n");
  EXPECT_EQ(chunked.body, "abcde");
  EXPECT_EQ(chunked.header("Transfer-Encoding"), "chunked");
}

TEST(Server, AnswersAndKeepsTheConnection) {
  RunningServer server(say_hello);
  TestClient client(server.port());
  for (int i = 0; i < 3; ++i) {
    const auto response = client.ask("GET /a%20b?x HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.body, "hello");
    EXPECT_EQ(response.header("X-Path"), "/a%20b");
    EXPECT_EQ(response.header("Connection"), std::nullopt);
    EXPECT_EQ(response.header("Date")->size(), 29U);
  }
}

}  // namespace
}  // namespace tarn::http
