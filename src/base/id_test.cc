#include "base/id.h"

#include <unordered_set>

#include <gtest/gtest.h>

namespace tarn {
namespace {

using namespace std::string_literals;

TEST(RepositoryId, AcceptsLowerCaseDigitsAndInnerHyphens) {
  for (const std::string& text : {"abc"s, "0-0"s, "a--"s, "my-repo-1"s, std::string(63, 'a')}) {
    EXPECT_TRUE(RepositoryId::parse(text)) << text;
  }
}

TEST(RepositoryId, RejectsWhatTheGrammarDoesNotSay) {
  for (const std::string& text : {""s, "ab"s, "-ab"s, "Abc"s, "a_b"s, "a.b"s, "a b"s, "abc\n"s,
                                  "ab\0"s, "äbc"s, std::string(64, 'a')}) {
    EXPECT_FALSE(RepositoryId::parse(text)) << text;
  }
}

TEST(BranchId, AcceptsWordCharactersAndInnerHyphens) {
  for (const char* text : {"m", "_", "main", "feature-1", "Feature_X", "9", "a-"}) {
    EXPECT_TRUE(BranchId::parse(text)) << text;
  }
}

TEST(BranchId, RejectsLeadingHyphenAndOtherCharacters) {
  for (const std::string& text :
       {""s, "-"s, "-a"s, "a/b"s, "a.b"s, "a b"s, "a~1"s, "a\n"s, "é"s, "a\0b"s}) {
    EXPECT_FALSE(BranchId::parse(text)) << text;
  }
}

TEST(TagId, AcceptsGitLikeNames) {
  for (const char* text :
       {"v1.0", "a", "@a", "a@", "v~1", "-", ".a", "a.locked", "{x}", "é", "\x7f"}) {
    EXPECT_TRUE(TagId::parse(text)) << text;
  }
}

TEST(TagId, RejectsWhatGitRejects) {
  for (const std::string& text :
       {""s, "@"s, "a."s, "a.lock"s, ".lock"s, "a..b"s, "a/b"s, "a@{b"s, "a^"s, "a:b"s, "a?"s,
        "a*"s, "a[b"s, "a\\b"s, "a b"s, "a\tb"s, "a\0b"s, "\x01"s}) {
    EXPECT_FALSE(TagId::parse(text)) << text;
  }
}

TEST(CommitId, IsSixtyFourLowerCaseHexDigits) {
  EXPECT_TRUE(CommitId::parse(std::string(64, 'a')));
  EXPECT_TRUE(CommitId::parse(std::string(64, '0')));
  for (const std::string& text : {""s, std::string(63, 'a'), std::string(65, 'a'),
                                  std::string(64, 'A'), std::string(64, 'g')}) {
    EXPECT_FALSE(CommitId::parse(text)) << text;
  }
}

TEST(Id, SaysWhichArgumentIsInvalid) {
  EXPECT_EQ(BranchId::parse("a b").error().message,
            "argument branch: invalid value: validation error");
  try {
    static_cast<void>(RepositoryId::require("X"));
    ADD_FAILURE() << "did not throw";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
    EXPECT_EQ(error.message(), "argument repository: invalid value: validation error");
  }
}

TEST(Id, KeepsStoredTextUnchecked) {
  EXPECT_EQ(BranchId::from_stored("a b").str(), "a b");
}

TEST(Id, ComparesAndHashesByText) {
  EXPECT_LT(TagId::require("a"), TagId::require("b"));
  const std::unordered_set<TagId> set = {TagId::require("a"), TagId::require("a")};
  EXPECT_EQ(set.size(), 1U);
}

}  // namespace
}  // namespace tarn
