// What answers on the port while a store cannot be reached at start: everybody is told to come
// back; why stands in the log.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "app/config.h"
#include "app/server.h"
#include "http/message.h"

namespace tarn::app {

/// Answers 503 in the protocol's own form to every request; /_health is alive, /_ready is not and
/// names the store.
class WaitingHandler final : public http::Handler {
 public:
  explicit WaitingHandler(std::vector<std::string> s3_domains)
      : s3_domains_(std::move(s3_domains)) {}

  /// From any thread.
  void wait_for(StoreRole store) { store_ = store; }

  Task<> handle(Context& ctx, http::Request& request, http::Response& response) override;

 private:
  const std::vector<std::string> s3_domains_;
  std::atomic<StoreRole> store_{StoreRole::metadata};
};

/// Blocking: opens the stores, trying again for as long as one of them is out of reach, and serves
/// 503 meanwhile. Null if a signal asked to stop. Throws what waiting cannot mend.
std::unique_ptr<Core> open_core(const Config& config);

}  // namespace tarn::app
