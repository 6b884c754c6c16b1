// One connection in pipeline mode, on the loop of its lane. Groups of statements go out together
// and are answered in order; what they mean is the groups' business.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include "base/context.h"
#include "base/task.h"
#include "kv/postgres/blocking_session.h"
#include "kv/postgres/jobs.h"
#include "kv/postgres/pg_error.h"

namespace tarn::kv {

class Session;

/// Which sort of work a connection is doing: one sort at a time, so that reads do not wait for
/// somebody's disk.
enum class Kind : std::uint8_t { read, write, query };
inline constexpr std::size_t kKinds = 3;

/// Statements in flight and the jobs that wait for them.
class Group {
 public:
  virtual ~Group() = default;

  /// Queues statements and syncs.
  virtual void send(Session& session) = 0;
  /// A statement's rows; `statement` counts from 0 within the group.
  virtual void on_result(std::size_t statement, SharedResult result) = 0;
  /// The end of a transaction: committed, or rolled back for `failure`.
  virtual void on_sync(std::size_t segment, const PgFailure* failure) = 0;
  /// The connection is gone. `failure`: what the server said to the transaction that was under way,
  /// before its commit began; null = nothing.
  virtual void on_lost(const PgFailure* failure) = 0;
  /// Answers jobs whose deadline has passed; true = somebody still waits.
  virtual bool expire(Context::SteadyClock::time_point now) = 0;
};

/// Used on the lane's thread only, and shared by the lane and its own coroutines.
class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(boost::asio::any_io_executor executor, PgConnection connection,
          Context::SteadyClock::time_point retire_at, bool prepared);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// Sends the group, or loses it.
  void start(std::unique_ptr<Group> group, Kind kind);

  // For Group::send().
  void execute(Statement statement, std::span<const std::string_view> parameters);
  void sync();

  /// Reads answers until the connection ends. `changed` is called after every batch of them.
  Task<> read(std::shared_ptr<Session> self, std::function<void()> changed);
  /// Sends what the socket did not take at once.
  Task<> flush(std::shared_ptr<Session> self);

  bool needs_flush() const { return needs_flush_ && !flushing_; }

  /// Idle connections may have been ended by the server: looks, and reads what is there.
  bool check_alive();

  /// Ends the connection; groups in flight are lost. Idempotent.
  void end();

  /// Lets the server stop what is under way: for another thread, blocking.
  std::shared_ptr<PGcancel> cancel_handle() const;

  bool ended() const { return connection_ == nullptr; }

  bool idle() const { return flights_.empty(); }

  std::size_t groups() const { return flights_.size(); }

  Kind kind() const { return kind_; }

  Context::SteadyClock::time_point retire_at() const { return retire_at_; }

  /// Answers jobs that are late; false = groups are in flight, but nobody waits for them.
  bool expire(Context::SteadyClock::time_point now);
  /// Since when the oldest group is in flight.
  Context::SteadyClock::time_point oldest() const;

 private:
  struct Flight {
    std::unique_ptr<Group> group;
    std::size_t entries = 0;  // statements and syncs not answered yet
    std::size_t next_statement = 0;
    std::size_t next_segment = 0;
    std::optional<PgFailure> failure;  // of the segment under way
    bool failed_at_sync = false;
    Context::SteadyClock::time_point since;
  };

  enum class Entry : std::uint8_t { statement, sync };

  void consume();
  void drain();
  void on_entry_result(const SharedResult& result);
  void pop_entry();

  boost::asio::posix::stream_descriptor socket_;
  PgConnection connection_;
  const Context::SteadyClock::time_point retire_at_;
  const bool prepared_;  // the statements; else each is sent with its text
  Kind kind_ = Kind::read;
  std::deque<Flight> flights_;
  std::deque<Entry> entries_;   // of all flights, in order
  bool answered_head_ = false;  // entries_.front() has had a result
  int empty_results_ = 0;
  bool broken_ = false;
  bool needs_flush_ = false;
  bool flushing_ = false;
};

}  // namespace tarn::kv
