// One call to DynamoDB: signed, checked, repeated. Internal to kv/dynamo.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include <boost/json/value.hpp>

#include "aws/credentials/credentials.h"
#include "base/context.h"
#include "base/error.h"
#include "base/task.h"
#include "base/time.h"
#include "http/client.h"
#include "kv/dynamo/dynamo_codec.h"
#include "kv/dynamo/dynamo_store.h"

namespace tarn::kv::dynamo {

/// What a failed attempt means for the next.
enum class Remedy : std::uint8_t {
  none,       // repeating cannot help
  throttled,  // later; the call did nothing
  again,      // later; the call may have been done
  new_login,  // with other credentials; the call did nothing
};

Remedy remedy_for(std::uint16_t status, std::string_view type);

/// The longest pause before attempt `attempt` + 1 (attempts count from 1).
std::chrono::milliseconds backoff_limit(const DynamoConfig& config, std::uint32_t attempt);

struct CallResult {
  boost::json::value answer;
  bool condition_failed = false;  // then there is no answer
  bool ambiguous = false;         // an earlier attempt may have been done
};

class Client {
 public:
  /// Throws Error{invalid_argument} for an endpoint that is none.
  Client(const DynamoConfig& config, http::Client& http, aws::CredentialsSource& credentials,
         const Clock& clock);

  /// `operation` as DynamoDB names it. Failures of the service that repeating does not mend are
  /// thrown: see to_error().
  Task<CallResult> call(Context& ctx, std::string_view operation, std::string body);

  /// Waits a random part of backoff_limit(). Throws `reason` if the deadline comes first.
  Task<> pause(Context& ctx, std::uint32_t attempt, Error reason);

 private:
  struct Attempt;
  Task<Attempt> attempt(Context& ctx, std::string_view operation, const std::string& body,
                        const aws::Credentials& credentials);
  http::ClientRequest make_request(std::string_view operation, const std::string& body,
                                   const aws::Credentials& credentials) const;

  const DynamoConfig& config_;
  http::Client& http_;
  aws::CredentialsSource& credentials_;
  const Clock& clock_;
  const http::Endpoint endpoint_;
};

}  // namespace tarn::kv::dynamo
