#include "s3gw/authentication.h"

#include <array>

#include "aws/sigv2.h"
#include "aws/sigv4.h"
#include "s3gw/error_response.h"

namespace tarn::s3gw {

namespace {

using aws::S3ErrorCode;

// The signature's own parameters, which are no headers in disguise.
constexpr std::array<std::string_view, 8> kSignatureParameters = {
    "x-amz-algorithm",     "x-amz-credential", "x-amz-date",           "x-amz-expires",
    "x-amz-signedheaders", "x-amz-signature",  "x-amz-security-token", "x-amz-content-sha256"};

bool belongs_to_signature(std::string_view name) {
  for (const auto own : kSignatureParameters) {
    if (aws::equal_ignoring_case(name, own)) return true;
  }
  return false;
}

/// Checksums in a URL are of the empty body that was presigned, not of what is sent (F13).
bool is_checksum(std::string_view name) {
  return aws::starts_with_ignoring_case(name, "x-amz-checksum-") ||
         aws::equal_ignoring_case(name, "x-amz-sdk-checksum-algorithm");
}

/// Signers move header fields into presigned URLs. V4 signs all of the query; V2 does not bind
/// what an older signer would have left out, so of it only what can do no harm is taken.
void adopt_hoisted_headers(Call& call, aws::Scheme scheme) {
  const bool v4 = scheme == aws::Scheme::v4_query;
  if (!v4 && scheme != aws::Scheme::v2_query) return;
  for (const aws::QueryItem& item : call.query) {
    if (!v4 && (item.name == "content-type" || item.name == "content-md5")) {
      call.headers.emplace_back(item.name, item.value);
      continue;
    }
    if (!aws::starts_with_ignoring_case(item.name, "x-amz-") || belongs_to_signature(item.name) ||
        is_checksum(item.name)) {
      continue;
    }
    if (!v4 && !aws::starts_with_ignoring_case(item.name, "x-amz-meta-")) {
      refuse(S3ErrorCode::not_implemented, "Not implemented: ?" + item.name);
    }
    call.headers.emplace_back(item.name, item.value);
  }
  if (!v4) {
    std::erase_if(call.query, [](const aws::QueryItem& item) {
      return item.name == "content-type" || item.name == "content-md5";
    });
  }
}

using KeyPtr = std::shared_ptr<const auth::KnownKey>;

Task<KeyPtr> find_key(Context& ctx, Call& call, std::string_view access_key,
                      std::string_view session_token) {
  KeyPtr found = co_await call.services.authority.find_key(ctx, access_key);
  if (!found) refuse(aws::unknown_access_key(access_key));
  // Every key is a static one.
  if (!session_token.empty()) refuse(S3ErrorCode::invalid_token);
  co_return found;
}

Task<KeyPtr> authenticate_v4(Context& ctx, Call& call, aws::Scheme scheme) {
  const auto auth = require(aws::parse_sigv4(call.wire, scheme));
  KeyPtr key = co_await find_key(ctx, call, auth.access_key, auth.session_token);
  auto verdict = require(aws::verify_sigv4(call.wire, auth, key->secret.secret_access_key,
                                           call.services.clock.now(), call.services.keys));
  call.payload_hash = auth.payload_hash;
  call.query = aws::split_query(call.wire.raw_query, verdict.plus);
  call.chunks = std::move(verdict.chunks);
  co_return key;
}

Task<KeyPtr> authenticate_v2(Context& ctx, Call& call, aws::Scheme scheme) {
  const auto auth = require(aws::parse_sigv2(call.wire, scheme));
  KeyPtr key = co_await find_key(ctx, call, auth.access_key, auth.session_token);
  const std::string_view virtual_bucket =
      call.target.virtual_host ? std::string_view(call.target.bucket) : std::string_view();
  require(aws::verify_sigv2(call.wire, auth, key->secret.secret_access_key, virtual_bucket,
                            call.services.clock.now()));
  call.query = aws::split_query(call.wire.raw_query);
  co_return key;
}

}  // namespace

Task<> authenticate(Context& ctx, Call& call) {
  const aws::Scheme scheme = require(aws::find_scheme(call.wire));
  if (scheme == aws::Scheme::anonymous) refuse(S3ErrorCode::access_denied);
  const bool v4 = scheme == aws::Scheme::v4_header || scheme == aws::Scheme::v4_query;
  const KeyPtr key = v4 ? co_await authenticate_v4(ctx, call, scheme)
                        : co_await authenticate_v2(ctx, call, scheme);
  call.principal = key->principal;
  if (!call.principal) {
    refuse(aws::unknown_access_key(key->secret.credential.access_key_id));
  }
  adopt_hoisted_headers(call, scheme);
}

}  // namespace tarn::s3gw
