#include "aws/signing_key.h"

#include <thread>

#include <gtest/gtest.h>

namespace tarn::aws {
namespace {

constexpr std::string_view kScope = "20260115/us-east-1/s3/aws4_request";

std::shared_ptr<const SigningKey> make_key(std::string_view secret) {
  return std::make_shared<const SigningKey>(secret, kScope);
}

TEST(SigningKeyCache, FindsWhatItKeptUnderTheSameSecretOnly) {
  SigningKeyCache cache;
  EXPECT_EQ(cache.find("a", "secret"), nullptr);
  cache.keep("a", make_key("secret"));
  EXPECT_NE(cache.find("a", "secret"), nullptr);
  EXPECT_EQ(cache.find("a", "rotated"), nullptr);
  cache.keep("a", make_key("rotated"));
  EXPECT_NE(cache.find("a", "rotated"), nullptr);
  EXPECT_EQ(cache.size(), 1U);
}

TEST(SigningKeyCache, DropsTheLeastRecentlyUsed) {
  SigningKeyCache cache(2);
  cache.keep("a", make_key("s"));
  cache.keep("b", make_key("s"));
  EXPECT_NE(cache.find("a", "s"), nullptr);
  cache.keep("c", make_key("s"));
  EXPECT_NE(cache.find("a", "s"), nullptr);
  EXPECT_EQ(cache.find("b", "s"), nullptr);
  EXPECT_NE(cache.find("c", "s"), nullptr);
  EXPECT_EQ(cache.size(), 2U);
}

TEST(SigningKey, SignsFromSeveralThreadsAtOnce) {
  const auto key = make_key("secret");
  const std::string expected = key->sign("message");
  std::vector<std::thread> threads;
  std::atomic<int> wrong = 0;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 500; ++i) {
        if (key->sign("message") != expected) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads)
    thread.join();
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace tarn::aws
