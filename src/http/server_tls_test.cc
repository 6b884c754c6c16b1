#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include "base/error.h"
#include "http/server.h"
#include "http/test_client.h"
#include "io/byte_source.h"
#include "testing/temp_dir.h"

namespace tarn::http {
namespace {

using std::chrono::milliseconds;
using testing::RunningServer;
using testing::TestClient;

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

Task<> echo(Context& ctx, Request& request, Response& response) {
  response.add_header("X-Tls", request.is_tls() ? "yes" : "no");
  co_await response.send_stream(ctx, request.body());
}

class TlsServer : public ::testing::Test {
 protected:
  TlsServer() {
    make_certificate("one");
    use_certificate("one");
    config_.tls =
        TlsConfig{.certificate_file = dir_.file("cert.pem"), .key_file = dir_.file("key.pem")};
  }

  void make_certificate(const std::string& name) {
    const std::string command =
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 "
        "-subj /CN=" +
        name + " -keyout " + dir_.file(name + ".key") + " -out " + dir_.file(name + ".crt") +
        " 2>/dev/null";
    ASSERT_EQ(std::system(command.c_str()), 0);
  }

  void use_certificate(const std::string& name) {
    constexpr auto kReplace = std::filesystem::copy_options::overwrite_existing;
    std::filesystem::copy_file(dir_.file(name + ".crt"), dir_.file("cert.pem"), kReplace);
    std::filesystem::copy_file(dir_.file(name + ".key"), dir_.file("key.pem"), kReplace);
  }

  std::string trust(const std::string& name) const { return dir_.file(name + ".crt"); }

  tarn::testing::TempDir dir_;
  ServerConfig config_ = testing::quick_config();
};

TEST_F(TlsServer, ServesRequestsAndKeepsTheConnection) {
  RunningServer server(echo, config_);
  TestClient client(server.port(), trust("one"));
  for (int i = 0; i < 3; ++i) {
    const auto response = client.ask("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello");
    EXPECT_EQ(response.body, "hello");
    EXPECT_EQ(response.header("X-Tls"), "yes");
  }
  const std::string large(3 << 20, 'x');
  EXPECT_TRUE(client
                  .ask("PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n300000\r\n" +
                       large + "\r\n0\r\n\r\n")
                  .body == large);
}

/// A file, in its own eyes: the kernel could send it.
class FileLikeSource final : public io::ByteSource {
 public:
  explicit FileLikeSource(std::string text) : inner_(std::move(text)) {}

  Task<std::string_view> read(Context& ctx) override { return inner_.read(ctx); }

  bool can_send() const override { return true; }

  Task<io::Sent> send_some(Context&, int) override {
    ADD_FAILURE() << "the bytes would leave unencrypted";
    co_return io::Sent{.stop = io::Sent::Stop::unsupported};
  }

  std::optional<std::uint64_t> size() const override { return inner_.size(); }

 private:
  io::StringSource inner_;
};

Task<> send_file_like(Context& ctx, Request&, Response& response) {
  FileLikeSource source(std::string(3 << 20, 'x'));
  co_await response.send_stream(ctx, source);
}

TEST_F(TlsServer, EncryptsWhatTheKernelCouldSend) {
  RunningServer server(send_file_like, config_);
  TestClient client(server.port(), trust("one"));
  for (int i = 0; i < 2; ++i)
    EXPECT_TRUE(client.ask(std::string(kGet)).body == std::string(3 << 20, 'x'));
}

TEST_F(TlsServer, SaysGoodbyeBeforeItCloses) {
  RunningServer server(echo, config_);
  TestClient client(server.port(), trust("one"));
  EXPECT_TRUE(client.ask("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").complete);
  EXPECT_TRUE(client.at_end());  // zero is a close_notify; a bare FIN would be an error
}

TEST_F(TlsServer, UsesAReloadedCertificateForNewConnections) {
  RunningServer server(echo, config_);
  TestClient old(server.port(), trust("one"));
  EXPECT_EQ(old.ask(kGet).status, 200);
  make_certificate("two");
  use_certificate("two");
  server.server().reload_tls();
  TestClient fresh(server.port(), trust("two"));
  EXPECT_EQ(fresh.ask(kGet).status, 200);
  EXPECT_THROW(TestClient(server.port(), trust("one")), Error);
  EXPECT_EQ(old.ask(kGet).status, 200);
}

TEST_F(TlsServer, KeepsItsCertificateWhenTheNewFilesAreUnusable) {
  RunningServer server(echo, config_);
  make_certificate("two");
  std::filesystem::copy_file(dir_.file("two.key"), dir_.file("key.pem"),
                             std::filesystem::copy_options::overwrite_existing);
  EXPECT_THROW(server.server().reload_tls(), Error);  // key and certificate do not match
  std::ofstream(dir_.file("cert.pem")) << "nonsense";
  EXPECT_THROW(server.server().reload_tls(), Error);
  TestClient client(server.port(), trust("one"));
  EXPECT_EQ(client.ask(kGet).status, 200);
}

TEST_F(TlsServer, DoesNotStartWithoutUsableFiles) {
  config_.tls->key_file = dir_.file("absent.pem");
  io::Loops loops(1);
  testing::FunctionHandler handler(echo);
  Server server(config_, loops, handler);
  try {
    server.start();
    FAIL() << "started";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
  }
}

TEST_F(TlsServer, HangsUpOnPlainTextAndOnSilence) {
  config_.header_timeout = milliseconds(40);
  RunningServer server(echo, config_);
  TestClient plain(server.port());
  plain.send(kGet);
  EXPECT_FALSE(plain.receive().complete);
  TestClient silent(server.port());
  EXPECT_TRUE(silent.at_end());
}

TEST_F(TlsServer, ClosesIdleConnectionsWhenItStops) {
  RunningServer server(echo, config_);
  TestClient client(server.port(), trust("one"));
  EXPECT_EQ(client.ask(kGet).status, 200);
  const auto began = std::chrono::steady_clock::now();
  server.stop();
  EXPECT_LT(std::chrono::steady_clock::now() - began, config_.shutdown_grace);
  EXPECT_FALSE(client.receive().complete);
}

TEST_F(TlsServer, StopsWithATlsRequestInFlight) {
  config_.shutdown_grace = milliseconds(30);
  RunningServer server(echo, config_);
  TestClient client(server.port(), trust("one"));
  client.send("PUT / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
  EXPECT_EQ(client.receive().status, 100);
  server.stop();
  EXPECT_FALSE(client.receive().complete);
}

TEST_F(TlsServer, ShowsAnEarlyRefusalToAClientThatStillSends) {
  config_.drain_bytes_max = 1'000;
  RunningServer server(
      [](Context& ctx, Request&, Response& response) { return response.send(ctx, "no"); }, config_);
  TestClient client(server.port(), trust("one"));
  client.send("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n");
  const auto response = client.receive();
  EXPECT_EQ(response.body, "no");
  EXPECT_EQ(response.header("Connection"), "close");
}

}  // namespace
}  // namespace tarn::http
