#include "versioning/refs/ref_expression.h"

#include <gtest/gtest.h>

namespace tarn::versioning {
namespace {

using enum RefModifier::Kind;

struct Case {
  std::string text;
  std::string base;
  std::vector<RefModifier> modifiers;
};

TEST(RefParser, SplitsBaseAndModifiers) {
  const std::vector<Case> cases = {
      {"main", "main", {}},
      {"main~", "main", {{ancestor, 1}}},
      {"main~2", "main", {{ancestor, 2, true}}},
      {"main~0", "main", {{ancestor, 0, true}}},
      {"main^", "main", {{parent, 1}}},
      {"main^0", "main", {{parent, 0, true}}},
      {"main^2~3^", "main", {{parent, 2, true}, {ancestor, 3, true}, {parent, 1}}},
      {"main~~", "main", {{ancestor, 1}, {ancestor, 1}}},
      {"main~007", "main", {{ancestor, 7, true}}},
      {"main@", "main", {{committed, 1}}},
      {"main$", "main", {{staged, 1}}},
      {"a/b:c", "a/b:c", {}},
      {"main~18446744073709551615", "main", {{ancestor, 18446744073709551615ULL, true}}},
  };
  for (const Case& c : cases) {
    const auto parsed = parse_ref(c.text);
    ASSERT_TRUE(parsed) << c.text;
    EXPECT_EQ(parsed->base, c.base) << c.text;
    EXPECT_EQ(parsed->modifiers, c.modifiers) << c.text;
  }
}

TEST(RefParser, RejectsWhatIsNoReference) {
  for (const char* text :
       {"", "~1", "^", "@", "$", "ma in", "main\n", "main~a", "main~-1", "main~+1", "main^-1",
        "main~1.5", "main~18446744073709551616", "main~1x"}) {
    EXPECT_FALSE(parse_ref(text)) << text;
  }
}

TEST(RefParser, LetsAtAndDollarOnlyStandAlone) {
  for (const char* text : {"main", "main@", "main$", "main~1^2"}) {
    EXPECT_TRUE(combines_well(*parse_ref(text))) << text;
  }
  for (const char* text :
       {"main@1", "main$2", "main@~1", "main~1@", "main@@", "main$$", "main@$", "main^1$"}) {
    EXPECT_FALSE(combines_well(*parse_ref(text))) << text;
  }
}

TEST(RefParser, NamesTheModifierItCouldNotParse) {
  EXPECT_EQ(parse_ref("main~a").error().message,
            "could not parse modifier ~a: ref: invalid value: validation error");
  EXPECT_EQ(parse_ref("").error().message, "ref: invalid value: validation error");
}

TEST(RefParser, KnowsWhatMayBeACommitId) {
  EXPECT_TRUE(looks_like_commit_id("a"));
  EXPECT_TRUE(looks_like_commit_id(std::string(64, 'F')));
  EXPECT_FALSE(looks_like_commit_id(std::string(65, 'f')));
  EXPECT_FALSE(looks_like_commit_id(""));
  EXPECT_FALSE(looks_like_commit_id("xyz"));
}

}  // namespace
}  // namespace tarn::versioning
