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
      {"main~2", "main", {{ancestor, 2}}},
      {"main~0", "main", {{ancestor, 0}}},
      {"main^", "main", {{parent, 1}}},
      {"main^0", "main", {{parent, 0}}},
      {"main^2~3^", "main", {{parent, 2}, {ancestor, 3}, {parent, 1}}},
      {"main~~", "main", {{ancestor, 1}, {ancestor, 1}}},
      {"main~007", "main", {{ancestor, 7}}},
      {"main@", "main", {{committed, 1}}},
      {"main$", "main", {{staged, 1}}},
      {"a/b:c", "a/b:c", {}},
      {"main~18446744073709551615", "main", {{ancestor, 18446744073709551615ULL}}},
  };
  for (const Case& c : cases) {
    const auto parsed = parse_ref(c.text);
    ASSERT_TRUE(parsed) << c.text;
    EXPECT_EQ(parsed->base, c.base) << c.text;
    EXPECT_EQ(parsed->modifiers, c.modifiers) << c.text;
  }
}

TEST(RefParser, RejectsWhatIsNoReference) {
  for (const char* text : {"",
                           "~1",
                           "^",
                           "@",
                           "$",
                           "ma in",
                           "main\n",
                           "main~a",
                           "main~-1",
                           "main~+1",
                           "main^-1",
                           "main~1.5",
                           "main~18446744073709551616",
                           "main@1",
                           "main$2",
                           "main@~1",
                           "main~1@",
                           "main@@",
                           "main$$",
                           "main@$",
                           "main^1$",
                           "main~1x"}) {
    EXPECT_FALSE(parse_ref(text)) << text;
  }
}

TEST(RefParser, NamesTheModifierItCouldNotParse) {
  EXPECT_TRUE(parse_ref("main~a").error().message.starts_with("could not parse modifier ~a: "));
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
