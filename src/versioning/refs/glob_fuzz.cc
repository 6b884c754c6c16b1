#include <string>

#include "base/error.h"
#include "testing/fuzz.h"
#include "versioning/refs/glob.h"

namespace tarn::fuzz {

void run(std::string_view input) {
  std::string_view text = input;
  const std::string pattern(take_until(text, '\n'));
  if (versioning::glob_matches(pattern, text)) {
    TARN_ASSERT(versioning::glob_matches(pattern + "*", std::string(text) + "x"));
    TARN_ASSERT(versioning::glob_matches("*" + pattern, "x" + std::string(text)));
    TARN_ASSERT(versioning::glob_matches("{," + pattern + "}", text));
  }
  std::string literal;
  for (const char c : text)
    literal.append({'\\', c});
  TARN_ASSERT(versioning::glob_matches(literal, text));
  TARN_ASSERT(!versioning::glob_matches(literal + "?", text));
}

}  // namespace tarn::fuzz
