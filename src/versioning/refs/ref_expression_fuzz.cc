#include "base/error.h"
#include "testing/fuzz.h"
#include "versioning/refs/ref_expression.h"

namespace tarn::fuzz {

namespace {

using versioning::RefExpression;
using versioning::RefModifier;

std::string print(const RefExpression& expression) {
  std::string text = expression.base;
  for (const RefModifier& modifier : expression.modifiers) {
    switch (modifier.kind) {
      case RefModifier::Kind::ancestor: text += '~'; break;
      case RefModifier::Kind::parent: text += '^'; break;
      case RefModifier::Kind::committed: text += '@'; break;
      case RefModifier::Kind::staged: text += '$'; break;
    }
    if (modifier.counted) text += std::to_string(modifier.count);
  }
  return text;
}

}  // namespace

void run(std::string_view input) {
  static_cast<void>(versioning::looks_like_commit_id(input));
  const auto expression = versioning::parse_ref(input);
  if (!expression) return;
  TARN_ASSERT(!expression->base.empty() && expression->modifiers.size() < input.size());
  const auto again = versioning::parse_ref(print(*expression));
  TARN_ASSERT(again && again->base == expression->base);
  TARN_ASSERT(again->modifiers == expression->modifiers);
  TARN_ASSERT(combines_well(*again) == combines_well(*expression));
}

}  // namespace tarn::fuzz
