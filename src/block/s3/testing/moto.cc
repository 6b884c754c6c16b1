#include "block/s3/testing/moto.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "aws/credentials/credentials.h"
#include "block/s3/requester.h"
#include "http/client.h"
#include "testing/moto_server.h"

namespace tarn::block::testing {

namespace {

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

}  // namespace

std::optional<std::string> moto_endpoint() {
  if (const char* given = std::getenv("TARN_TEST_S3")) return given;
  return tarn::testing::moto_url();
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
