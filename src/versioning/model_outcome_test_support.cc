#include "versioning/model_outcome_test_support.h"

#include "base/format.h"

namespace tarn::versioning::model {

namespace {

std::string name(const std::optional<ErrorCode>& code) {
  return code ? std::string(to_string(*code)) : "success";
}

std::string joined(const Rows& rows) {
  std::string text;
  for (const std::string& row : rows)
    text += row + " ";
  return text;
}

}  // namespace

std::string key_of(std::uint32_t pick) {
  const std::uint32_t number = pick % kKeys;
  return format("d{}/{}", number % kFolders, number / kFolders);
}

void expect(bool condition, const std::string& text) {
  if (!condition) throw Mismatch(text);
}

void expect_outcome(const std::optional<ErrorCode>& seen, const std::optional<ErrorCode>& wanted,
                    std::string_view what) {
  expect(seen == wanted, format("{}: {} instead of {}", what, name(seen), name(wanted)));
}

void expect_same(const Rows& seen, const Rows& wanted, std::string_view what) {
  expect(seen == wanted,
         format("{}\n  engine: {}\n  model:  {}", what, joined(seen), joined(wanted)));
}

}  // namespace tarn::versioning::model
