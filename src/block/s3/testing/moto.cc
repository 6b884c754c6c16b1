#include "block/s3/testing/moto.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string>

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "aws/credentials/credentials.h"
#include "base/error.h"
#include "block/s3/requester.h"
#include "http/client.h"
#include "io/sync.h"
#include "testing/co_test.h"

namespace tarn::block::testing {

namespace {

constexpr const char* kProgram = "build/venv/bin/moto_server";

const SystemClock& the_clock() {
  static const SystemClock clock;
  return clock;
}

aws::Credentials any_keys() {
  if (const char* given = std::getenv("TARN_TEST_S3_KEYS")) {
    const std::string_view keys = given;
    const auto colon = std::min(keys.find(':'), keys.size() - 1);
    return {.access_key = std::string(keys.substr(0, colon)),
            .secret_key = std::string(keys.substr(colon + 1))};
  }
  return {.access_key = "AKIATEST", .secret_key = "secret"};
}

std::uint16_t free_port() {
  const int handle = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ::bind(handle, reinterpret_cast<sockaddr*>(&address), size);
  ::getsockname(handle, reinterpret_cast<sockaddr*>(&address), &size);
  ::close(handle);
  return ntohs(address.sin_port);
}

Task<bool> answers(Context& ctx, std::string endpoint) {
  http::Client client;
  const auto url = http::parse_url(endpoint);
  for (;;) {
    bool refused = false;
    try {
      co_await client.send(ctx, {.endpoint = url->endpoint});
    } catch (const Error& error) {
      if (error.code() != ErrorCode::unavailable) throw;
      refused = true;
    }
    if (!refused) co_return true;
    co_await io::sleep(std::chrono::milliseconds(50));
  }
}

std::optional<std::string> start() {
  if (!std::filesystem::exists(kProgram)) return std::nullopt;
  const std::string port = std::to_string(free_port());
  const pid_t child = ::fork();
  if (child == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    const int nowhere = ::open("/dev/null", O_WRONLY);
    ::dup2(nowhere, STDOUT_FILENO);
    ::dup2(nowhere, STDERR_FILENO);
    ::setenv("S3_UPLOAD_PART_MIN_SIZE", "1", 1);
    ::execl(kProgram, kProgram, "-H", "127.0.0.1", "-p", port.c_str(), nullptr);
    ::_exit(127);
  }
  const std::string endpoint = "http://127.0.0.1:" + port;
  const bool serves = tarn::testing::run_co([&](Context& ctx) { return answers(ctx, endpoint); });
  return serves ? std::optional(endpoint) : std::nullopt;
}

}  // namespace

std::optional<std::string> moto_endpoint() {
  static const std::optional<std::string> endpoint = []() -> std::optional<std::string> {
    if (const char* given = std::getenv("TARN_TEST_S3")) return std::string(given);
    return start();
  }();
  return endpoint;
}

std::optional<std::string> given_space() {
  const char* const given = std::getenv("TARN_TEST_S3_SPACE");
  return given != nullptr ? std::optional<std::string>(given) : std::nullopt;
}

S3Config s3_test_config(std::string endpoint) {
  return {.endpoint = std::move(endpoint),
          .force_path_style = true,
          .backoff_first = std::chrono::milliseconds(1),
          .backoff_max = std::chrono::milliseconds(5)};
}

std::unique_ptr<S3ObjectStore> make_s3_store(S3Config config, io::BlockingPool& pool) {
  return std::make_unique<S3ObjectStore>(std::move(config), std::make_unique<http::Client>(),
                                         std::make_unique<aws::FixedCredentials>(any_keys()), pool,
                                         the_clock());
}

Task<> make_bucket(Context& ctx, std::string endpoint, std::string bucket) {
  const S3Config config = s3_test_config(std::move(endpoint));
  http::Client client;
  aws::FixedCredentials keys(any_keys());
  io::BlockingPool pool({.name = "bucket", .threads = 1});
  s3::Requester requester(
      config, {.client = client, .credentials = keys, .pool = pool, .clock = the_clock()});
  const auto reply = co_await requester.send(
      ctx, {.what = "make bucket", .method = "PUT", .bucket = std::move(bucket)});
  EXPECT_TRUE(reply.ok() || reply.status() == 409) << reply.status() << reply.text;
}

}  // namespace tarn::block::testing
