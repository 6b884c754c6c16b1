// Every call to the metadata store fails once, before, halfway and after: an installation is set up
// whole or not at all, by a process that may have been restarted meanwhile, and credentials work or
// do not exist.
#include <functional>
#include <optional>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "auth/authority.h"
#include "base/error.h"
#include "base/format.h"
#include "kv/mem/mem_store.h"
#include "kv/testing/faulty_store.h"
#include "testing/co_test.h"
#include "testing/fake_clock.h"

namespace tarn::auth {
namespace {

using kv::testing::Fault;

constexpr std::uint64_t kCallsMax = 100;
const std::pair<std::string, std::string> kKey("AKIATARNFAULTS000001", "secret");

struct World {
  testing::FakeClock clock;
  kv::MemStore kv;
  kv::testing::FaultyStore faulty{kv};
  std::optional<Authority> server;

  World() { restart(); }

  void restart() { server.emplace(faulty, clock, AuthConfig{.secret_key = "test key"}); }

  /// What another process, without faults, lets in.
  Task<std::set<std::string>> state(Context& ctx) {
    Authority reader(kv, clock, {.secret_key = "test key"});
    co_await reader.open(ctx);
    std::set<std::string> rows;
    if (!co_await reader.is_initialized(ctx)) co_return rows;
    rows.insert("set up");
    rows.insert(format("preferences {}", (co_await reader.comm_prefs_set(ctx)).value_or(false)));
    const auto principal = co_await reader.authenticate_basic(ctx, kKey.first, kKey.second);
    rows.insert(principal ? "the key works for " + principal->user.username : "no key");
    const auto credentials = co_await reader.list_credentials(ctx, "admin");
    rows.insert(format("{} credentials", credentials.size()));
    for (const Credential& one : credentials)
      EXPECT_TRUE(co_await reader.find_secret(ctx, one.access_key_id));
    co_return rows;
  }
};

using Act = std::function<Task<>(Context&, World&)>;

struct Operation {
  std::string_view name;
  Act prepare;
  Act run;
  std::set<ErrorCode> done_already;
  bool adds = false;  // a repetition after a lost answer adds one more

  // For gtest's messages.
  friend void PrintTo(const Operation& operation,  // NOLINT(readability-identifier-naming)
                      std::ostream* out) {
    *out << operation.name;
  }
};

Task<> nothing(Context&, World&) {
  co_return;
}

Task<> open(Context& ctx, World& w) {
  return w.server->open(ctx);
}

Task<> set_up(Context& ctx, World& w) {
  co_await w.server->open(ctx);
  co_await w.server->setup(ctx, "admin", kKey);
}

Task<> create_credentials(Context& ctx, World& w) {
  const auto made = co_await w.server->create_credentials(ctx, "admin");
  EXPECT_TRUE(co_await w.server->authenticate_basic(ctx, made.credential.access_key_id,
                                                    made.secret_access_key));
}

Task<> delete_credentials(Context& ctx, World& w) {
  co_await w.server->delete_credentials(ctx, "admin", kKey.first);
}

Task<> set_preferences(Context& ctx, World& w) {
  return w.server->set_comm_prefs(ctx, {.email = "a@b", .first_name = "A"});
}

std::vector<Operation> operations() {
  return {{"SetUp", nothing, set_up, {ErrorCode::already_exists}},
          {"SetUpOpened", open, set_up, {ErrorCode::already_exists}},
          {"CreateCredentials", set_up, create_credentials, {}, true},
          {"DeleteCredentials", set_up, delete_credentials, {}},
          {"SetPreferences", set_up, set_preferences, {}}};
}

class AuthorityFaults : public ::testing::TestWithParam<Operation> {};

Task<std::optional<ErrorCode>> ends_in(Context& ctx, World& w, const Operation& operation) {
  try {
    co_await operation.run(ctx, w);
  } catch (const Error& error) {
    co_return error.code();
  }
  co_return std::nullopt;
}

struct States {
  std::set<std::string> before, after;
};

Task<States> states_without_faults(Context& ctx, const Operation& operation) {
  World w;
  co_await operation.prepare(ctx, w);
  States states{.before = co_await w.state(ctx), .after = {}};
  co_await operation.run(ctx, w);
  states.after = co_await w.state(ctx);
  EXPECT_NE(states.before, states.after);
  co_return states;
}

Task<> check_after_fault(Context& ctx, World& w, const Operation& operation, const States& states,
                         std::optional<ErrorCode> ended) {
  w.restart();
  const auto left = co_await w.state(ctx);
  EXPECT_TRUE(left == states.after || (ended && left == states.before))
      << ::testing::PrintToString(left);
  const auto again = co_await ends_in(ctx, w, operation);
  if (again) {
    EXPECT_TRUE(operation.done_already.contains(*again) && left == states.after)
        << to_string(*again);
  }
  if (operation.adds && left == states.after) co_return;
  EXPECT_EQ(co_await w.state(ctx), states.after) << "after another try";
}

CO_TEST_P(AuthorityFaults, LeaveTheOldStateOrTheNewAndCanBeTriedAgain) {
  const Operation& operation = self.GetParam();
  const States states = co_await states_without_faults(ctx, operation);
  for (const Fault fault : {Fault::before, Fault::midway, Fault::after}) {
    for (std::uint64_t n = 1;; ++n) {
      SCOPED_TRACE(format("store call {}, fault {}", n, static_cast<int>(fault)));
      World w;
      co_await operation.prepare(ctx, w);
      w.restart();
      w.faulty.fail_nth(n, fault);
      const auto ended = co_await ends_in(ctx, w, operation);
      const bool struck = w.faulty.failures() > 0;
      w.faulty.heal();
      co_await check_after_fault(ctx, w, operation, states, ended);
      if (!struck) break;
      CO_ASSERT_TRUE(n < kCallsMax);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Operations, AuthorityFaults, ::testing::ValuesIn(operations()),
                         [](const auto& operation) { return std::string(operation.param.name); });

}  // namespace
}  // namespace tarn::auth
