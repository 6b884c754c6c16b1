#include "http/client.h"

#include <atomic>
#include <cstdlib>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <gtest/gtest.h>

#include "base/error.h"
#include "http/test_client.h"
#include "io/loops.h"
#include "io/task_group.h"
#include "testing/co_test.h"
#include "testing/temp_dir.h"

namespace tarn::http {
namespace {

using testing::RunningServer;

Endpoint local(std::uint16_t port) {
  return {.scheme = Endpoint::Scheme::http, .host = "127.0.0.1", .port = port};
}

/// Sends back method, target and body; the connection's peer port tells connections apart.
Task<> echo(Context& ctx, Request& request, Response& response) {
  response.add_header("X-Method", request.method());
  response.add_header("X-Target", request.target());
  response.add_header("X-Host", request.header("host").value_or(""));
  response.add_header("X-Length", request.header("content-length").value_or("none"));
  co_await response.send_stream(ctx, request.body());
}

class Repeated final : public io::ByteSource {
 public:
  Repeated(std::size_t pieces, std::size_t bytes) : pieces_(pieces), piece_(bytes, 'r') {}

  Task<std::string_view> read(Context&) override {
    if (pieces_ == 0) co_return std::string_view{};
    --pieces_;
    co_return piece_;
  }

  std::optional<std::uint64_t> size() const override { return std::nullopt; }

 private:
  std::size_t pieces_;
  std::string piece_;
};

CO_TEST(HttpClient, SendsARequestAndReadsTheResponse) {
  RunningServer server(echo);
  Client client;
  auto response = co_await client.send(
      ctx,
      {.method = "PUT", .endpoint = local(server.port()), .target = "/a%2Fb?x=1", .body = "hello"});
  EXPECT_EQ(response.status(), 200);
  EXPECT_EQ(response.header("x-method"), "PUT");
  EXPECT_EQ(response.header("x-target"), "/a%2Fb?x=1");
  EXPECT_EQ(response.header("x-host"), "127.0.0.1:" + std::to_string(server.port()));
  EXPECT_EQ(response.content_length(), 5u);
  EXPECT_EQ(co_await response.read_all(ctx, 100), "hello");
  EXPECT_EQ(co_await response.body().read(ctx), "");
}

CO_TEST(HttpClient, AnnouncesTheLengthOfAnEmptyPutAndOfNoGet) {
  RunningServer server(echo);
  Client client;
  auto put = co_await client.send(ctx, {.method = "PUT", .endpoint = local(server.port())});
  EXPECT_EQ(put.header("x-length"), "0");
  auto get = co_await client.send(ctx, {.endpoint = local(server.port())});
  EXPECT_EQ(get.header("x-length"), "none");
}

CO_TEST(HttpClient, StreamsBothWays) {
  RunningServer server(echo);
  Client client;
  constexpr std::size_t kPieces = 200, kBytes = 50'000;
  for (const bool expect : {false, true}) {
    Repeated body(kPieces, kBytes);
    auto response = co_await client.send(
        ctx,
        {.method = "PUT", .endpoint = local(server.port()), .stream = &body, .stream_bytes = 0});
    EXPECT_EQ(co_await response.read_all(ctx, 10), "");
    // The echo answers while it reads, so what is sent must fit what the sockets hold.
    Repeated small(2, 1'000);
    auto answered = co_await client.send(ctx, {.method = "PUT",
                                               .endpoint = local(server.port()),
                                               .stream = &small,
                                               .stream_bytes = 2'000,
                                               .expect_continue = expect});
    EXPECT_EQ(co_await answered.read_all(ctx, 1 << 20), std::string(2'000, 'r'));
  }
}

Task<> count_bytes(Context& ctx, Request& request, Response& response) {
  std::uint64_t count = 0;
  for (;;) {
    const auto piece = co_await request.body().read(ctx);
    if (piece.empty()) break;
    count += piece.size();
  }
  co_await response.send(ctx, std::to_string(count));
}

CO_TEST(HttpClient, SendsLargeBodiesWhole) {
  RunningServer server(count_bytes);
  Client client;
  for (const bool expect : {false, true}) {
    Repeated body(300, 100'000);
    auto response = co_await client.send(ctx, {.method = "PUT",
                                               .endpoint = local(server.port()),
                                               .stream = &body,
                                               .stream_bytes = 30'000'000,
                                               .expect_continue = expect});
    EXPECT_EQ(response.content_length(), 8u);
    EXPECT_EQ(co_await response.read_all(ctx, 100), "30000000");
  }
}

Task<> refuse_unread(Context& ctx, Request&, Response& response) {
  response.set_status(403);
  co_await response.send(ctx, "no");
}

CO_TEST(HttpClient, SendsNoBodyToAServerThatRefusesBeforehand) {
  RunningServer server(refuse_unread);
  Client client;
  Repeated body(300, 100'000);
  auto response = co_await client.send(ctx, {.method = "PUT",
                                             .endpoint = local(server.port()),
                                             .stream = &body,
                                             .stream_bytes = 30'000'000,
                                             .expect_continue = true});
  EXPECT_EQ(response.status(), 403);
  EXPECT_EQ(co_await response.read_all(ctx, 100), "no");
  EXPECT_FALSE((co_await body.read(ctx)).empty()) << "it had not been read";
}

CO_TEST(HttpClient, RefusesABodyThatIsNotAsLongAsAnnounced) {
  RunningServer server(count_bytes);
  Client client;
  for (const std::uint64_t announced : {1'999u, 2'001u}) {
    Repeated body(2, 1'000);
    CO_EXPECT_ERROR(client.send(ctx, {.method = "PUT",
                                      .endpoint = local(server.port()),
                                      .stream = &body,
                                      .stream_bytes = announced}),
                    ErrorCode::invalid_argument);
  }
}

CO_TEST(HttpClient, ReadsHeadResponsesWithoutABody) {
  RunningServer server([](Context& c, Request&, Response& response) {
    return response.send_head_only(c, 1'000'000);
  });
  Client client;
  for (int i = 0; i < 3; ++i) {
    auto response = co_await client.send(ctx, {.method = "HEAD", .endpoint = local(server.port())});
    EXPECT_EQ(response.content_length(), 1'000'000u);
    EXPECT_EQ(response.body().size(), 0u);
    EXPECT_EQ(co_await response.read_all(ctx, 1), "");
  }
}

CO_TEST(HttpClient, RefusesToReadMoreThanItMay) {
  RunningServer server(echo);
  Client client;
  auto response = co_await client.send(
      ctx, {.method = "PUT", .endpoint = local(server.port()), .body = "0123456789"});
  CO_EXPECT_ERROR(response.read_all(ctx, 9), ErrorCode::too_large);
}

CO_TEST(HttpClient, NeverSendsALineBreakInAHead) {
  Client client;
  CO_EXPECT_ERROR(client.send(ctx, {.endpoint = local(9), .target = "/\r\nX: y"}),
                  ErrorCode::invalid_argument);
}

Task<> send_many(Client& client, std::uint16_t port, int count, std::atomic<int>& answered) {
  Context ctx(Context::SteadyClock::now() + std::chrono::seconds(30));
  for (int i = 0; i < count; ++i) {
    auto response = co_await client.send(
        ctx, {.method = "PUT", .endpoint = local(port), .body = std::to_string(i)});
    if (co_await response.read_all(ctx, 100) == std::to_string(i)) ++answered;
  }
}

CO_TEST(HttpClient, ServesManyAtOnceOnSeveralLoops) {
  RunningServer server(echo, testing::quick_config(), 2);
  io::Loops loops(2);
  Client client({.connections_per_host = 3});
  std::atomic<int> answered = 0;
  io::TaskGroup group;
  for (std::size_t i = 0; i < 20; ++i) {
    group.spawn(loops.executor(i % 2), "send", send_many(client, server.port(), 20, answered));
  }
  co_await group.join();
  EXPECT_EQ(answered, 400);
  co_await client.close();
}

class TlsClient : public ::testing::Test {
 public:
  TlsClient() {
    const std::string command =
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=x "
        "-addext subjectAltName=IP:127.0.0.1 -keyout " +
        dir.file("key.pem") + " -out " + dir.file("cert.pem") + " 2>/dev/null";
    EXPECT_EQ(std::system(command.c_str()), 0);
    config.tls =
        TlsConfig{.certificate_file = dir.file("cert.pem"), .key_file = dir.file("key.pem")};
  }

  static Endpoint endpoint(std::uint16_t port, std::string host = "127.0.0.1") {
    return {.scheme = Endpoint::Scheme::https, .host = std::move(host), .port = port};
  }

  tarn::testing::TempDir dir;
  ServerConfig config = testing::quick_config();
};

CO_TEST_F(TlsClient, TalksToAServerItTrusts) {
  RunningServer server(count_bytes, self.config);
  Client client({.tls = {.ca_file = self.dir.file("cert.pem")}});
  for (int i = 0; i < 3; ++i) {
    Repeated body(30, 100'000);
    auto response = co_await client.send(ctx, {.method = "PUT",
                                               .endpoint = self.endpoint(server.port()),
                                               .stream = &body,
                                               .stream_bytes = 3'000'000});
    EXPECT_EQ(co_await response.read_all(ctx, 100), "3000000");
  }
}

CO_TEST_F(TlsClient, RefusesAServerItDoesNotTrust) {
  RunningServer server(echo, self.config);
  Client client;
  CO_EXPECT_ERROR(client.send(ctx, {.endpoint = self.endpoint(server.port())}),
                  ErrorCode::unavailable);
}

CO_TEST_F(TlsClient, RefusesACertificateOfAnotherName) {
  RunningServer server(echo, self.config);
  Client client({.tls = {.ca_file = self.dir.file("cert.pem")}});
  CO_EXPECT_ERROR(client.send(ctx, {.endpoint = self.endpoint(server.port(), "localhost")}),
                  ErrorCode::unavailable);
}

CO_TEST_F(TlsClient, TakesAnyCertificateWhenToldTo) {
  RunningServer server(echo, self.config);
  Client client({.tls = {.verify = false}});
  auto response =
      co_await client.send(ctx, {.endpoint = self.endpoint(server.port(), "localhost")});
  EXPECT_EQ(response.status(), 200);
}

TEST(HttpClientConfig, RefusesACaFileThatIsNone) {
  EXPECT_THROW(Client({.tls = {.ca_file = "/nowhere/ca.pem"}}), Error);
}

}  // namespace
}  // namespace tarn::http
