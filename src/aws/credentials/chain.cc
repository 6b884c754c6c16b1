// Asks the sources in order, keeps to the one that answers, refreshes what expires.
#include <mutex>
#include <utility>

#include "aws/credentials/credentials.h"
#include "aws/credentials/sources.h"
#include "base/error.h"
#include "base/log.h"
#include "io/sync.h"

namespace tarn::aws {

namespace {

constexpr std::int64_t kRetryAfterSeconds = 30;

class Chain final : public CredentialsSource {
 public:
  Chain(CredentialsConfig config, http::Client& client, io::BlockingPool& files, const Clock& clock)
      : config_(std::move(config)), client_(client), files_(files), clock_(clock) {}

  Task<Credentials> get(Context& ctx) override {
    if (auto held = find_fresh()) co_return *std::move(held);
    const auto permit = co_await refreshing_.acquire(ctx);
    if (auto held = find_fresh()) co_return *std::move(held);
    std::exception_ptr failure;
    std::optional<Issued> issued;
    try {
      issued = co_await ask(ctx);
    } catch (const Error&) {
      failure = std::current_exception();
    }
    if (issued) co_return keep(*std::move(issued));
    if (auto held = find_valid()) {
      log::warn("AWS credentials could not be refreshed; the old ones are still valid");
      co_return *std::move(held);
    }
    std::rethrow_exception(failure);
  }

  void refuse(const Credentials& used) override {
    const std::scoped_lock lock(mutex_);
    if (held_ && held_->credentials.access_key == used.access_key &&
        held_->credentials.session_token == used.session_token) {
      held_.reset();
    }
  }

 private:
  using Source = Task<std::optional<Issued>> (*)(Context&, const SourceParts&);

  std::optional<Credentials> find_fresh() const {
    const std::scoped_lock lock(mutex_);
    if (!held_) return std::nullopt;
    if (!held_->expires) return held_->credentials;
    const std::int64_t now = clock_.now().seconds;
    if (now < refresh_at_ && now < held_->expires->seconds) return held_->credentials;
    return std::nullopt;
  }

  /// What can still be used though it should have been refreshed; asked for again in a while.
  std::optional<Credentials> find_valid() {
    const std::scoped_lock lock(mutex_);
    const std::int64_t now = clock_.now().seconds;
    if (!held_ || (held_->expires && now >= held_->expires->seconds)) return std::nullopt;
    refresh_at_ = now + kRetryAfterSeconds;
    return held_->credentials;
  }

  Credentials keep(Issued issued) {
    const std::scoped_lock lock(mutex_);
    if (issued.expires) {
      // A window longer than the credentials' life would refresh them with every request.
      const std::int64_t now = clock_.now().seconds;
      const std::int64_t life = issued.expires->seconds - now;
      const auto window = std::min<std::int64_t>(config_.expiry_window.count(), life / 2);
      refresh_at_ = issued.expires->seconds - std::max<std::int64_t>(window, 0);
    }
    issued.credentials.expires = issued.expires;
    held_ = std::move(issued);
    return held_->credentials;
  }

  Task<std::optional<Issued>> ask(Context& ctx) {
    if (auto found = find_configured(config_)) co_return found;
    const SourceParts parts{.config = config_, .client = client_, .files = files_};
    const bool profile_wanted = !config_.profile.empty() || !config_.credentials_file.empty();
    if (auto found = find_in_environment(config_); found && !profile_wanted) co_return found;
    if (chosen_ != nullptr) co_return co_await chosen_(ctx, parts);
    for (const Source source : {&ask_profile, &ask_web_identity, &ask_container, &ask_instance}) {
      auto found = co_await source(ctx, parts);
      if (!found) continue;
      chosen_ = source;
      co_return found;
    }
    throw Error(ErrorCode::unavailable, "no AWS credentials found");
  }

  const CredentialsConfig config_;
  http::Client& client_;
  io::BlockingPool& files_;
  const Clock& clock_;
  io::Semaphore refreshing_{1};
  Source chosen_ = nullptr;  // under refreshing_
  mutable std::mutex mutex_;
  std::optional<Issued> held_;   // guarded by mutex_
  std::int64_t refresh_at_ = 0;  // likewise
};

}  // namespace

std::unique_ptr<CredentialsSource> make_credentials(CredentialsConfig config, http::Client& client,
                                                    io::BlockingPool& files, const Clock& clock) {
  return std::make_unique<Chain>(std::move(config), client, files, clock);
}

}  // namespace tarn::aws
