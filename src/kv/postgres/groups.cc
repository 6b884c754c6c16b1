#include "kv/postgres/groups.h"

#include <algorithm>
#include <array>
#include <map>
#include <string_view>
#include <utility>

#include "base/error.h"

namespace tarn::kv {

namespace {

using Now = Context::SteadyClock::time_point;

// Repeats after what the server calls transient, and reads after lost connections.
constexpr int kAttemptsMax = 30;

std::string_view field(const PGresult& result, int row, int column) {
  return {PQgetvalue(&result, row, column),
          static_cast<std::size_t>(PQgetlength(&result, row, column))};
}

std::exception_ptr deadline_error() {
  return std::make_exception_ptr(
      Error(ErrorCode::deadline_exceeded, "metadata store: deadline exceeded"));
}

bool takes_arrays(Statement statement) {
  switch (statement) {
    case Statement::set_many:
    case Statement::set_while:
    case Statement::erase_any:
    case Statement::erase_while: return true;
    default: return false;
  }
}

/// Jobs of one sort: answering them early and giving them back.
template <class J>
class Waiters {
 public:
  Waiters(JobOwner& owner, std::vector<std::shared_ptr<J>> jobs)
      : owner_(owner), jobs_(std::move(jobs)) {}

  const std::vector<std::shared_ptr<J>>& all() const { return jobs_; }

  bool expire(Now now) {
    bool awaited = false;
    for (auto& job : jobs_) {
      if (job->deadline <= now) fail(*job, deadline_error());
      awaited = awaited || !job->answered();
    }
    return awaited;
  }

  void fail(J& job, std::exception_ptr error) {
    if (job.answered()) return;
    job.fail(std::move(error));
    owner_.settled(job);
  }

  template <class... Result>
  void succeed(J& job, Result... result) {
    if (job.answered()) return;
    job.succeed(std::move(result)...);
    owner_.settled(job);
  }

  void again(const std::shared_ptr<J>& job, const std::exception_ptr& error) {
    if (job->answered()) return;
    if (++job->attempts > kAttemptsMax) {
      fail(*job, error);
    } else {
      owner_.again(job);
    }
  }

 private:
  JobOwner& owner_;
  std::vector<std::shared_ptr<J>> jobs_;
};

/// Gets of several callers: one statement per partition, each key asked once.
class Gets {
 public:
  void add(const Address& address, Found& into) {
    wanted_[address.partition].push_back({address.key, &into});
  }

  /// Sends the statements, which count from `first` within their group; returns how many.
  std::size_t send(Session& session, std::size_t first) {
    first_ = first;
    for (auto& [partition, keys] : wanted_) {
      std::ranges::sort(keys, {}, &Wanted::key);
      const bool one = keys.front().key == keys.back().key;
      std::string array;
      if (!one) {
        std::vector<std::string_view> unique;
        for (const Wanted& wanted : keys) {
          if (unique.empty() || unique.back() != wanted.key) unique.push_back(wanted.key);
        }
        array = encode_array(unique);
      }
      const std::array<std::string_view, 2> parameters = {partition,
                                                          one ? keys.front().key : array};
      session.execute(one ? Statement::get : Statement::get_any, parameters);
      sent_.push_back(&keys);
    }
    return sent_.size();
  }

  bool owns(std::size_t statement) const {
    return statement >= first_ && statement - first_ < sent_.size();
  }

  void on_result(std::size_t statement, const PGresult& result) {
    std::vector<Wanted>& keys = *sent_[statement - first_];
    for (Wanted& wanted : keys)
      wanted.into->reset();
    const bool one = PQnfields(&result) == 1;  // get, else get_any
    for (int row = 0; row < PQntuples(&result); ++row) {
      const std::string_view key = one ? keys.front().key : field(result, row, 0);
      const std::string_view value = field(result, row, one ? 0 : 1);
      for (Wanted& wanted : std::ranges::equal_range(keys, key, {}, &Wanted::key))
        *wanted.into = std::string(value);
    }
  }

 private:
  struct Wanted {
    std::string_view key;
    Found* into;
  };

  std::map<std::string_view, std::vector<Wanted>> wanted_;
  std::vector<std::vector<Wanted>*> sent_;
  std::size_t first_ = 0;
};

class ReadGroup final : public Group {
 public:
  ReadGroup(JobOwner& owner, std::vector<std::shared_ptr<ReadJob>> jobs)
      : waiters_(owner, std::move(jobs)) {
    for (auto& job : waiters_.all()) {
      for (std::size_t i = 0; i < job->addresses.size(); ++i)
        gets_.add(job->addresses[i], job->found[i]);
    }
  }

  void send(Session& session) override {
    gets_.send(session, 0);
    session.sync();
  }

  void on_result(std::size_t statement, SharedResult result) override {
    gets_.on_result(statement, *result);
  }

  void on_sync(std::size_t, const PgFailure* failure) override {
    for (auto& job : waiters_.all()) {
      if (failure == nullptr) {
        waiters_.succeed(*job);
      } else if (failure->transient() || failure->fatal()) {
        waiters_.again(job, to_exception(*failure));
      } else {
        waiters_.fail(*job, to_exception(*failure));
      }
    }
  }

  void on_lost(const PgFailure*) override {
    for (auto& job : waiters_.all())
      waiters_.again(job, lost_connection());
  }

  bool expire(Now now) override { return waiters_.expire(now); }

 private:
  Waiters<ReadJob> waiters_;
  Gets gets_;
};

class WriteGroup final : public Group {
 public:
  WriteGroup(JobOwner& owner, std::vector<std::shared_ptr<RunJob>> jobs, bool locks)
      : waiters_(owner, std::move(jobs)) {
    std::vector<const Op*> writes;
    for (auto& job : waiters_.all()) {
      const RunPart& part = job->part;
      for (std::size_t i = part.begin; i < part.end; ++i) {
        const Op& op = job->ops[i];
        OpResult& result = job->results[i];
        if (op.kind != Op::Kind::get) {
          writes.push_back(&op);
          results_[&op] = &result;
        } else {
          (i < part.gets_end ? before_ : after_).add(op.address, result.found);
        }
      }
      has_after_ = has_after_ || part.end > part.writes_end;
    }
    if (locks) locks_ = guard_locks(writes);
    writes_ = arrange_writes(std::move(writes));
  }

  void send(Session& session) override {
    first_write_ = before_.send(session, 0) + locks_.size();
    // Statements of their own: what follows them sees the rows as they are once the lock is held.
    for (const GuardLock& lock : locks_) {
      const std::string number = encode_int(lock.number);
      const std::array<std::string_view, 1> parameters = {number};
      session.execute(lock.shared ? Statement::share_lock : Statement::lock, parameters);
    }
    for (const WriteStatement& write : writes_)
      send_write(session, write);
    session.sync();
    if (!has_after_) return;
    after_.send(session, first_write_ + writes_.size());
    session.sync();
  }

  void on_result(std::size_t statement, SharedResult result) override {
    if (before_.owns(statement)) {
      before_.on_result(statement, *result);
    } else if (after_.owns(statement)) {
      // Rolled back, the jobs may be in flight elsewhere by now.
      if (committed_) after_.on_result(statement, *result);
    } else if (statement >= first_write_) {
      const WriteStatement& write = writes_[statement - first_write_];
      const std::string_view rows = PQcmdTuples(const_cast<PGresult*>(result.get()));
      for (const Op* op : write.ops) {
        if (op->conditional()) results_[op]->stored = rows != "0";
      }
    }
  }

  void on_sync(std::size_t segment, const PgFailure* failure) override {
    if (segment == 0) {
      committed_ = failure == nullptr;
      for (auto& job : waiters_.all()) {
        if (!committed_) {
          rolled_back(job, *failure);
        } else {
          // The gets at the end are the next thing to do, unless they are answered right away.
          job->part.begin = job->part.gets_end = job->part.writes_end;
          if (!has_after_) go_on(job);
        }
      }
    } else if (committed_) {
      for (auto& job : waiters_.all()) {
        if (failure == nullptr) {
          go_on(job);
        } else if (failure->transient() || failure->fatal()) {
          waiters_.again(job, to_exception(*failure));
        } else {
          waiters_.fail(*job, to_exception(*failure));
        }
      }
    }
  }

  void on_lost(const PgFailure* failure) override {
    const bool nothing_happened = !committed_ && failure != nullptr && failure->fatal();
    for (auto& job : waiters_.all()) {
      if (committed_ || nothing_happened) {
        waiters_.again(job, lost_connection());
      } else {
        waiters_.fail(*job, lost_connection());
      }
    }
  }

  bool expire(Now now) override { return waiters_.expire(now); }

 private:
  void send_write(Session& session, const WriteStatement& write) {
    const Op& op = *write.ops.front();
    std::vector<std::string_view> parameters{op.address.partition, op.address.key};
    std::string arrays[3];
    const bool erases = op.kind == Op::Kind::erase;
    if (takes_arrays(write.statement)) {
      std::vector<std::string_view> elements(write.ops.size());
      const auto encode = [&](auto member) {
        std::ranges::transform(write.ops, elements.begin(), member);
        return encode_array(elements);
      };
      arrays[1] = encode([](const Op* o) -> std::string_view { return o->address.key; });
      parameters[1] = arrays[1];
      if (!erases) {
        arrays[0] = encode([](const Op* o) -> std::string_view { return o->address.partition; });
        arrays[2] = encode([](const Op* o) -> std::string_view { return o->value; });
        parameters[0] = arrays[0];
        parameters.emplace_back(arrays[2]);
      }
    } else if (!erases) {
      parameters.emplace_back(op.value);
      const bool compares = op.expect && op.expect->kind() == Expect::Kind::value;
      if (compares) parameters.emplace_back(op.expect->stored());
    }
    if (op.guarded) {
      parameters.emplace_back(op.guarded->guard.partition);
      parameters.emplace_back(op.guarded->guard.key);
      parameters.emplace_back(op.guarded->stored);
    }
    session.execute(write.statement, parameters);
  }

  /// The part is done: the next one, or the answer.
  void go_on(const std::shared_ptr<RunJob>& job) {
    if (job->answered()) return;
    const std::size_t next = job->part.end;
    if (next == job->ops.size()) {
      waiters_.succeed(*job);
      return;
    }
    job->part = plan_part(job->ops, next);
    job->attempts = 0;
    waiters_.again(job, nullptr);
  }

  void rolled_back(const std::shared_ptr<RunJob>& job, const PgFailure& failure) {
    if (failure.transient() || failure.fatal()) {
      waiters_.again(job, to_exception(failure));
    } else if (waiters_.all().size() > 1) {
      job->alone = true;  // to find out whose fault it is
      waiters_.again(job, to_exception(failure));
    } else {
      waiters_.fail(*job, to_exception(failure));
    }
  }

  Waiters<RunJob> waiters_;
  Gets before_;
  std::vector<GuardLock> locks_;
  std::vector<WriteStatement> writes_;
  Gets after_;
  std::map<const Op*, OpResult*> results_;
  std::size_t first_write_ = 0;
  bool has_after_ = false;
  bool committed_ = false;
};

class QueryGroup final : public Group {
 public:
  QueryGroup(JobOwner& owner, std::shared_ptr<QueryJob> job) : waiters_(owner, {std::move(job)}) {}

  void send(Session& session) override {
    const QueryJob& job = *waiters_.all().front();
    const std::vector<std::string_view> parameters(job.parameters.begin(), job.parameters.end());
    session.execute(job.statement, parameters);
    session.sync();
  }

  void on_result(std::size_t, SharedResult result) override { result_ = std::move(result); }

  void on_sync(std::size_t, const PgFailure* failure) override {
    const auto& job = waiters_.all().front();
    if (failure == nullptr) {
      waiters_.succeed(*job, std::move(result_));
    } else if (failure->transient() || failure->fatal()) {
      waiters_.again(job, to_exception(*failure));
    } else {
      waiters_.fail(*job, to_exception(*failure));
    }
  }

  void on_lost(const PgFailure*) override {
    waiters_.again(waiters_.all().front(), lost_connection());
  }

  bool expire(Now now) override { return waiters_.expire(now); }

 private:
  Waiters<QueryJob> waiters_;
  SharedResult result_;
};

}  // namespace

std::exception_ptr lost_connection() {
  return std::make_exception_ptr(
      Error(ErrorCode::unavailable, "metadata store: the connection was lost"));
}

std::unique_ptr<Group> make_group(JobOwner& owner, std::vector<std::shared_ptr<ReadJob>> jobs) {
  return std::make_unique<ReadGroup>(owner, std::move(jobs));
}

std::unique_ptr<Group> make_group(JobOwner& owner, std::vector<std::shared_ptr<RunJob>> jobs,
                                  bool locks) {
  return std::make_unique<WriteGroup>(owner, std::move(jobs), locks);
}

std::unique_ptr<Group> make_group(JobOwner& owner, std::shared_ptr<QueryJob> job) {
  return std::make_unique<QueryGroup>(owner, std::move(job));
}

}  // namespace tarn::kv
