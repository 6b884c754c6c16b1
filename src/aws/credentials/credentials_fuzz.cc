#include "aws/credentials/documents.h"
#include "aws/credentials/profile_file.h"
#include "base/error.h"
#include "testing/fuzz.h"

namespace tarn::fuzz {

namespace {

void check(const std::expected<aws::Issued, ParseError>& issued) {
  if (!issued) return;
  TARN_ASSERT(!issued->credentials.access_key.empty() && !issued->credentials.secret_key.empty());
  TARN_ASSERT(issued->credentials.session_token.find('\n') == std::string::npos);
}

}  // namespace

void run(std::string_view input) {
  switch (take_byte(input) % 3) {
    case 0: check(aws::parse_metadata_document(input)); break;
    case 1:
      check(aws::parse_assumed_role(input));
      static_cast<void>(aws::find_token_service_error(input));
      break;
    default: {
      const std::string_view name = take_until(input, '\n');
      const auto profile = aws::find_profile(input, name);
      if (!profile) return;
      for (const auto& [key, value] : *profile) {
        TARN_ASSERT(key.find('\n') == std::string::npos && value.find('\n') == std::string::npos);
      }
    }
  }
}

}  // namespace tarn::fuzz
