#include "testing/co_test.h"

#include <chrono>
#include <deque>
#include <exception>
#include <memory>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include "base/format.h"

namespace tarn::testing::detail {

namespace {

constexpr std::chrono::seconds kWatchdog{120};

struct Outcome {
  bool ended = false;
  std::exception_ptr error;
};

/// A thread that has just resumed the coroutine may still be inside the loop's post() when the
/// coroutine has ended. So the loops of a test (its fixture may run several) are kept until another
/// test begins; by then what this one owns is joined. Bounded for tests that run very many.
void retire(std::unique_ptr<boost::asio::io_context> loop) {
  constexpr std::size_t kLoopsMax = 64;  // three descriptors each
  static std::deque<std::unique_ptr<boost::asio::io_context>> kept;
  static const ::testing::TestInfo* owner = nullptr;
  const auto* current = ::testing::UnitTest::GetInstance()->current_test_info();
  if (std::exchange(owner, current) != current) kept.clear();
  kept.push_back(std::move(loop));
  if (kept.size() > kLoopsMax) kept.pop_front();
}

}  // namespace

void run_to_end(const std::function<Task<>(Context&)>& body) {
  const auto deadline = Context::SteadyClock::now() + kWatchdog;
  auto loop = std::make_unique<boost::asio::io_context>(1);
  auto ctx = std::make_unique<Context>(deadline, "test");
  auto outcome = std::make_shared<Outcome>();
  // Work comes back from other threads, so an idle loop is not a finished one.
  auto work = boost::asio::make_work_guard(*loop);
  boost::asio::co_spawn(*loop, body(*ctx), [outcome](std::exception_ptr error) {
    outcome->ended = true;
    outcome->error = std::move(error);
  });
  while (!outcome->ended && Context::SteadyClock::now() < deadline)
    loop->run_one_until(deadline);
  if (!outcome->ended) {
    // Whoever still holds the coroutine may yet resume it: leak rather than pull the loop away.
    // NOLINTBEGIN(bugprone-unused-return-value)
    static_cast<void>(loop.release());
    static_cast<void>(ctx.release());
    // NOLINTEND(bugprone-unused-return-value)
    throw Error(ErrorCode::deadline_exceeded,
                format("the coroutine did not end within {} s", kWatchdog.count()));
  }
  loop->poll();  // what the coroutine's last steps posted
  work.reset();
  retire(std::move(loop));
  if (outcome->error) std::rethrow_exception(outcome->error);
}

void run_co_test(const std::function<Task<>(Context&)>& body) {
  try {
    run_to_end(body);
  } catch (const Error& error) {
    ADD_FAILURE_AT(error.where().file_name(), static_cast<int>(error.where().line()))
        << "escaped: Error{" << to_string(error.code()) << "}: " << error.message();
  } catch (const std::exception& error) {
    ADD_FAILURE() << "escaped: " << error.what();
  }
}

void expect_error(const char* file, int line, const char* expression, ErrorCode expected,
                  std::optional<ErrorCode> seen, const std::string& message) {
  if (seen == expected) return;
  auto failure = ::testing::Message()
                 << expression << "\n  expected: Error{" << to_string(expected) << "}\n  but it ";
  if (seen) {
    failure << "threw Error{" << to_string(*seen) << "}: " << message;
  } else {
    failure << "threw nothing";
  }
  ADD_FAILURE_AT(file, line) << failure;
}

}  // namespace tarn::testing::detail
