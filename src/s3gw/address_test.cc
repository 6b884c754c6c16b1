#include "s3gw/address.h"

#include <gtest/gtest.h>

namespace tarn::s3gw {

namespace {

const std::vector<std::string> kDomains = {"s3.example.com", "other.org"};

struct Row {
  std::string host, path;
  Target target;
};

TEST(Address, ReadsBucketAndKeyFromHostOrPath) {
  const std::vector<Row> rows = {
      {"localhost:80", "/", {.level = Level::service}},
      {"localhost", "", {.level = Level::service}},
      {"localhost", "/repo", {.level = Level::bucket, .bucket = "repo"}},
      {"localhost", "/repo/", {.level = Level::bucket, .bucket = "repo"}},
      {"S3.example.com.:80",
       "/repo/main/a",
       {.level = Level::key, .bucket = "repo", .key = "main/a"}},
      {"repo.s3.example.com",
       "/main/a",
       {.level = Level::key, .virtual_host = true, .bucket = "repo", .key = "main/a"}},
      {"repo.s3.example.com",
       "/",
       {.level = Level::bucket, .virtual_host = true, .bucket = "repo"}},
      // The dot belongs to the match.
      {"evils3.example.com", "/repo", {.level = Level::bucket, .bucket = "repo"}},
      {"[::1]:80", "/repo/k", {.level = Level::key, .bucket = "repo", .key = "k"}},
      {"h", "/repo//x", {.level = Level::key, .bucket = "repo", .key = "/x"}},
      {"h",
       "/repo/main//a/../b/./%2F%20%2B+",
       {.level = Level::key, .bucket = "repo", .key = "main//a/../b/.// ++"}},
      {"h", "/repo%2Fmain", {.level = Level::key, .bucket = "repo", .key = "main"}},
  };
  for (const Row& row : rows) {
    const auto target = parse_target(row.host, row.path, kDomains);
    ASSERT_TRUE(target) << row.host << row.path;
    EXPECT_EQ(*target, row.target) << row.host << row.path;
  }
}

TEST(Address, RefusesBrokenEscapesAndHostsOfTwoLabels) {
  EXPECT_EQ(parse_target("h", "/repo/%zz", kDomains).error().code, aws::S3ErrorCode::invalid_uri);
  EXPECT_EQ(parse_target("a.b.s3.example.com", "/", kDomains).error().code,
            aws::S3ErrorCode::invalid_bucket_name);
}

TEST(Address, CutsKeysAtTheFirstSlash) {
  EXPECT_EQ(split_key("main/a/b"), (ObjectKey{"main", true, "a/b"}));
  EXPECT_EQ(split_key("main"), (ObjectKey{"main", false, ""}));
  EXPECT_EQ(split_key("main/"), (ObjectKey{"main", true, ""}));
  EXPECT_EQ(split_key("/x"), (ObjectKey{"", true, "x"}));
  EXPECT_EQ(split_key("main//x"), (ObjectKey{"main", true, "/x"}));
  EXPECT_EQ(split_key("main/a\nb"), (ObjectKey{"main", true, "a\nb"}));
}

TEST(Address, ChecksPaths) {
  EXPECT_TRUE(check_path(std::string(1'024, 'a')));
  EXPECT_EQ(check_path(std::string(1'025, 'a')).error().code, aws::S3ErrorCode::key_too_long);
  EXPECT_EQ(check_path("a\xff").error().code, aws::S3ErrorCode::invalid_uri);
  EXPECT_EQ(check_path(std::string_view("a\0b", 3)).error().code,
            aws::S3ErrorCode::invalid_argument);
}

}  // namespace

}  // namespace tarn::s3gw
