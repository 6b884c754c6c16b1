// One request to the service with everything around it: region, credentials, signature, waiting,
// repeating. The only owner of retries in this backend.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "aws/credentials/credentials.h"
#include "base/context.h"
#include "base/task.h"
#include "base/time.h"
#include "block/presigner.h"
#include "block/s3/bucket_health.h"
#include "block/s3/place.h"
#include "block/s3/region_book.h"
#include "block/s3/s3_config.h"
#include "http/client.h"
#include "io/blocking_pool.h"
#include "io/byte_source.h"

namespace tarn::block::s3 {

/// Bytes that stay while a request may be repeated; shared with the requests under way.
using Bytes = std::shared_ptr<const std::string>;
using Headers = std::vector<std::pair<std::string, std::string>>;

struct S3Request {
  std::string what;  // for messages and logs: "put"
  std::string method = "GET";
  std::string bucket;
  std::string key;                   // empty = the bucket itself
  std::string query;                 // encoded, without '?'
  Headers headers;                   // lower case; signed
  Bytes body;                        // or ...
  io::ByteSource* stream = nullptr;  // ... which is sent once and never repeated
  std::uint64_t stream_bytes = 0;
  std::string sha256;            // of `body`, raw, where it is known already
  bool sign_body = false;        // over TLS as well: nothing else tells which body is meant
  bool read_body = true;         // into Reply::text; otherwise a success's body stays on the wire
  bool works_long = false;       // before it answers
  bool ahead_of_others = false;  // as http::ClientRequest's
};

struct Reply {
  http::ClientResponse response;
  std::string text;
  std::string code;  // of the error document; also of one inside a 200
  std::uint32_t attempts = 1;

  std::uint16_t status() const { return response.status(); }

  bool ok() const { return status() >= 200 && status() < 300 && code.empty(); }

  std::string header(std::string_view name) const {
    return std::string(response.header(name).value_or(""));
  }
};

class Requester {
 public:
  struct Parts {
    http::Client& client;
    aws::CredentialsSource& credentials;
    io::BlockingPool& pool;  // hashes large bodies
    const Clock& clock;
  };

  Requester(const S3Config& config, Parts parts);

  /// The service's last word, whatever it is. Throws Error{unavailable} when there is none after
  /// all attempts, Error{deadline_exceeded}, and what `stream` throws.
  Task<Reply> send(Context& ctx, const S3Request& request);
  /// As send(), but throws refusal() unless the reply is a success.
  Task<Reply> demand(Context& ctx, const S3Request& request);

  /// Where the bucket is; asks the service once per bucket when configured to.
  Task<std::string> region_of(Context& ctx, const std::string& bucket);
  /// The same; nullopt while the service is in trouble and has not told.
  Task<std::optional<std::string>> find_region(Context& ctx, const std::string& bucket);

  /// Whether the service answers at all, and, if it has been refusing all we ask, still does. In
  /// one attempt. Throws Error{unavailable}, Error{permission_denied}.
  Task<> probe(Context& ctx);

  /// What stands between two attempts: a random wait, Error{deadline_exceeded} if there is no time.
  Task<> pause(Context& ctx, std::string what, std::uint32_t attempts);

  /// A URL that carries its own signature, for as long as is configured; for less if the
  /// credentials end sooner. Throws Error{unavailable} as long as nobody knows the region.
  Task<PresignedUrl> presign(Context& ctx, std::string_view method, const std::string& bucket,
                             const std::string& key, std::string query);

 private:
  Task<Reply> attempt(Context& ctx, const S3Request& request, const std::string& region,
                      const aws::Credentials& credentials);
  Task<> probe_bucket(Context& ctx, std::string bucket);
  Task<std::string> payload_hash(Context& ctx, const S3Request& request, bool secure);
  PlaceRules rules() const;
  /// How long the service may be silent, and attempts may be begun.
  std::chrono::milliseconds patience(const S3Request& request) const;

  const S3Config& config_;
  const Parts parts_;
  RegionBook regions_;
  BucketHealth health_;
};

/// A time up to the bound of the given attempt (0 = the first wait).
std::chrono::milliseconds backoff(const S3Config& config, std::uint32_t attempts,
                                  std::uint32_t random);

}  // namespace tarn::block::s3
