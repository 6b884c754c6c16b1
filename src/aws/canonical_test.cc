#include "aws/canonical.h"

#include <gtest/gtest.h>

namespace tarn::aws {
namespace {

std::string canonical_value(std::string_view value) {
  std::string out;
  append_canonical_value(out, value);
  return out;
}

TEST(CanonicalUri, EncodesOnceAndNormalisesNothingElse) {
  EXPECT_EQ(canonical_uri(""), "/");
  EXPECT_EQ(canonical_uri("/a//b/../c/./"), "/a//b/../c/./");
  EXPECT_EQ(canonical_uri("/a=b@c:d,e"), "/a%3Db%40c%3Ad%2Ce");
  EXPECT_EQ(canonical_uri("/%7e%41%2F"), "/~A/");
  EXPECT_EQ(canonical_uri("/a+b"), "/a%2Bb");
  EXPECT_EQ(canonical_uri("/%2541"), "/%2541");
}

TEST(CanonicalUri, WorksOnBytesAndLeavesBrokenEscapesAsText) {
  EXPECT_EQ(canonical_uri("/%ff%fe"), "/%FF%FE");
  EXPECT_EQ(canonical_uri("/\xc3\xbc"), "/%C3%BC");
  EXPECT_EQ(canonical_uri("/%"), "/%25");
  EXPECT_EQ(canonical_uri("/%4"), "/%254");
  EXPECT_EQ(canonical_uri("/%zz"), "/%25zz");
}

TEST(CanonicalQuery, SortsPairsNotStrings) {
  EXPECT_EQ(canonical_query("a=2&a=1&A=0&a-b=1"), "A=0&a=1&a=2&a-b=1");
  EXPECT_EQ(canonical_query("list-type=2&prefix=main%2Fa%20b%2B%2F&delimiter=%2F"
                            "&encoding-type=url&continuation-token="),
            "continuation-token=&delimiter=%2F&encoding-type=url&list-type=2"
            "&prefix=main%2Fa%20b%2B%2F");
}

TEST(CanonicalQuery, HandlesBareNamesEmptyItemsAndPlus) {
  EXPECT_EQ(canonical_query("uploads"), "uploads=");
  EXPECT_EQ(canonical_query("&&a&&b=c=d&"), "a=&b=c%3Dd");
  EXPECT_EQ(canonical_query("a=b;c=d"), "a=b%3Bc%3Dd");
  EXPECT_EQ(canonical_query("a=b+c"), "a=b%2Bc");
  EXPECT_EQ(canonical_query("a=b+c%2B", QueryPlus::space), "a=b%20c%2B");
  EXPECT_EQ(canonical_query("b=1&X-Amz-Signature=2&a=3", QueryPlus::literal, "X-Amz-Signature"),
            "a=3&b=1");
}

TEST(CanonicalValue, TrimsAndCollapsesSpacesAndTabsAlsoInQuotes) {
  EXPECT_EQ(canonical_value("  two   words  "), "two words");
  EXPECT_EQ(canonical_value("\t\"a \t b\"\t"), "\"a b\"");
  EXPECT_EQ(canonical_value("   "), "");
}

TEST(CanonicalRequest, JoinsRepeatedFieldsInArrivalOrder) {
  const SignedRequest request{.method = "GET",
                              .raw_path = "/",
                              .raw_query = "",
                              .headers = {{"X-A", " b "}, {"Host", "h"}, {"x-a", "a"}}};
  EXPECT_EQ(canonical_request(request, {.signed_headers = "host;x-a;x-b", .payload_hash = "H"}),
            "GET\n/\n\nhost:h\nx-a:b,a\nx-b:\n\nhost;x-a;x-b\nH");
}

}  // namespace
}  // namespace tarn::aws
