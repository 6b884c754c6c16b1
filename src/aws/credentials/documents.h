// What credential services answer: JSON of the metadata services, XML of the token service. Pure.
#pragma once

#include <expected>
#include <optional>
#include <string_view>

#include "aws/sigv4_sign.h"
#include "base/error.h"
#include "base/time.h"

namespace tarn::aws {

struct Issued {
  Credentials credentials;
  std::optional<Timestamp> expires;  // nullopt: never
};

inline constexpr std::size_t kDocumentBytesMax = 256 * 1024;

/// {"AccessKeyId", "SecretAccessKey", "Token", "Expiration"}, as containers and instances have it.
std::expected<Issued, ParseError> parse_metadata_document(std::string_view json);

/// AssumeRoleWithWebIdentityResponse.
std::expected<Issued, ParseError> parse_assumed_role(std::string_view xml);

/// The Code of the token service's error document; empty when there is none.
std::string find_token_service_error(std::string_view xml);

}  // namespace tarn::aws
