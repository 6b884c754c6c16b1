#include "http/message.h"

#include <gtest/gtest.h>

namespace tarn::http {
namespace {

TEST(QueryText, KeepsOrderAndTellsBareFromEmpty) {
  const auto params = parse_query("acl&b=&c=1&c=2");
  ASSERT_EQ(params.size(), 4U);
  EXPECT_EQ(params[0].name, "acl");
  EXPECT_FALSE(params[0].has_value);
  EXPECT_EQ(params[1].name, "b");
  EXPECT_TRUE(params[1].has_value);
  EXPECT_EQ(params[1].value, "");
  EXPECT_EQ(params[2].value, "1");
  EXPECT_EQ(params[3].value, "2");
}

TEST(QueryText, DecodesOnceAndReadsPlusAsSpace) {
  const auto params = parse_query("a%2Bb=c+d%20e&f=%2541&g==h=i");
  ASSERT_EQ(params.size(), 3U);
  EXPECT_EQ(params[0].name, "a+b");
  EXPECT_EQ(params[0].value, "c d e");
  EXPECT_EQ(params[1].value, "%41");
  EXPECT_EQ(params[2].value, "=h=i");
}

TEST(QueryText, LeavesBrokenEscapesAlone) {
  const auto params = parse_query("a=%&b=%4&c=%zz&d=100%");
  ASSERT_EQ(params.size(), 4U);
  EXPECT_EQ(params[0].value, "%");
  EXPECT_EQ(params[1].value, "%4");
  EXPECT_EQ(params[2].value, "%zz");
  EXPECT_EQ(params[3].value, "100%");
}

TEST(QueryText, SkipsEmptyParts) {
  EXPECT_TRUE(parse_query("").empty());
  EXPECT_TRUE(parse_query("&&").empty());
  EXPECT_EQ(parse_query("&a=1&").size(), 1U);
}

TEST(ReasonPhrase, FallsBackForUnassignedCodes) {
  EXPECT_EQ(reason_phrase(404), "Not Found");
  EXPECT_EQ(reason_phrase(299), "Unknown");
}

}  // namespace
}  // namespace tarn::http
