// Signing of requests we send: the client side of Signature Version 4.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "aws/signed_request.h"
#include "base/time.h"

namespace tarn::aws {

struct Credentials {
  std::string access_key;
  std::string secret_key;
  std::string session_token = {};
  std::optional<Timestamp> expires = {};  // of temporary ones, where it is known
};

struct SigningScope {
  std::string_view region;
  std::string_view service = "s3";
};

using HeaderList = std::vector<std::pair<std::string, std::string>>;

/// The fields to add: x-amz-date, x-amz-content-sha256, x-amz-security-token, authorization.
/// Signs every header of `request`, which must hold `host`. `payload_hash` is the hex SHA-256 of
/// the body or one of the literals of payload.h.
HeaderList sign_request(const SignedRequest& request, const Credentials& credentials,
                        const SigningScope& scope, std::string_view payload_hash, Timestamp now);

/// The raw query of a presigned URL, from the request's own query and every header of `request`.
std::string presign_query(const SignedRequest& request, const Credentials& credentials,
                          const SigningScope& scope, std::uint32_t expires_s, Timestamp now);

}  // namespace tarn::aws
