// Calls of the store on their way through a lane: what is asked, by when, and who waits.
#pragma once

#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <libpq-fe.h>

#include "base/context.h"
#include "io/await_callback.h"
#include "kv/postgres/run_plan.h"
#include "kv/postgres/statements.h"
#include "kv/store.h"

namespace tarn::kv {

using Found = std::optional<std::string>;
using SharedResult = std::shared_ptr<const PGresult>;

/// Used on the lane's thread only. Whoever waits is answered once; a job that was answered early
/// (its deadline passed) may still be in flight.
class Job {
 public:
  Job(Context::Deadline by, std::size_t size) : deadline(by), bytes(size) {}

  virtual ~Job() = default;
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;

  bool answered() const { return answered_; }

  void fail(std::exception_ptr error) {
    if (!std::exchange(answered_, true)) answer_error(std::move(error));
  }

  const Context::Deadline deadline;
  const std::size_t bytes;
  Context::SteadyClock::time_point queued_at = Context::SteadyClock::now();
  int attempts = 0;

 protected:
  virtual void answer_error(std::exception_ptr error) = 0;

  bool answered_ = false;
};

struct ReadJob final : Job {
  using Done = io::Callback<std::vector<Found>>;

  ReadJob(Context::Deadline by, std::vector<Address> asked, Done waiter)
      : Job(by, 0), addresses(std::move(asked)), found(addresses.size()), done(std::move(waiter)) {}

  void succeed() {
    if (!std::exchange(answered_, true)) done(nullptr, std::move(found));
  }

  const std::vector<Address> addresses;
  std::vector<Found> found;
  Done done;

 protected:
  void answer_error(std::exception_ptr error) override { done(std::move(error), {}); }
};

struct RunJob final : Job {
  using Done = io::Callback<std::vector<OpResult>>;

  RunJob(Context::Deadline by, std::vector<Op> steps, Done waiter)
      : Job(by, bytes_of(steps)),
        ops(std::move(steps)),
        results(ops.size()),
        part(plan_part(ops, 0)),
        done(std::move(waiter)) {}

  void succeed() {
    if (!std::exchange(answered_, true)) done(nullptr, std::move(results));
  }

  const std::vector<Op> ops;
  std::vector<OpResult> results;
  RunPart part;        // to be executed next
  bool alone = false;  // shares no transaction: somebody in it made one fail
  Done done;

 protected:
  void answer_error(std::exception_ptr error) override { done(std::move(error), {}); }
};

/// One statement with many rows to answer: pages.
struct QueryJob final : Job {
  using Done = io::Callback<SharedResult>;

  QueryJob(Context::Deadline by, Statement asked, std::vector<std::string> values, Done waiter)
      : Job(by, 0), statement(asked), parameters(std::move(values)), done(std::move(waiter)) {}

  void succeed(SharedResult result) {
    if (!std::exchange(answered_, true)) done(nullptr, std::move(result));
  }

  const Statement statement;
  const std::vector<std::string> parameters;
  Done done;

 protected:
  void answer_error(std::exception_ptr error) override { done(std::move(error), {}); }
};

}  // namespace tarn::kv
