#include "versioning/refs/glob.h"

#include <string>

#include <gtest/gtest.h>

namespace tarn::versioning {
namespace {

TEST(Glob, Matches) {
  const std::pair<const char*, const char*> matching[] = {
      {"main", "main"},
      {"*", ""},
      {"*", "anything"},
      {"rel-*", "rel-1"},
      {"*-x", "a-x"},
      {"a*b*c", "aXbYbc"},
      {"**", "abc"},
      {"ma?n", "main"},
      {"[a-c]x", "bx"},
      {"[abc]x", "cx"},
      {"[!a-c]x", "dx"},
      {"{main,dev}", "dev"},
      {"{a,b*}-{1,2}", "bz-2"},
      {"{a{b,c},d}", "ac"},
      {"{,a}b", "b"},
      {"\\*", "*"},
      {"[\\]]", "]"},
      {"", ""},
      {"[a-]", "-"},
      {"a,b}", "a,b}"},
      {"{a*,b}c", "aXc"},
  };
  for (const auto& [pattern, text] : matching) {
    EXPECT_TRUE(glob_matches(pattern, text)) << pattern << " " << text;
  }
}

TEST(Glob, DoesNotMatch) {
  const std::pair<const char*, const char*> differing[] = {
      {"main", "main2"}, {"main", "mai"},      {"", "a"},   {"ma?n", "man"}, {"[a-c]x", "dx"},
      {"[!a]x", "ax"},   {"{main,dev}", "de"}, {"*a", "b"}, {"\\*", "a"},    {"a*b", "acbc"},
      {"?", ""},
  };
  for (const auto& [pattern, text] : differing) {
    EXPECT_FALSE(glob_matches(pattern, text)) << pattern << " " << text;
  }
}

TEST(Glob, MatchesNothingIfMalformed) {
  for (const char* pattern : {"[", "[]", "[a", "{a", "{a,", "\\", "a[!]"}) {
    EXPECT_FALSE(glob_matches(pattern, pattern)) << pattern;
    EXPECT_FALSE(glob_matches(pattern, "a")) << pattern;
  }
}

TEST(Glob, StaysFastOnHostilePatterns) {
  std::string stars;
  for (int i = 0; i < 200; ++i)
    stars += "*a";
  EXPECT_FALSE(glob_matches(stars, std::string(1'000, 'a') + "b"));
  std::string choices;
  for (int i = 0; i < 100; ++i)
    choices += "{a,aa,*}";
  EXPECT_FALSE(glob_matches(choices + "b", std::string(1'000, 'a')));
  EXPECT_FALSE(glob_matches(std::string(100'000, '{'), "a"));
}

}  // namespace
}  // namespace tarn::versioning
