#include "http/client_pool.h"

#include <algorithm>
#include <deque>
#include <utility>
#include <vector>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

namespace tarn::http {

namespace asio = boost::asio;

namespace {

constexpr std::size_t kHostsKept = 64;  // beyond it hosts without connections are forgotten

}  // namespace

struct ClientPool::Waiter {
  asio::steady_timer timer;
  bool has_place = false;
};

struct ClientPool::Host {
  std::size_t places = 0;  // taken
  std::vector<std::unique_ptr<ClientConnection>> kept;
  std::deque<Waiter*> waiting;
};

ClientPool::ClientPool(const ClientConfig& config, std::function<TlsSnapshot()> tls)
    : config_(config), tls_(std::move(tls)) {}

ClientPool::~ClientPool() = default;

ClientPool::Lease& ClientPool::Lease::operator=(Lease&& other) noexcept {
  if (this != &other) {
    drop();
    pool_ = std::move(other.pool_);
    host_ = std::move(other.host_);
    connection_ = std::move(other.connection_);
    reused_ = other.reused_;
  }
  return *this;
}

ClientPool::Lease::~Lease() {
  drop();
}

void ClientPool::Lease::keep() {
  if (pool_ != nullptr && connection_ != nullptr && pool_->keeps()) {
    connection_->idle_since = std::chrono::steady_clock::now();
    host_->kept.push_back(std::move(connection_));
  }
  drop();
}

void ClientPool::Lease::drop() {
  connection_.reset();
  if (host_ != nullptr) give_place_back(*host_);
  host_.reset();
  pool_.reset();
}

void ClientPool::give_place_back(Host& host) {
  if (host.waiting.empty()) {
    --host.places;
    return;
  }
  Waiter* const next = host.waiting.front();  // the place passes on
  host.waiting.pop_front();
  next->has_place = true;
  next->timer.cancel();
}

Task<> ClientPool::take_place(Context& ctx, const Endpoint& endpoint, Host& host,
                              std::chrono::milliseconds patience) {
  const bool free = host.places < config_.connections_per_host && host.waiting.empty();
  if (free || patience.count() == 0) {
    ++host.places;
    co_return;
  }
  Waiter waiter{.timer = asio::steady_timer(co_await asio::this_coro::executor)};
  waiter.timer.expires_at(due_within(ctx, patience));

  // Also when this coroutine is destroyed where it waits.
  struct Leave {
    Host& host;
    Waiter& waiter;
    bool stays = false;

    ~Leave() {
      if (waiter.has_place) {
        if (!stays) give_place_back(host);
      } else {
        std::erase(host.waiting, &waiter);
      }
    }
  } leave{.host = host, .waiter = waiter};

  host.waiting.push_back(&waiter);
  const auto [error] = co_await waiter.timer.async_wait(asio::as_tuple(asio::use_awaitable));
  if (waiter.has_place) {
    leave.stays = true;
    co_return;
  }
  if (error) throw boost::system::system_error(error);
  throw_unreachable(ctx, endpoint, "no connection is free");
}

std::unique_ptr<ClientConnection> ClientPool::take_kept(Host& host) const {
  const auto oldest = std::chrono::steady_clock::now() - config_.keep_alive;
  std::erase_if(host.kept, [&](const auto& one) { return one->idle_since < oldest; });
  while (!host.kept.empty()) {
    auto last = std::move(host.kept.back());
    host.kept.pop_back();
    if (last->is_quiet()) return last;
  }
  return nullptr;
}

void ClientPool::forget_unused_hosts() {
  if (hosts_.size() <= kHostsKept) return;
  const auto oldest = std::chrono::steady_clock::now() - config_.keep_alive;
  std::erase_if(hosts_, [&](const auto& one) {
    const Host& host = *one.second;
    return host.places == 0 && host.waiting.empty() &&
           std::ranges::all_of(host.kept, [&](const auto& c) { return c->idle_since < oldest; });
  });
}

Task<ClientPool::Lease> ClientPool::acquire(Context& ctx, const Endpoint& endpoint,
                                            Patience patience) {
  forget_unused_hosts();
  auto& slot = hosts_[endpoint.origin()];
  if (slot == nullptr) slot = std::make_shared<Host>();
  const std::shared_ptr<Host> host = slot;
  co_await take_place(ctx, endpoint, *host, patience.for_place);
  Lease lease;
  lease.pool_ = shared_from_this();
  lease.host_ = host;
  if (patience.want == Want::any) lease.connection_ = take_kept(*host);
  lease.reused_ = lease.connection_ != nullptr;
  if (lease.reused_) co_return lease;
  // A kept one of the wrong kind makes room: places bound both together.
  if (!host->kept.empty() && host->places + host->kept.size() > config_.connections_per_host) {
    host->kept.erase(host->kept.begin());
  }
  const bool secure = endpoint.scheme == Endpoint::Scheme::https;
  lease.connection_ = co_await ClientConnection::open(ctx, endpoint, secure ? tls_() : nullptr,
                                                      due_within(ctx, config_.connect_timeout));
  co_return lease;
}

void ClientPool::close() {
  closed_ = true;
  for (auto& [origin, host] : hosts_)
    host->kept.clear();
}

}  // namespace tarn::http
