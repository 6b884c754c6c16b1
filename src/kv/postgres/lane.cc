#include "kv/postgres/lane.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

#include <boost/asio/post.hpp>

#include "base/error.h"
#include "base/log.h"
#include "base/random.h"
#include "io/sync.h"
#include "kv/postgres/connection_string.h"

namespace tarn::kv {

namespace asio = boost::asio;

namespace {

using std::chrono::milliseconds;

constexpr std::size_t kGroupAddressesMax = 1'000;
constexpr std::size_t kGroupRunsMax = 256;
constexpr std::size_t kGroupOpsMax = 1'000;
constexpr std::size_t kGroupBytesMax = 4 * 1'024 * 1'024;
constexpr milliseconds kTick{20};
constexpr milliseconds kBackOffFirst{50};
constexpr milliseconds kBackOffMax{2'000};

// Groups in flight on one connection: the next leaves before the last is answered, so that the
// network's latency is not paid twice. Writes wait for a disk, pages are long: less to gain.
constexpr std::array<std::size_t, kKinds> kDepth = {4, 2, 1};

std::size_t index_of(Kind kind) {
  return static_cast<std::size_t>(kind);
}

/// Few connections make large groups, which is what saves work; one kind never takes them all.
std::size_t share_of(Kind kind, std::size_t connections) {
  switch (kind) {
    case Kind::read:
    case Kind::query: return std::max<std::size_t>(1, connections / 3);
    case Kind::write: return std::max<std::size_t>(1, connections / 2);
  }
  std::unreachable();
}

Error closed() {
  return {ErrorCode::unavailable, "metadata store is closed"};
}

}  // namespace

Lane::Lane(asio::any_io_executor executor, const PostgresConfig& config,
           std::size_t connections_max, std::size_t idle_max, io::BlockingPool& pool,
           const std::atomic<bool>& stop, bool locks)
    : executor_(std::move(executor)),
      config_(config),
      connections_max_(connections_max),
      idle_max_(idle_max),
      pool_(pool),
      stop_(stop),
      locks_(locks),
      connections_gauge_(metrics::gauge("tarn_kv_postgres_connections", "Open connections.")),
      round_trips_(metrics::counter("tarn_kv_postgres_round_trips_total",
                                    "Groups of statements sent to PostgreSQL.")) {}

Lane::~Lane() = default;

void Lane::adopt(PgConnection connection) {
  asio::post(executor_, [this, shared = std::make_shared<PgConnection>(std::move(connection))] {
    add(std::move(*shared));
  });
}

void Lane::submit(std::shared_ptr<ReadJob> job) {
  on_lane(std::move(job));
}

void Lane::submit(std::shared_ptr<RunJob> job) {
  on_lane(std::move(job));
}

void Lane::submit(std::shared_ptr<QueryJob> job) {
  on_lane(std::move(job));
}

template <class J>
void Lane::on_lane(std::shared_ptr<J> job) {
  // Posted even from this loop: what else this turn of the loop asks for goes into the same group.
  asio::post(executor_, [this, one = std::move(job)]() mutable {
    if (accept(*one)) again(std::move(one));
  });
}

template <class J>
bool Lane::accept(J& job) {
  if (closing_) {
    job.fail(std::make_exception_ptr(closed()));
    return false;
  }
  const bool full = unanswered_ >= config_.queue_jobs_max ||
                    (unanswered_ > 0 && unanswered_bytes_ + job.bytes > config_.queue_bytes_max);
  if (full) {
    job.fail(
        std::make_exception_ptr(Error(ErrorCode::unavailable, "metadata store: queue is full")));
    return false;
  }
  ++unanswered_;
  unanswered_bytes_ += job.bytes;
  return true;
}

void Lane::settled(const Job& job) {
  --unanswered_;
  unanswered_bytes_ -= job.bytes;
  check_drained();
}

void Lane::again(std::shared_ptr<ReadJob> job) {
  reads_.push_back(std::move(job));
  schedule();
}

void Lane::again(std::shared_ptr<RunJob> job) {
  runs_.push_back(std::move(job));
  schedule();
}

void Lane::again(std::shared_ptr<QueryJob> job) {
  queries_.push_back(std::move(job));
  schedule();
}

void Lane::schedule() {
  if (!std::exchange(scheduled_, true)) {
    asio::post(executor_, [this] {
      scheduled_ = false;
      dispatch();
    });
  }
}

void Lane::dispatch() {
  remove_ended();
  ++turn_;
  for (std::size_t i = 0; i < kKinds; ++i) {
    const Kind kind = static_cast<Kind>((turn_ + i) % kKinds);
    while (waiting(kind) && dispatch_one(kind)) {
    }
  }
  retire_idle();
  if (!watching_ && unanswered_ > 0) {
    watching_ = tasks_.spawn(executor_, "watch deadlines", watch());
  }
}

bool Lane::dispatch_one(Kind kind) {
  Session* session = pick(kind);
  if (session == nullptr) return false;
  std::unique_ptr<Group> group;
  switch (kind) {
    case Kind::read:
      if (auto jobs = take_reads(); !jobs.empty()) group = make_group(*this, std::move(jobs));
      break;
    case Kind::write:
      if (auto jobs = take_runs(); !jobs.empty())
        group = make_group(*this, std::move(jobs), locks_);
      break;
    case Kind::query: {
      auto job = std::move(queries_.front());
      queries_.pop_front();
      if (!job->answered()) group = make_group(*this, std::move(job));
      break;
    }
  }
  if (group == nullptr) return true;
  round_trips_.add();
  session->start(std::move(group), kind);
  if (session->needs_flush()) {
    tasks_.spawn(executor_, "flush", session->flush(session->shared_from_this()));
  }
  return true;
}

Session* Lane::pick(Kind kind) {
  const std::size_t used = sessions_of(kind);
  const std::size_t share = share_of(kind, connections_max_);
  if (used < share) {
    for (auto session = sessions_.rbegin(); session != sessions_.rend(); ++session) {
      if ((*session)->idle() && (*session)->check_alive()) return session->get();
    }
    want_connection();
  }
  // All are busy: the next group may follow the last on the same connection, unless that would keep
  // another kind from ever getting one.
  if (others_wait(kind)) return nullptr;
  Session* best = nullptr;
  for (auto& session : sessions_) {
    const bool fits = !session->ended() && !session->idle() && session->kind() == kind &&
                      session->groups() < kDepth[index_of(kind)];
    if (fits && (best == nullptr || session->groups() < best->groups())) best = session.get();
  }
  return best;
}

std::size_t Lane::sessions_of(Kind kind) const {
  return static_cast<std::size_t>(std::ranges::count_if(sessions_, [kind](const auto& session) {
    return !session->ended() && !session->idle() && session->kind() == kind;
  }));
}

bool Lane::waiting(Kind kind) const {
  switch (kind) {
    case Kind::read: return !reads_.empty();
    case Kind::write: return !runs_.empty();
    case Kind::query: return !queries_.empty();
  }
  std::unreachable();
}

bool Lane::others_wait(Kind kind) const {
  for (const Kind other : {Kind::read, Kind::write, Kind::query}) {
    if (other != kind && waiting(other) && sessions_of(other) == 0) return true;
  }
  return false;
}

std::vector<std::shared_ptr<ReadJob>> Lane::take_reads() {
  std::vector<std::shared_ptr<ReadJob>> taken;
  std::size_t addresses = 0;
  while (!reads_.empty()) {
    const std::size_t more = reads_.front()->addresses.size();
    if (!taken.empty() && addresses + more > kGroupAddressesMax) break;
    auto job = std::move(reads_.front());
    reads_.pop_front();
    if (job->answered()) continue;
    addresses += more;
    taken.push_back(std::move(job));
  }
  return taken;
}

std::vector<std::shared_ptr<RunJob>> Lane::take_runs() {
  std::vector<std::shared_ptr<RunJob>> taken;
  std::deque<std::shared_ptr<RunJob>> left;
  std::set<std::pair<std::string_view, std::string_view>> written;
  std::set<std::pair<std::string_view, std::string_view>> guards;
  std::size_t ops = 0;
  std::size_t bytes = 0;
  while (!runs_.empty() && taken.size() < kGroupRunsMax) {
    auto job = std::move(runs_.front());
    runs_.pop_front();
    if (job->answered()) continue;
    const RunPart& part = job->part;
    const std::span<const Op> writes =
        std::span(job->ops).subspan(part.gets_end, part.writes_end - part.gets_end);
    const auto view = [](const Address& address) {
      return std::pair<std::string_view, std::string_view>(address.partition, address.key);
    };
    const bool clashes = std::ranges::any_of(writes, [&](const Op& op) {
      return written.contains(view(op.address)) || guards.contains(view(op.address)) ||
             (op.guarded && written.contains(view(op.guarded->guard)));
    });
    const std::size_t more_ops = part.end - part.begin;
    const bool fits = ops + more_ops <= kGroupOpsMax && bytes + job->bytes <= kGroupBytesMax;
    if (!taken.empty() && (clashes || !fits || job->alone)) {
      left.push_back(std::move(job));
      if (!fits) break;
      continue;
    }
    for (const Op& op : writes) {
      written.insert(view(op.address));
      if (op.guarded) guards.insert(view(op.guarded->guard));
    }
    ops += more_ops;
    bytes += job->bytes;
    taken.push_back(std::move(job));
    if (taken.back()->alone) break;
  }
  runs_.insert(runs_.begin(), left.begin(), left.end());
  return taken;
}

void Lane::add(PgConnection connection) {
  if (closing_) return;  // PQfinish: a moment, and rare
  auto retire_at = Clock::time_point::max();
  if (config_.lifetime.count() > 0) {
    // Spread, so that connections made together do not all end together.
    const auto byte = static_cast<unsigned char>(random_bytes(1)[0]);
    retire_at = Clock::now() + config_.lifetime + config_.lifetime * byte / 2'560;
  }
  auto session = std::make_shared<Session>(executor_, std::move(connection), retire_at,
                                           prepares_statements(config_.connection_string));
  sessions_.push_back(session);
  connections_gauge_.add(1);
  reachable_at_ = Clock::now();
  connect_error_ = nullptr;
  back_off_ = milliseconds(0);
  tasks_.spawn(executor_, "read answers", session->read(session, [this] { schedule(); }));
  schedule();
}

void Lane::remove_ended() {
  const auto gone = std::erase_if(sessions_, [](const auto& session) { return session->ended(); });
  connections_gauge_.add(-static_cast<std::int64_t>(gone));
  if (!sessions_.empty()) reachable_at_ = Clock::now();
}

void Lane::retire_idle() {
  const auto now = Clock::now();
  std::size_t idle = 0;
  for (auto& session : sessions_) {
    if (!session->idle() || session->ended()) continue;
    if (++idle > idle_max_ || session->retire_at() <= now) session->end();
  }
  remove_ended();
}

void Lane::want_connection() {
  if (connecting_ || closing_ || sessions_.size() >= connections_max_) return;
  connecting_ = tasks_.spawn(executor_, "connect", connect());
}

Task<> Lane::connect() {
  if (back_off_.count() > 0) {
    const auto byte = static_cast<unsigned char>(random_bytes(1)[0]);
    co_await io::sleep(back_off_ * (128 + byte / 2) / 256);
  }
  std::shared_ptr<PgConnection> made;
  std::exception_ptr failure;
  try {
    Context ctx;
    made = co_await pool_.run(ctx, [&config = config_, &stop = stop_, locks = locks_] {
      return std::make_shared<PgConnection>(connect_pipelined(config, stop, locks));
    });
  } catch (const Error& error) {
    failure = std::make_exception_ptr(Error(ErrorCode::unavailable, error.message()));
  }
  connecting_ = false;
  if (made != nullptr) {
    add(std::move(*made));
  } else {
    connect_error_ = failure;
    back_off_ = std::clamp(back_off_ * 2, kBackOffFirst, kBackOffMax);
    schedule();
  }
}

Task<> Lane::watch() {
  while (watch_once(Clock::now())) {
    co_await io::sleep(kTick);
  }
  watching_ = false;
}

template <class J>
bool Lane::expire(std::deque<std::shared_ptr<J>>& queue, Clock::time_point now) {
  const bool unreachable =
      sessions_.empty() && (closing_ || now - reachable_at_ >= config_.unreachable_after);
  std::erase_if(queue, [&](const std::shared_ptr<J>& job) {
    if (job->answered()) return true;
    if (job->deadline <= now) {
      // Never sent, or to be sent again because nothing had happened.
      job->fail(std::make_exception_ptr(
          Error(sessions_.empty() ? ErrorCode::unavailable : ErrorCode::deadline_exceeded,
                sessions_.empty() ? "metadata store cannot be reached"
                                  : "metadata store: deadline exceeded")));
    } else if (unreachable && (closing_ || now - job->queued_at >= config_.unreachable_after)) {
      job->fail(connect_error_ ? connect_error_
                               : std::make_exception_ptr(Error(
                                     ErrorCode::unavailable, "metadata store cannot be reached")));
    } else {
      return false;
    }
    settled(*job);
    return true;
  });
  return !queue.empty();
}

bool Lane::watch_once(Clock::time_point now) {
  remove_ended();
  const bool queued[] = {expire(reads_, now), expire(runs_, now), expire(queries_, now)};
  bool under_way = std::ranges::any_of(queued, std::identity());
  for (auto& session : sessions_) {
    if (session->ended() || session->idle()) continue;
    under_way = true;
    const bool awaited = session->expire(now);
    if (!awaited || now - session->oldest() > config_.statement_timeout + milliseconds(5'000)) {
      abandon(*session);
    }
  }
  remove_ended();
  if (under_way) schedule();
  return under_way;
}

void Lane::abandon(Session& session) {
  auto cancel = session.cancel_handle();
  session.end();
  if (cancel == nullptr) return;
  try {
    pool_.submit([cancel] {
      char error[256];
      static_cast<void>(PQcancel(cancel.get(), error, sizeof error));
    });
  } catch (const Error&) {
    // The pool is full: the server's statement_timeout ends the statement.
    log::warn("metadata store: a statement could not be cancelled");
  }
}

void Lane::check_drained() {
  if (!closing_ || unanswered_ > 0) return;
  for (auto& done : std::exchange(drained_, {}))
    done(nullptr, 0);
}

Task<> Lane::close() {
  co_await io::await_callback<char>([this](io::Callback<char> done) {
    asio::post(executor_, [this, d = std::move(done)]() mutable {
      closing_ = true;
      drained_.push_back(std::move(d));
      check_drained();
    });
  });
  co_await io::await_callback<char>([this](io::Callback<char> done) {
    asio::post(executor_, [this, d = std::move(done)]() mutable {
      for (auto& session : sessions_)
        session->end();
      remove_ended();
      d(nullptr, 0);
    });
  });
  tasks_.cancel();
  co_await tasks_.join();
  co_await io::await_callback<char>(
      [this](io::Callback<char> done) { when_still(std::move(done)); });
}

void Lane::when_still(io::Callback<char> done) {
  // Not simply what comes after the last task's work: what a handler posts to its own loop is
  // queued when it returns, and by then whoever waited for the task may have posted this.
  asio::post(executor_, [this, d = std::move(done)]() mutable {
    if (scheduled_) {
      when_still(std::move(d));
    } else {
      d(nullptr, 0);
    }
  });
}

}  // namespace tarn::kv
