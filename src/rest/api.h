// The HTTP edge: routes a request, checks it against the contract, finds out who sends it and
// whether they may, calls the operation's handler, and turns what is thrown into an answer.
#pragma once

#include <memory>

#include "auth/authority.h"
#include "base/context.h"
#include "base/task.h"
#include "base/time.h"
#include "catalog/catalog.h"
#include "http/message.h"
#include "rest/call.h"

namespace tarn::rest {

/// Serves everything that is not S3: /api/v1, probes, metrics, the contract, a page for browsers.
/// Thread-safe.
class Api final : public http::Handler {
 public:
  struct Parts {
    catalog::Catalog& catalog;
    auth::Authority& authority;
    Clock& clock;
  };

  Api(Parts parts, ApiConfig config);
  ~Api() override;

  /// Throws only when the response cannot be given any more.
  Task<> handle(Context& ctx, http::Request& request, http::Response& response) override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tarn::rest
