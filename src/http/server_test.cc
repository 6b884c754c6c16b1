#include "http/server.h"

#include <random>
#include <string>

#include <gtest/gtest.h>

#include "base/error.h"
#include "http/test_client.h"
#include "io/byte_source.h"
#include "testing/co_test.h"

namespace tarn::http {
namespace {

using testing::RunningServer;
using testing::TestClient;

Task<> say_hello(Context& ctx, Request& request, Response& response) {
  response.set_status(200);
  response.add_header("Content-Type", "text/plain");
  response.add_header("X-Target", request.target());
  response.add_header("X-Id", request.id());
  response.add_header("X-Host", request.header("host").value_or("none"));
  response.add_header("X-Peer", request.remote_address());
  EXPECT_EQ(ctx.request_id(), request.id());
  EXPECT_EQ(ctx.deadline(), Context::kNoDeadline);
  co_await response.send(ctx, "hello");
}

TEST(Server, AnswersManyRequestsOnOneConnection) {
  RunningServer server(say_hello);
  TestClient client(server.port());
  std::string last_id;
  for (int i = 0; i < 100; ++i) {
    const auto response = client.ask("GET /a%20b?x HTTP/1.1\r\nHost: h\r\n\r\n");
    ASSERT_EQ(response.status, 200);
    EXPECT_EQ(response.body, "hello");
    EXPECT_EQ(response.header("X-Target"), "/a%20b?x");
    EXPECT_EQ(response.header("X-Peer"), "127.0.0.1");
    EXPECT_EQ(response.header("Connection"), std::nullopt);
    EXPECT_EQ(response.header("Date")->size(), 29U);
    const std::string id = response.header("X-Id").value();
    EXPECT_EQ(id.size(), 36U);
    EXPECT_EQ(id[14], '4');
    EXPECT_NE(id, last_id);
    last_id = id;
  }
}

TEST(Server, AnswersPipelinedRequestsInOrder) {
  RunningServer server(say_hello);
  TestClient client(server.port());
  std::string bytes;
  for (int i = 0; i < 50; ++i) {
    bytes += "POST /" + std::to_string(i) +
             " HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n0123456789\r\n";
    bytes += "POST /c" + std::to_string(i) +
             " HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
  }
  client.send(bytes);
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(client.receive().header("X-Target"), "/" + std::to_string(i));
    EXPECT_EQ(client.receive().header("X-Target"), "/c" + std::to_string(i));
  }
}

TEST(Server, EndsTheConnectionWhenTheClientWantsThat) {
  RunningServer server(say_hello);
  TestClient client(server.port());
  const auto response =
      client.ask("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\nGET /ignored HTTP/1.1\r\n");
  EXPECT_EQ(response.header("Connection"), "close");
  EXPECT_EQ(response.body, "hello");
  EXPECT_TRUE(client.at_end());
}

TEST(Server, SpeaksTheOlderVersion) {
  RunningServer server(say_hello);
  TestClient keeper(server.port());
  for (int i = 0; i < 2; ++i) {
    const auto kept = keeper.ask("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    EXPECT_EQ(kept.header("Connection"), "keep-alive");
    EXPECT_EQ(kept.header("X-Host"), "none");
    EXPECT_EQ(kept.body, "hello");
  }
  TestClient closer(server.port());
  EXPECT_EQ(closer.ask("GET / HTTP/1.0\r\n\r\n").header("Connection"), "close");
  EXPECT_TRUE(closer.at_end());
}

TEST(Server, BelievesAnAbsoluteTarget) {
  RunningServer server(say_hello);
  TestClient client(server.port());
  const auto response = client.ask("GET http://other:1/p?q HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(response.header("X-Target"), "/p?q");
  EXPECT_EQ(response.header("X-Host"), "other:1");
}

Task<> by_path(Context& ctx, Request& request, Response& response) {
  const std::string path(request.raw_path());
  if (path == "/chunks") {
    co_await response.begin(ctx);
    EXPECT_FALSE(response.started());
    co_await response.write(ctx, "one ");
    EXPECT_TRUE(response.started());
    co_await response.write(ctx, "");
    co_await response.write(ctx, "two");
    co_await response.finish(ctx);
  } else if (path == "/announce") {
    co_await response.send_head_only(ctx, 1'234'567);
  } else if (path == "/nothing") {
    response.set_status(204);
    co_await response.send(ctx, "ignored");
  } else if (path == "/silent") {
    co_return;
  } else if (path == "/error") {
    response.add_header("X-Lost", "x");
    throw Error(ErrorCode::internal, "as wanted");
  } else if (path == "/begun") {
    co_await response.begin(ctx);
    throw Error(ErrorCode::internal, "before the head went out");
  } else if (path == "/cut") {
    co_await response.begin(ctx);
    co_await response.write(ctx, "half");
    throw Error(ErrorCode::internal, "after the head went out");
  } else if (path == "/inject") {
    response.add_header("X-Value", "a\r\nX-Evil: 1");
    response.add_header("X-Name\r\nX-Evil: 1", "a");
    response.add_header("Content-Length", "3");
    response.add_header("connection", "close");
    co_await response.send(ctx, "body");
  } else {
    io::StringSource source("streamed");
    co_await response.send_stream(ctx, source);
  }
}

std::string get(std::string_view path, std::string_view method = "GET") {
  return std::string(method) + " " + std::string(path) + " HTTP/1.1\r\nHost: h\r\n\r\n";
}

TEST(Response, StreamsInChunks) {
  RunningServer server(by_path);
  TestClient client(server.port());
  const auto response = client.ask(get("/chunks"));
  EXPECT_EQ(response.header("Transfer-Encoding"), "chunked");
  EXPECT_EQ(response.body, "one two");
  EXPECT_TRUE(response.complete);
  EXPECT_EQ(client.ask(get("/source")).body, "streamed");
}

TEST(Response, StreamsToTheEndOfAnOlderConnection) {
  RunningServer server(by_path);
  TestClient client(server.port());
  const auto response =
      client.ask("GET /chunks HTTP/1.0\r\nHost: h\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(response.header("Transfer-Encoding"), std::nullopt);
  EXPECT_EQ(response.header("Connection"), "close");
  EXPECT_EQ(response.body, "one two");
}

TEST(Response, SendsNoBodyToHead) {
  RunningServer server(by_path);
  TestClient client(server.port());
  for (int i = 0; i < 2; ++i) {
    client.send(get("/source", "HEAD"));
    EXPECT_EQ(client.receive(true).header("Content-Length"), "8");
    client.send(get("/announce", "HEAD"));
    EXPECT_EQ(client.receive(true).header("Content-Length"), "1234567");
    client.send(get("/chunks", "HEAD"));
    EXPECT_EQ(client.receive(true).header("Transfer-Encoding"), "chunked");
    client.send(get("/nothing"));
    const auto empty = client.receive();
    EXPECT_EQ(empty.status, 204);
    EXPECT_EQ(empty.header("Content-Length"), std::nullopt);
  }
}

TEST(Response, CannotBeSplitByHeaderValues) {
  RunningServer server(by_path);
  TestClient client(server.port());
  const auto response = client.ask(get("/inject"));
  EXPECT_EQ(response.header("X-Evil"), std::nullopt);
  EXPECT_EQ(response.header("X-Value"), "aX-Evil: 1");
  EXPECT_EQ(response.header("Content-Length"), "4");
  EXPECT_EQ(response.header("Connection"), std::nullopt);
}

TEST(Server, TurnsFailuresBeforeTheHeadInto500) {
  RunningServer server(by_path);
  for (const std::string_view path : {"/silent", "/error", "/begun"}) {
    TestClient client(server.port());
    const auto response = client.ask(get(path));
    EXPECT_EQ(response.status, 500) << path;
    EXPECT_EQ(response.body, "internal error\n");
    EXPECT_EQ(response.header("X-Lost"), std::nullopt);
    EXPECT_TRUE(client.at_end());
  }
}

TEST(Server, CutsAResponseThatFailsLater) {
  RunningServer server(by_path);
  TestClient client(server.port());
  const auto response = client.ask(get("/cut"));
  EXPECT_EQ(response.status, 200);
  EXPECT_FALSE(response.complete);
  TestClient next(server.port());
  EXPECT_EQ(next.ask(get("/source")).body, "streamed");
}

TEST(Server, RefusesAmbiguousRequestsAndHangsUp) {
  RunningServer server(say_hello);
  const std::pair<std::string_view, int> cases[] = {
      {"GET / HTTP/1.1\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n", 400},
      {"GET / HTTP/3.0\r\nHost: h\r\n\r\n", 505},
      {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\nx",
       400},
      {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\nx", 501},
      {"GET / HTTP/1.1\nHost: h\n\n", 400},
  };
  for (const auto& [bytes, status] : cases) {
    TestClient client(server.port());
    // What follows could be a smuggled request: it must not be answered.
    const auto response = client.ask(std::string(bytes) + get("/smuggled"));
    EXPECT_EQ(response.status, status) << bytes;
    EXPECT_EQ(response.header("Connection"), "close");
    EXPECT_TRUE(client.at_end());
  }
}

TEST(Server, SurvivesGarbage) {
  ServerConfig config = testing::quick_config();
  config.header_timeout = std::chrono::milliseconds(50);
  config.stall_timeout = std::chrono::milliseconds(50);
  RunningServer server(say_hello, config, 2);
  std::mt19937 random(3);
  for (int round = 0; round < 150; ++round) {
    std::string bytes = "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n012345678" +
                        get("/chunks") + "PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked" +
                        "\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
    for (int edits = 0; edits < 4; ++edits)
      bytes[random() % bytes.size()] = static_cast<char>(random());
    TestClient client(server.port());
    client.send(bytes);
    client.finish_sending();
    while (client.receive().complete) {
    }
  }
  TestClient client(server.port());
  EXPECT_EQ(client.ask(get("/")).body, "hello");
}

TEST(Server, ReportsAnAddressInUse) {
  RunningServer server(say_hello, testing::quick_config(), 2);
  ServerConfig config = testing::quick_config();
  config.listen_address = "127.0.0.1:" + std::to_string(server.port());
  io::Loops loops(2);
  testing::FunctionHandler handler(say_hello);
  Server second(config, loops, handler);
  try {
    second.start();
    FAIL() << "shared the port";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::unavailable);
  }
}

TEST(Server, RefusesAMalformedListenAddress) {
  for (const std::string text :
       {"", "localhost", "1.2.3.4:", "1.2.3.4:x", "1.2.3.4:70000", "::1:80"}) {
    ServerConfig config;
    config.listen_address = text;
    io::Loops loops(1);
    testing::FunctionHandler handler(say_hello);
    Server server(config, loops, handler);
    EXPECT_THROW(server.start(), Error) << text;
  }
}

TEST(Server, ListensOnEveryAddressAndLoop) {
  ServerConfig config = testing::quick_config();
  config.listen_address = ":0";
  RunningServer server(say_hello, config, 2);
  for (int i = 0; i < 20; ++i) {
    TestClient client(server.port());
    EXPECT_EQ(client.ask(get("/")).header("X-Peer"), "127.0.0.1");
  }
}

}  // namespace
}  // namespace tarn::http
