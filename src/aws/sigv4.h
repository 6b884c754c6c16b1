// Verification of Signature Version 4, in the Authorization header and in presigned URLs.
//
// parse_sigv4() says whose key is needed; the caller looks the secret up; verify_sigv4() decides.
// Nothing here blocks; every function may be called from any thread.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "aws/s3_error.h"
#include "aws/signed_request.h"
#include "aws/signing_key.h"
#include "base/time.h"

namespace tarn::aws {

/// What a request says about its own signature, checked for form only.
struct SigV4 {
  bool presigned = false;
  std::string access_key;      // may contain '/'
  std::string credential;      // access key "/" scope, as sent
  std::string scope;           // "yyyymmdd/region/service/aws4_request"
  std::string region;          // never empty
  std::string signed_headers;  // "host;x-amz-date": lower-case, no duplicates
  std::string signature;       // 64 lower-case hex
  Timestamp time;
  std::string amz_date;        // line 2 of the string to sign
  std::int64_t expires_s = 0;  // presigned: lifetime, 0..604800
  std::string payload_hash;    // give it to parse_payload()
  std::string session_token;   // empty when none was sent
};

struct SigV4Policy {
  std::string strict_region = {};  // when set, any other region in the scope is refused
  /// Names that intermediaries add after signing; lower-case.
  std::vector<std::string> unsigned_headers_allowed = {"x-amz-cf-id"};
};

/// Reads the header or query form, whichever find_scheme() reported.
std::expected<SigV4, S3Error> parse_sigv4(const SignedRequest& request, Scheme scheme,
                                          const SigV4Policy& policy = {});

/// What the chunks of a signed stream are verified with (B3).
struct ChunkSigning {
  std::shared_ptr<const SigningKey> key;  // shared with the cache
  std::string amz_date;
  std::string scope;
  std::string seed;  // the request's signature
};

struct SigV4Verdict {
  ChunkSigning chunks;
  /// The reading of a raw '+' that the signature confirmed: decode the query's values so.
  QueryPlus plus = QueryPlus::literal;
};

/// Checks signed-header rules, the clock and the signature, in that order.
std::expected<SigV4Verdict, S3Error> verify_sigv4(const SignedRequest& request, const SigV4& auth,
                                                  std::string_view secret, Timestamp now,
                                                  SigningKeyCache& keys,
                                                  const SigV4Policy& policy = {});

std::string string_to_sign_v4(std::string_view amz_date, std::string_view scope,
                              std::string_view canonical_request);

/// 403 for an access key nobody has.
S3Error unknown_access_key(std::string_view access_key);

}  // namespace tarn::aws
