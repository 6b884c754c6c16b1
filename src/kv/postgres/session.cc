#include "kv/postgres/session.h"

#include <array>
#include <exception>
#include <utility>
#include <vector>

#include <poll.h>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/error.h"
#include "base/log.h"

namespace tarn::kv {

namespace asio = boost::asio;

namespace {

using Wait = asio::posix::stream_descriptor::wait_type;

// Between two results libpq reports the end of a statement once; more than that and nothing in
// between means that it and we disagree about what is in flight.
constexpr int kEmptyResultsMax = 8;

}  // namespace

Session::Session(asio::any_io_executor executor, PgConnection connection,
                 Context::SteadyClock::time_point retire_at, bool prepared)
    : socket_(std::move(executor), PQsocket(connection.get())),
      connection_(std::move(connection)),
      retire_at_(retire_at),
      prepared_(prepared) {}

Session::~Session() {
  end();
}

void Session::start(std::unique_ptr<Group> group, Kind kind) {
  TARN_ASSERT(!ended());
  kind_ = kind;
  flights_.push_back({.since = Context::SteadyClock::now()});
  group->send(*this);
  flights_.back().group = std::move(group);
  if (!broken_ && !needs_flush_) {
    const int left = PQflush(connection_.get());
    needs_flush_ = left == 1;
    broken_ = left < 0;
  }
  if (broken_) end();
}

void Session::execute(Statement statement, std::span<const std::string_view> parameters) {
  constexpr std::size_t kParametersMax = 7;
  TARN_ASSERT(parameters.size() <= kParametersMax);
  std::array<const char*, kParametersMax> values{};
  std::array<int, kParametersMax> lengths{};
  std::array<int, kParametersMax> formats{};
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    // An empty view may have no address, which would mean NULL.
    values[i] = parameters[i].empty() ? "" : parameters[i].data();
    lengths[i] = static_cast<int>(parameters[i].size());
    formats[i] = 1;
  }
  entries_.push_back(Entry::statement);
  ++flights_.back().entries;
  if (broken_) return;
  const PreparedStatement& text = kv::prepared(statement);
  const int count = static_cast<int>(parameters.size());
  const int sent = prepared_ ? PQsendQueryPrepared(connection_.get(), text.name, count,
                                                   values.data(), lengths.data(), formats.data(), 1)
                             : PQsendQueryParams(connection_.get(), text.sql, count, nullptr,
                                                 values.data(), lengths.data(), formats.data(), 1);
  broken_ = sent != 1;
}

void Session::sync() {
  entries_.push_back(Entry::sync);
  ++flights_.back().entries;
  broken_ = broken_ || PQpipelineSync(connection_.get()) != 1;
}

Task<> Session::read(std::shared_ptr<Session> self, std::function<void()> changed) {
  static_cast<void>(self);  // keeps this alive
  while (!ended()) {
    boost::system::error_code error;
    co_await socket_.async_wait(Wait::wait_read, asio::redirect_error(asio::use_awaitable, error));
    if (ended()) break;
    if (error) {
      end();
    } else {
      consume();
    }
    changed();
  }
}

Task<> Session::flush(std::shared_ptr<Session> self) {
  static_cast<void>(self);
  flushing_ = true;
  while (!ended()) {
    boost::system::error_code error;
    co_await socket_.async_wait(Wait::wait_write, asio::redirect_error(asio::use_awaitable, error));
    if (ended()) break;
    const int left = error ? -1 : PQflush(connection_.get());
    if (left < 0) end();
    if (left == 1) continue;
    needs_flush_ = false;
    break;
  }
  flushing_ = false;
}

bool Session::check_alive() {
  if (ended()) return false;
  if (!idle()) return true;
  pollfd entry{.fd = PQsocket(connection_.get()), .events = POLLIN, .revents = 0};
  if (::poll(&entry, 1, 0) > 0) consume();
  return !ended();
}

void Session::consume() {
  const bool open = PQconsumeInput(connection_.get()) == 1;
  drain();
  if (ended()) return;
  if (!open || broken_ || PQstatus(connection_.get()) == CONNECTION_BAD) end();
}

void Session::drain() {
  while (!entries_.empty() && !broken_ && PQisBusy(connection_.get()) == 0) {
    const SharedResult result(PQgetResult(connection_.get()), &PQclear);
    if (result != nullptr) {
      empty_results_ = 0;
      on_entry_result(result);
    } else if (answered_head_ && entries_.front() == Entry::statement) {
      pop_entry();
    } else {
      broken_ = ++empty_results_ > kEmptyResultsMax;
    }
  }
}

void Session::on_entry_result(const SharedResult& result) {
  Flight& flight = flights_.front();
  const bool at_sync = entries_.front() == Entry::sync;
  switch (PQresultStatus(result.get())) {
    case PGRES_PIPELINE_SYNC: {
      if (!at_sync) {
        broken_ = true;
        return;
      }
      const std::optional<PgFailure> failure = std::exchange(flight.failure, std::nullopt);
      flight.group->on_sync(flight.next_segment++, failure ? &*failure : nullptr);
      if (failure && failure->fatal()) broken_ = true;
      pop_entry();
      return;
    }
    case PGRES_TUPLES_OK:
    case PGRES_COMMAND_OK:
      if (at_sync) {
        broken_ = true;
        return;
      }
      flight.group->on_result(flight.next_statement, result);
      break;
    case PGRES_PIPELINE_ABORTED: break;
    default:
      if (!flight.failure) {
        flight.failure = failure_of(*result);
        flight.failed_at_sync = at_sync;
      }
  }
  answered_head_ = !at_sync;
}

void Session::pop_entry() {
  Flight& flight = flights_.front();
  if (entries_.front() == Entry::statement) ++flight.next_statement;
  entries_.pop_front();
  answered_head_ = false;
  if (--flight.entries == 0) flights_.pop_front();
}

void Session::end() {
  if (ended()) return;
  static_cast<void>(socket_.release());  // libpq closes it
  connection_.reset();
  entries_.clear();
  auto flights = std::exchange(flights_, {});
  for (bool first = true; Flight & flight : flights) {
    if (flight.group == nullptr) continue;
    const bool said = first && flight.failure && !flight.failed_at_sync;
    flight.group->on_lost(said ? &*flight.failure : nullptr);
    first = false;
  }
}

std::shared_ptr<PGcancel> Session::cancel_handle() const {
  return {PQgetCancel(connection_.get()), &PQfreeCancel};
}

bool Session::expire(Context::SteadyClock::time_point now) {
  bool awaited = flights_.empty();
  for (Flight& flight : flights_)
    awaited = flight.group->expire(now) || awaited;
  return awaited;
}

Context::SteadyClock::time_point Session::oldest() const {
  return flights_.empty() ? Context::SteadyClock::now() : flights_.front().since;
}

}  // namespace tarn::kv
