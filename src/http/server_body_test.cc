#include <fstream>
#include <future>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "base/error.h"
#include "http/server.h"
#include "http/test_client.h"
#include "io/byte_source.h"
#include "testing/co_test.h"

namespace tarn::http {
namespace {

using std::chrono::milliseconds;
using testing::RunningServer;
using testing::TestClient;

constexpr std::string_view kPut = "PUT / HTTP/1.1\r\nHost: h\r\n";

std::string put(std::string_view fields, std::string_view body = {}) {
  return std::string(kPut) + std::string(fields) + "\r\n" + std::string(body);
}

std::string sized(std::string_view body) {
  return put("Content-Length: " + std::to_string(body.size()) + "\r\n", body);
}

Task<> echo(Context& ctx, Request& request, Response& response) {
  co_await response.send_stream(ctx, request.body());
}

Task<> refuse_unread(Context& ctx, Request&, Response& response) {
  response.set_status(403);
  co_await response.send(ctx, "no");
}

/// Answers with how reading the body ended.
Task<> report(Context& ctx, Request& request, Response& response) {
  std::string outcome;
  try {
    outcome = std::to_string((co_await io::read_all(ctx, request.body(), 1 << 30)).size());
  } catch (const Error& error) {
    outcome = std::string(to_string(error.code())) + ": " + error.message();
  }
  co_await response.send(ctx, outcome);
}

TEST(RequestBody, IsEchoedWithEitherFraming) {
  RunningServer server(echo);
  TestClient client(server.port());
  for (int i = 0; i < 3; ++i) {
    const auto whole = client.ask(sized("hello"));
    EXPECT_EQ(whole.body, "hello");
    EXPECT_EQ(whole.header("Content-Length"), "5");
    const auto chunked = client.ask(put("Transfer-Encoding: chunked\r\n",
                                        "3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nTrailer: t\r\n\r\n"));
    EXPECT_EQ(chunked.header("Transfer-Encoding"), "chunked");
    EXPECT_EQ(chunked.body, "abcde");
    EXPECT_EQ(client.ask(put("")).body, "");
  }
}

TEST(RequestBody, IsAskedForWhenFirstRead) {
  RunningServer server(echo);
  TestClient client(server.port());
  for (int i = 0; i < 2; ++i) {
    const auto interim = client.ask(put("Expect: 100-Continue\r\nContent-Length: 5\r\n"));
    EXPECT_EQ(interim.status, 100);
    const auto response = client.ask("hello");
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.body, "hello");
    EXPECT_EQ(response.header("Connection"), std::nullopt);
  }
  EXPECT_EQ(client.ask(put("Expect: something\r\nContent-Length: 2\r\n", "hi")).status, 200);
  EXPECT_EQ(client.ask(put("Expect: 100-continue\r\nContent-Length: 2\r\n", "hi")).status, 200);
}

TEST(RequestBody, IsNotAskedForByARefusal) {
  RunningServer server(refuse_unread);
  TestClient client(server.port());
  const auto response = client.ask(put("Expect: 100-continue\r\nContent-Length: 5\r\n"));
  EXPECT_EQ(response.status, 403);
  EXPECT_EQ(response.header("Connection"), "close");
  EXPECT_TRUE(client.at_end());
}

TEST(RequestBody, IsDrainedWhenSmallAndUnread) {
  RunningServer server(refuse_unread);
  TestClient client(server.port());
  for (int i = 0; i < 3; ++i) {
    const auto response = client.ask(sized(std::string(200'000, 'x')));
    EXPECT_EQ(response.status, 403);
    EXPECT_EQ(response.header("Connection"), std::nullopt);
  }
}

// The client sends everything before it reads: without a lingering close it would lose the answer.
TEST(RequestBody, DoesNotHideAnEarlyRefusal) {
  RunningServer server(refuse_unread);
  TestClient client(server.port());
  const auto response = client.ask(sized(std::string(20 << 20, 'x')));
  EXPECT_EQ(response.status, 403);
  EXPECT_EQ(response.body, "no");
  EXPECT_EQ(response.header("Connection"), "close");
  EXPECT_TRUE(client.at_end());
}

TEST(RequestBody, IsNotDrainedForeverWhenChunked) {
  ServerConfig config = testing::quick_config();
  config.drain_bytes_max = 1'000;
  RunningServer server(refuse_unread, config);
  TestClient client(server.port());
  client.send(put("Transfer-Encoding: chunked\r\n"));
  EXPECT_EQ(client.receive().status, 403);
  client.send("2000\r\n" + std::string(8'192, 'x') + "\r\n");
  EXPECT_TRUE(client.at_end());
}

TEST(RequestBody, TellsTheHandlerAboutBrokenChunks) {
  RunningServer server(report);
  TestClient client(server.port());
  const auto response = client.ask(put("Transfer-Encoding: chunked\r\n", "5\r\nhello\n"));
  EXPECT_EQ(response.body, "invalid_argument: malformed request body");
  EXPECT_EQ(response.header("Connection"), "close");
  TestClient other(server.port());
  EXPECT_EQ(other.ask(sized("12345678")).body, "8");
}

TEST(RequestBody, TellsTheHandlerAboutAnEarlyEnd) {
  RunningServer server(report);
  TestClient client(server.port());
  client.send(put("Content-Length: 10\r\n", "half"));
  client.finish_sending();
  EXPECT_EQ(client.receive().body, "cancelled: the client went away");
}

TEST(RequestBody, TellsTheHandlerAboutAStall) {
  ServerConfig config = testing::quick_config();
  config.stall_timeout = milliseconds(40);
  RunningServer server(report, config);
  TestClient client(server.port());
  const auto response = client.ask(put("Content-Length: 10\r\n", "half"));
  EXPECT_EQ(response.body, "cancelled: the client stalled");
  EXPECT_EQ(response.header("Connection"), "close");
}

TEST(RequestBody, AnswersForAHandlerThatLetsBodyErrorsPass) {
  ServerConfig config = testing::quick_config();
  config.stall_timeout = milliseconds(40);
  RunningServer server(echo, config);
  TestClient stalled(server.port());
  EXPECT_EQ(stalled.ask(put("Content-Length: 10\r\n")).status, 408);
  TestClient broken(server.port());
  EXPECT_EQ(broken.ask(put("Transfer-Encoding: chunked\r\n", "x\r\n")).status, 400);
}

TEST(RequestBody, MayArriveSlowlyWithoutBeingAStall) {
  ServerConfig config = testing::quick_config();
  config.stall_timeout = milliseconds(400);
  RunningServer server(report, config);
  TestClient client(server.port());
  client.send(put("Content-Length: 10\r\n"));
  const auto began = std::chrono::steady_clock::now();
  while (std::chrono::steady_clock::now() - began < milliseconds(900)) {
    EXPECT_TRUE(client.silent_for(milliseconds(100)));
    client.send("x");
  }
  client.send(std::string(10, 'x'));
  EXPECT_EQ(client.receive().body, "10");
}

constexpr std::uint64_t kLarge = 64ULL << 20;

/// Bytes of an endless pattern from an offset on, at most kPatternViewMax of them.
constexpr std::size_t kPatternViewMax = 1 << 20;

std::string_view pattern(std::uint64_t offset, std::size_t count) {
  constexpr std::size_t kPeriod = 999'983;
  static const std::string kBytes = [] {
    std::string bytes(kPeriod + kPatternViewMax, '\0');
    for (std::size_t i = 0; i < bytes.size(); ++i)
      bytes[i] = static_cast<char>((i % kPeriod * 2'654'435'761U) >> 13);
    return bytes;
  }();
  return std::string_view(kBytes).substr(offset % kPeriod, std::min(count, kPatternViewMax));
}

bool is_pattern(std::string_view bytes) {
  for (std::uint64_t at = 0; at < bytes.size(); at += kPatternViewMax) {
    if (bytes.substr(at, kPatternViewMax) != pattern(at, bytes.size() - at)) return false;
  }
  return true;
}

/// Yields `size` bytes of the pattern.
class PatternSource final : public io::ByteSource {
 public:
  PatternSource(std::uint64_t size, bool announce)
      : left_(size), size_(size), announce_(announce) {}

  Task<std::string_view> read(Context&) override {
    const std::string_view piece = pattern(size_ - left_, std::min<std::uint64_t>(left_, 100'000));
    left_ -= piece.size();
    co_return piece;
  }

  std::optional<std::uint64_t> size() const override {
    return announce_ ? std::optional(size_) : std::nullopt;
  }

 private:
  std::uint64_t left_;
  std::uint64_t size_;
  bool announce_;
};

Task<> check_pattern(Context& ctx, Request& request, Response& response) {
  std::uint64_t at = 0;
  bool equal = true;
  std::size_t largest = 0;
  for (;;) {
    const std::string_view piece = co_await request.body().read(ctx);
    if (piece.empty()) break;
    largest = std::max(largest, piece.size());
    equal &= piece == pattern(at, piece.size());
    at += piece.size();
  }
  const bool bounded = largest <= ServerConfig{}.body_buffer_bytes;
  co_await response.send(ctx, std::to_string(at) + (equal && bounded ? " good" : " bad"));
}

Task<> send_pattern(Context& ctx, Request& request, Response& response) {
  PatternSource source(kLarge, request.raw_path() == "/sized");
  co_await response.send_stream(ctx, source);
}

/// Peak and current resident bytes of this process; peak counts from the call of reset_peak().
struct Resident {
  std::int64_t peak = 0;
  std::int64_t now = 0;
};

bool reset_peak() {
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
  return false;  // their own memory would drown ours
#else
  std::ofstream file("/proc/self/clear_refs");
  return static_cast<bool>(file << "5" << std::flush);
#endif
}

Resident resident() {
  Resident out;
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("VmHWM:")) out.peak = std::stoll(line.substr(6)) * 1'024;
    if (line.starts_with("VmRSS:")) out.now = std::stoll(line.substr(6)) * 1'024;
  }
  return out;
}

TEST(LargeBody, IsReceivedWholeInBoundedMemory) {
  RunningServer server(check_pattern);
  const bool measured = reset_peak();
  const Resident before = resident();
  TestClient client(server.port());
  client.send(put("Content-Length: " + std::to_string(kLarge) + "\r\n"));
  for (std::uint64_t at = 0; at < kLarge; at += kPatternViewMax)
    ASSERT_TRUE(client.send(pattern(at, kPatternViewMax)));
  EXPECT_EQ(client.receive().body, std::to_string(kLarge) + " good");

  client.send(put("Transfer-Encoding: chunked\r\n"));
  for (std::uint64_t at = 0; at < kLarge; at += kPatternViewMax)
    ASSERT_TRUE(client.send("100000\r\n" + std::string(pattern(at, kPatternViewMax)) + "\r\n"));
  // The next request rides along with the end of this one.
  client.send("0\r\n\r\n" + sized(pattern(0, 3)));
  EXPECT_EQ(client.receive().body, std::to_string(kLarge) + " good");
  EXPECT_EQ(client.receive().body, "3 good");
  if (measured) EXPECT_LT(resident().peak - before.now, 16 << 20);
}

TEST(LargeBody, IsSentWhole) {
  RunningServer server(send_pattern);
  TestClient client(server.port());
  for (const std::string_view path : {"/sized", "/chunked"}) {
    const auto response = client.ask("GET " + std::string(path) + " HTTP/1.1\r\nHost: h\r\n\r\n");
    ASSERT_EQ(response.body.size(), kLarge);
    EXPECT_TRUE(is_pattern(response.body)) << path;
  }
}

TEST(LargeBody, FlowsBothWaysAtOnce) {
  RunningServer server(echo);
  TestClient client(server.port());
  client.send(put("Content-Length: " + std::to_string(kLarge) + "\r\n"));
  std::thread sender([&] {
    for (std::uint64_t at = 0; at < kLarge; at += kPatternViewMax) {
      if (!client.send(pattern(at, kPatternViewMax))) return;
    }
  });
  const auto response = client.receive();
  sender.join();
  EXPECT_EQ(response.body.size(), kLarge);
  EXPECT_TRUE(is_pattern(response.body));
}

struct Ending {
  std::promise<ErrorCode> seen;
};

Task<> note_ending(Ending& ending, Context& ctx, Request& request, Response& response) {
  try {
    if (request.method() == "GET") {
      co_await send_pattern(ctx, request, response);
    } else {
      co_await io::read_all(ctx, request.body(), 1 << 30);
    }
  } catch (const Error& error) {
    ending.seen.set_value(error.code());
    throw;
  }
  ending.seen.set_value(ErrorCode::internal);  // nothing was thrown
}

TEST(Peer, LeavingDuringAnUploadCancelsTheHandler) {
  Ending ending;
  RunningServer server([&](Context& ctx, Request& request, Response& response) {
    return note_ending(ending, ctx, request, response);
  });
  {
    TestClient client(server.port());
    client.send(put("Content-Length: 10\r\n", "half"));
  }
  EXPECT_EQ(ending.seen.get_future().get(), ErrorCode::cancelled);
}

TEST(Peer, NotReadingItsResponseCancelsTheHandler) {
  Ending ending;
  ServerConfig config = testing::quick_config();
  config.stall_timeout = milliseconds(40);
  RunningServer server(
      [&](Context& ctx, Request& request, Response& response) {
        return note_ending(ending, ctx, request, response);
      },
      config);
  TestClient client(server.port());
  client.send("GET /sized HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(ending.seen.get_future().get(), ErrorCode::cancelled);
  EXPECT_FALSE(client.receive().complete);
}

Task<> read_within(Context&, Request& request, Response& response) {
  Context brief = Context().within(milliseconds(30));
  Context later;
  std::string outcome = "read";
  try {
    co_await io::read_all(brief, request.body(), 1'000);
  } catch (const Error& error) {
    outcome = to_string(error.code());
  }
  co_await response.send(later, outcome);
}

TEST(RequestBody, IsReadNoLongerThanTheContextAllows) {
  ServerConfig config = testing::quick_config();
  config.idle_timeout = milliseconds(200);  // makes ticks short
  RunningServer server(read_within, config);
  TestClient client(server.port());
  EXPECT_EQ(client.ask(put("Content-Length: 10\r\n", "half")).body, "deadline_exceeded");
}

}  // namespace
}  // namespace tarn::http
