#include "block/s3/place.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace tarn::block::s3 {
namespace {

std::string url_of(const Place& place) {
  return place.endpoint.origin() + place.path;
}

TEST(PlaceOf, IsAHostNameOfTheBucketsRegionOnAws) {
  EXPECT_EQ(url_of(place_of({}, "eu-west-1", "lake", "a/b c")),
            "https://lake.s3.eu-west-1.amazonaws.com/a/b%20c");
  EXPECT_EQ(url_of(place_of({}, "cn-north-1", "lake", "")),
            "https://lake.s3.cn-north-1.amazonaws.com.cn/");
}

TEST(PlaceOf, IsInThePathWhereAHostNameCannotBe) {
  EXPECT_EQ(url_of(place_of({}, "us-east-1", "with.dots", "k")),
            "https://s3.us-east-1.amazonaws.com/with.dots/k");
  EXPECT_EQ(url_of(place_of({.endpoint = "http://127.0.0.1:9000"}, "r", "lake", "k")),
            "http://127.0.0.1:9000/lake/k");
  EXPECT_EQ(url_of(place_of({.endpoint = "http://[::1]:9000/"}, "r", "lake", "")),
            "http://[::1]:9000/lake");
}

TEST(PlaceOf, FollowsTheConfiguredStyle) {
  const PlaceRules by_host{.endpoint = "https://minio.local"};
  const PlaceRules by_path{.endpoint = "https://minio.local/base/", .force_path_style = true};
  EXPECT_EQ(url_of(place_of(by_host, "r", "lake", "k")), "https://lake.minio.local/k");
  EXPECT_EQ(url_of(place_of(by_path, "r", "lake", "k")), "https://minio.local/base/lake/k");
}

TEST(PlaceOf, EncodesEveryByteThatIsNotPlain) {
  EXPECT_EQ(place_of({}, "r", "lake", "a?b=#%25+\xc3\xa9\n,").path,
            "/a%3Fb%3D%23%2525%2B%C3%A9%0A%2C");
}

TEST(PlaceOf, RefusesBucketsThatAreNone) {
  for (const char* bucket : {"", "ab", "a/b", "a b", "bucket:80", "bucket?x", "b\xc3\xa9t"}) {
    EXPECT_THROW(place_of({}, "r", bucket, "k"), Error) << bucket;
  }
  EXPECT_THROW(place_of({.endpoint = "minio"}, "r", "lake", "k"), Error);
}

}  // namespace
}  // namespace tarn::block::s3
