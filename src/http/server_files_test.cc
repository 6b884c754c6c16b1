// Answers whose bytes the kernel moves from a file to the socket.
#include <cerrno>
#include <csignal>
#include <fstream>
#include <future>
#include <mutex>
#include <string>
#include <thread>

#include <fcntl.h>
#include <unistd.h>

#include <gtest/gtest.h>
#include <sys/sendfile.h>

#include "base/error.h"
#include "http/server.h"
#include "http/test_client.h"
#include "io/blocking_pool.h"
#include "io/byte_source.h"
#include "testing/temp_dir.h"

namespace tarn::http {
namespace {

using io::Sent;
using std::chrono::milliseconds;
using testing::RunningServer;
using testing::TestClient;

constexpr std::uint64_t kLarge = 12 << 20;  // more than the buffers of both sockets

std::string request(std::string_view method, std::string_view path = "/") {
  return std::string(method) + " " + std::string(path) + " HTTP/1.1\r\nHost: h\r\n\r\n";
}

const std::string& large_text() {
  static const std::string made = [] {
    std::string text;
    for (std::uint64_t i = 0; text.size() < kLarge; ++i)
      text += std::to_string(i * 7'919) + ",";
    text.resize(kLarge);
    return text;
  }();
  return made;
}

/// A range of a file, as a store would make it; counts how it is read.
class FileSource final : public io::ByteSource {
 public:
  struct Counts {
    std::atomic<int> read = 0, sent = 0;
  };

  FileSource(io::BlockingPool& pool, const std::string& path, std::uint64_t at, std::uint64_t count,
             Counts& counts, bool supported = true)
      : pool_(pool),
        counts_(counts),
        fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)),
        at_(at),
        left_(count),
        size_(count),
        supported_(supported) {}

  ~FileSource() override { ::close(fd_); }

  Task<std::string_view> read(Context& /*ctx*/) override {
    ++counts_.read;
    buffer_.resize(std::min<std::uint64_t>(left_, 65'536));
    const auto got = ::pread(fd_, buffer_.data(), buffer_.size(), static_cast<off_t>(at_));
    if (got < 0) throw Error(ErrorCode::internal, "read");
    take(static_cast<std::uint64_t>(got));
    co_return std::string_view(buffer_).substr(0, static_cast<std::size_t>(got));
  }

  bool can_send() const override { return true; }

  Task<Sent> send_some(Context& ctx, int socket) override {
    ++counts_.sent;
    if (!supported_) co_return Sent{.stop = Sent::Stop::unsupported};
    const std::uint64_t count = std::min<std::uint64_t>(left_, 1 << 20);
    const Sent sent = co_await pool_.run(ctx, [fd = fd_, socket, at = at_, count] {
      auto from = static_cast<off_t>(at);
      const auto bytes = ::sendfile(socket, fd, &from, count);
      if (bytes == 0) throw Error(ErrorCode::corrupt, "shorter");
      if (bytes < 0) {
        return Sent{.stop = errno == EAGAIN ? Sent::Stop::full : Sent::Stop::peer_gone};
      }
      const auto done = static_cast<std::uint64_t>(bytes);
      return Sent{.bytes = done, .stop = done < count ? Sent::Stop::full : Sent::Stop::turn_over};
    });
    take(sent.bytes);
    co_return sent;
  }

  std::optional<std::uint64_t> size() const override { return size_; }

 private:
  void take(std::uint64_t bytes) {
    at_ += bytes;
    left_ -= bytes;
  }

  io::BlockingPool& pool_;
  Counts& counts_;
  int fd_;
  std::uint64_t at_, left_, size_;
  bool supported_;
  std::string buffer_;
};

class FileAnswer : public ::testing::Test {
 protected:
  FileAnswer() {
    std::signal(SIGPIPE, SIG_IGN);  // as the server's process does
    std::ofstream(path_) << text_;
  }

  Task<> answer(Context& ctx, Request& asked, Response& response) {
    const bool part = asked.raw_path() == "/part";
    FileSource source(pool_, path_, part ? 1'000'000 : 0, part ? 3'000'000 : size_, counts_,
                      asked.raw_path() != "/copied");
    ErrorCode ended = ErrorCode::internal;
    try {
      if (asked.raw_path() == "/brief") {
        Context brief = ctx.within(milliseconds(30));
        co_await response.send_stream(brief, source);
      } else {
        co_await response.send_stream(ctx, source);
      }
      co_return;
    } catch (const Error& error) {
      ended = error.code();
    }
    ended_.set_value(ended);
    throw Error(ended, "as it was");
  }

  testing::FunctionHandler::Function handler() {
    return [this](Context& ctx, Request& asked, Response& response) {
      return answer(ctx, asked, response);
    };
  }

  ErrorCode ended() { return ended_.get_future().get(); }

  const tarn::testing::TempDir dir_;
  const std::string path_ = dir_.file("object");
  const std::string& text_ = large_text();
  std::uint64_t size_ = kLarge;  // promised
  FileSource::Counts counts_;
  std::promise<ErrorCode> ended_;
  io::BlockingPool pool_{{.name = "files", .threads = 1}};
};

TEST_F(FileAnswer, ComesWholeWithoutPassingThroughTheProcess) {
  RunningServer server(handler());
  TestClient client(server.port());
  client.send(request("GET") + request("GET", "/part") + request("HEAD"));  // all at once
  const auto whole = client.receive();
  EXPECT_EQ(whole.status, 200);
  EXPECT_EQ(whole.header("Content-Length"), std::to_string(kLarge));
  EXPECT_TRUE(whole.body == text_);
  EXPECT_TRUE(client.receive().body == text_.substr(1'000'000, 3'000'000));
  const auto head = client.receive(true);
  EXPECT_EQ(head.header("Content-Length"), std::to_string(kLarge));
  EXPECT_TRUE(client.silent_for(milliseconds(20)));
  EXPECT_GT(counts_.sent, 0);
  EXPECT_EQ(counts_.read, 0);
}

TEST_F(FileAnswer, IsCopiedWhereTheKernelCannotSendIt) {
  RunningServer server(handler());
  TestClient client(server.port());
  for (int i = 0; i < 2; ++i)
    EXPECT_TRUE(client.ask(request("GET", "/copied")).body == text_);
  EXPECT_EQ(counts_.sent, 2);
  EXPECT_GT(counts_.read, 2);
}

TEST_F(FileAnswer, OfATruncatedFileIsCutOffAndNotPadded) {
  size_ = kLarge + 1;
  RunningServer server(handler());
  TestClient client(server.port());
  const auto response = client.ask(request("GET"));
  EXPECT_FALSE(response.complete);
  EXPECT_LE(response.body.size(), text_.size());
  EXPECT_TRUE(text_.starts_with(response.body));
  EXPECT_EQ(ended(), ErrorCode::corrupt);
}

TEST_F(FileAnswer, ToASlowReaderHoldsNoThread) {
  RunningServer server(handler());
  TestClient slow(server.port());
  slow.send(request("GET"));
  while (counts_.sent == 0)
    std::this_thread::yield();
  // The pool has one thread, and others are served.
  for (int i = 0; i < 3; ++i) {
    TestClient quick(server.port());
    EXPECT_TRUE(quick.ask(request("GET")).body == text_);
  }
  EXPECT_TRUE(slow.receive().body == text_);
}

TEST_F(FileAnswer, ToAReaderThatVanishesIsCancelled) {
  RunningServer server(handler());
  {
    TestClient client(server.port());
    client.send(request("GET"));
    client.receive_bytes(1'000);
  }
  EXPECT_EQ(ended(), ErrorCode::cancelled);
}

TEST_F(FileAnswer, ToAReaderThatStallsIsCancelled) {
  ServerConfig config = testing::quick_config();
  config.stall_timeout = milliseconds(40);
  RunningServer server(handler(), config);
  TestClient client(server.port());
  client.send(request("GET"));
  EXPECT_EQ(ended(), ErrorCode::cancelled);
  EXPECT_FALSE(client.receive().complete);
}

TEST_F(FileAnswer, EndsAtTheDeadline) {
  ServerConfig config = testing::quick_config();
  config.idle_timeout = milliseconds(200);  // makes ticks short
  RunningServer server(handler(), config);
  TestClient client(server.port());
  client.send(request("GET", "/brief"));
  EXPECT_EQ(ended(), ErrorCode::deadline_exceeded);
  EXPECT_FALSE(client.receive().complete);
}

TEST_F(FileAnswer, IsCutWhenTheServerStopsWaitingForItsReader) {
  ServerConfig config = testing::quick_config();
  config.shutdown_grace = milliseconds(50);
  RunningServer server(handler(), config);
  TestClient client(server.port());
  client.send(request("GET"));
  ASSERT_EQ(client.receive_bytes(1'000).size(), 1'000u);
  server.stop();
  EXPECT_LT(client.receive_bytes(kLarge).size(), kLarge - 1'000);
}

}  // namespace
}  // namespace tarn::http
