// Every call to the stores fails once, before, halfway and after; every round trip to PostgreSQL
// and every request to DynamoDB or an S3 service fails once, in each way it can, and from there on
// for good.
// What is left, opened anew, is the state before the operation or the one after it; fsck finds it
// whole, nothing stays behind, and trying again gets there.
//
// TARN_FAULTS=all tries every operation with every trouble on every pair of stores, moto included;
// otherwise PostgreSQL and S3 are tried together, and DynamoDB with files, at the wire, with a few
// operations and half of the troubles.
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/format.h"
#include "block/s3/testing/moto.h"
#include "catalog/fault_world_test_support.h"
#include "testing/co_test.h"
#include "testing/postgres_cluster.h"

namespace tarn::catalog::faults {
namespace {

using http::testing::ServiceFault;
using http::testing::TroubledService;
using std::chrono::milliseconds;
using testing::PostgresTrouble;
using Wire = World::Wire;

constexpr std::uint64_t kCallsMax = 300;
// What a caller waits for stores that are dead; more where it does not come to the fault in time.
constexpr milliseconds kPatience(100);
constexpr milliseconds kPatienceMax(60'000);

struct Case {
  StoreKinds kinds;
  const Operation* operation = nullptr;

  // For gtest's messages.
  friend void PrintTo(const Case& one,
                      std::ostream* out) {  // NOLINT(readability-identifier-naming)
    *out << to_string(one.kinds) << " " << one.operation->name;
  }
};

/// One way to fail the n-th of something.
struct Trouble {
  std::string name;
  Wire wire = Wire::none;
  std::function<void(World&, std::uint64_t)> strike;
  std::function<bool(World&, std::uint64_t)> struck;  // whether it came to that; ends it
  std::size_t leaks_max = 0;  // uploads that may stay open, for the bucket's rule to end
  bool often = false;         // tried every day
};

bool tries_everything() {
  const char* const faults = std::getenv("TARN_FAULTS");
  return faults != nullptr && std::string_view(faults) == "all";
}

// --- at the calls ---

Trouble store_call(kv::testing::Fault fault) {
  return {.name = format("store call, fault {}", static_cast<int>(fault)),
          .strike = [fault](World& w, std::uint64_t n) { w.faulty_kv->fail_nth(n, fault); },
          .struck =
              [](World& w, std::uint64_t) {
                const bool struck = w.faulty_kv->failures() > 0;
                w.faulty_kv->heal();
                return struck;
              }};
}

Trouble object_call(block::testing::Fault fault) {
  return {.name = format("object call, fault {}", static_cast<int>(fault)),
          .strike =
              [fault](World& w, std::uint64_t n) {
                w.faulty_objects->fail_nth(n, 1, ErrorCode::unavailable, fault);
              },
          .struck =
              [](World& w, std::uint64_t n) {
                const bool struck = w.faulty_objects->calls() >= n;
                w.faulty_objects->never_fail();
                return struck;
              },
          .leaks_max = 1};  // one whose id was lost, or that could not be ended
}

std::vector<Trouble> call_troubles(const Operation& operation) {
  std::vector<Trouble> all;
  for (const auto fault :
       {kv::testing::Fault::before, kv::testing::Fault::midway, kv::testing::Fault::after}) {
    // Writes of one step have no half-way; those tests would repeat the first.
    if (fault == kv::testing::Fault::midway && operation.one_step) continue;
    all.push_back(store_call(fault));
  }
  for (const auto fault : {block::testing::Fault::before, block::testing::Fault::after})
    all.push_back(object_call(fault));
  return all;
}

// --- at the wire ---

bool postgres_struck(World& w, std::uint64_t) {
  const bool struck = w.ground.postgres->trouble.struck();
  w.ground.postgres->trouble.heal();
  return struck;
}

void add_postgres_troubles(std::vector<Trouble>& all) {
  using Fault = PostgresTrouble::Fault;
  for (const Fault fault : {Fault::before, Fault::after, Fault::torn}) {
    Trouble once{.name = format("round trip, fault {}", static_cast<int>(fault)),
                 .wire = Wire::fails,
                 .struck = postgres_struck,
                 .often = fault != Fault::torn};
    once.strike = [fault](World& w, std::uint64_t n) {
      w.ground.postgres->trouble.fail_nth(n, fault);
    };
    all.push_back(std::move(once));
    if (fault == Fault::torn) continue;
    Trouble dead{.name = format("dead from round trip, fault {}", static_cast<int>(fault)),
                 .wire = Wire::dies,
                 .struck = postgres_struck,
                 .often = fault == Fault::after};
    dead.strike = [fault](World& w, std::uint64_t n) {
      w.ground.postgres->trouble.fail_from(n, fault);
    };
    all.push_back(std::move(dead));
  }
}

/// An HTTP service of the world, and what may be said of its troubles.
struct Front {
  std::string_view name;
  TroubledService& (*of)(World&);
  std::size_t attempts;  // of one request
  std::vector<ServiceFault> faults;
  bool uploads = false;  // some requests make ids, which may be lost
};

Trouble service_trouble(const Front& front, std::string name) {
  return {.name = format("{} {}", front.name, name),
          .wire = Wire::fails,
          .struck = [of = front.of](World& w, std::uint64_t) {
            const bool struck = !of(w).struck().empty();
            of(w).heal();
            return struck;
          }};
}

void add_service_troubles(std::vector<Trouble>& all, const Front& front) {
  using enum ServiceFault;
  for (const auto fault : front.faults) {
    const bool id_may_be_lost = fault == lost_answer || fault == half_body;
    Trouble once = service_trouble(front, format("request, {}", to_string(fault)));
    once.leaks_max = front.uploads && id_may_be_lost ? 1 : 0;
    once.often = fault == lost_answer;
    once.strike = [=, of = front.of](World& w, std::uint64_t n) { of(w).fail_nth(n, fault); };
    all.push_back(std::move(once));
    if (fault != reset_before && fault != lost_answer) continue;
    Trouble dead = service_trouble(front, format("dead from request, {}", to_string(fault)));
    dead.wire = Wire::dies;
    dead.leaks_max = front.uploads ? 1 : 0;
    dead.often = fault == lost_answer;
    dead.strike = [=, of = front.of](World& w, std::uint64_t n) {
      of(w).fail_from(n, fault, reset_before);
    };
    all.push_back(std::move(dead));
  }
  // As often as a request is repeated: it fails, and what it has to tidy up can be.
  Trouble longer = service_trouble(front, "request and all its repetitions");
  longer.often = true;
  longer.strike = [of = front.of, times = front.attempts](World& w, std::uint64_t n) {
    of(w).fail_nth(n, internal_error, times);
  };
  all.push_back(std::move(longer));
}

void add_dynamo_troubles(std::vector<Trouble>& all) {
  using enum ServiceFault;
  add_service_troubles(
      all,
      {.name = "DynamoDB",
       .of = [](World& w) -> TroubledService& { return w.ground.dynamo->trouble; },
       .attempts = Ground::Dynamo::kAttempts,
       .faults = {reset_before, internal_error, slow_down, lost_answer, half_body, wrong_body}});
}

void add_s3_troubles(std::vector<Trouble>& all) {
  using enum ServiceFault;
  add_service_troubles(all,
                       {.name = "S3",
                        .of = [](World& w) -> TroubledService& { return w.ground.s3->trouble; },
                        .attempts = Ground::S3::kRetries + 1,
                        .faults = {reset_before, internal_error, slow_down, lost_answer, half_body},
                        .uploads = true});
}

std::vector<Trouble> wire_troubles(const Ground& ground) {
  std::vector<Trouble> all;
  if (ground.postgres) add_postgres_troubles(all);
  if (ground.dynamo) add_dynamo_troubles(all);
  if (ground.s3) add_s3_troubles(all);
  if (!tries_everything()) std::erase_if(all, [](const Trouble& one) { return !one.often; });
  return all;
}

// --- the loop ---

Task<std::optional<ErrorCode>> ends_in(Context& ctx, World& w, const Operation& operation) {
  try {
    co_await operation.run(ctx, w);
  } catch (const Error& error) {
    co_return error.code();
  }
  co_return std::nullopt;
}

Task<States> states_without_faults(Context& ctx, Ground& ground, const Operation& operation) {
  World w(ground);
  co_await w.build(ctx);
  co_await operation.prepare(ctx, w);
  States states{.before = co_await w.state(ctx), .after = {}};
  co_await operation.run(ctx, w);
  states.after = co_await w.state(ctx);
  EXPECT_NE(states.before, states.after);
  co_await w.check(ctx);
  EXPECT_EQ(co_await w.leaked_uploads(ctx), 0u);
  co_await w.close(ctx);
  co_return states;
}

/// What tells a client to try again, and not that it asked for something wrong.
bool is_trouble(ErrorCode code) {
  return code == ErrorCode::unavailable || code == ErrorCode::throttled ||
         code == ErrorCode::deadline_exceeded;
}

Task<> check_after_fault(Context& ctx, World& w, const Operation& operation, const States& states,
                         std::optional<ErrorCode> ended, const Trouble& trouble) {
  co_await w.close_server();
  EXPECT_TRUE(co_await w.is_quiet());
  const Rows left = co_await w.state(ctx);
  co_await w.check(ctx);
  if (!ended) {
    EXPECT_EQ(left, states.after) << "succeeded, but not so";
    EXPECT_LE(co_await w.leaked_uploads(ctx), trouble.leaks_max);
    co_return;
  }
  EXPECT_TRUE(is_trouble(*ended) || operation.refusals.contains(*ended))
      << "failed for no reason of its own: " << to_string(*ended);
  if (!operation.partial_is_fine) {
    EXPECT_TRUE(left == states.before || left == states.after) << ::testing::PrintToString(left);
  }
  co_await w.reopen(ctx, trouble.wire == Wire::none ? Wire::none : Wire::fails);
  const auto again = co_await ends_in(ctx, w, operation);
  if (again && trouble.wire == Wire::dies && operation.refusals.contains(*again)) {
    co_await w.close_server();
    EXPECT_EQ(co_await w.state(ctx), states.before);
    co_return;
  }
  if (again) {
    EXPECT_TRUE(operation.done_already.contains(*again) &&
                (left == states.after || operation.partial_is_fine))
        << to_string(*again);
  }
  co_await w.close_server();
  EXPECT_EQ(co_await w.state(ctx), states.after) << "after another try";
  co_await w.check(ctx);
  EXPECT_LE(co_await w.leaked_uploads(ctx), trouble.leaks_max);
}

enum class Seen : std::uint8_t {
  struck,
  too_slow,  // the deadline came before the fault
  through,   // the operation ended before the fault's turn came
};

Task<Seen> fail_one(Context& ctx, Ground& ground, const Operation& operation, const States& states,
                    const Trouble& trouble, std::uint64_t n, milliseconds patience) {
  World w(ground);
  co_await w.build(ctx);
  co_await operation.prepare(ctx, w);
  co_await w.reopen(ctx, trouble.wire);
  trouble.strike(w, n);
  Context limited = trouble.wire == Wire::dies ? ctx.within(patience) : ctx;
  const auto ended = co_await ends_in(limited, w, operation);
  const bool struck = trouble.struck(w, n);
  co_await check_after_fault(ctx, w, operation, states, ended, trouble);
  co_await w.close(ctx);
  EXPECT_TRUE(co_await w.is_quiet());
  if (struck) co_return Seen::struck;
  const bool late = trouble.wire == Wire::dies && ended == ErrorCode::deadline_exceeded;
  EXPECT_TRUE(late || !ended) << "failed without a fault: " << to_string(*ended);
  co_return late ? Seen::too_slow : Seen::through;
}

void fail_every(Ground& ground, const Operation& operation, const std::vector<Trouble>& troubles) {
  const States states =
      testing::run_co([&](Context& ctx) { return states_without_faults(ctx, ground, operation); });
  std::uint64_t faults = 0;
  for (const Trouble& trouble : troubles) {
    milliseconds patience = kPatience;
    for (std::uint64_t n = 1; n < kCallsMax; ++n) {
      SCOPED_TRACE(format("{} {}", trouble.name, n));
      Seen seen = Seen::too_slow;
      while (seen == Seen::too_slow && patience < kPatienceMax) {
        seen = testing::run_co([&](Context& ctx) {
          return fail_one(ctx, ground, operation, states, trouble, n, patience);
        });
        if (::testing::Test::HasFailure()) return;
        if (seen == Seen::too_slow) patience *= 2;
      }
      ASSERT_NE(seen, Seen::too_slow) << "it does not come to that";
      if (seen == Seen::through) break;
      // A busy moment must not make all that follows slow: what is dead may be waited for as long.
      patience = std::max(kPatience, patience / 2);
      ++faults;
      ASSERT_LT(n + 1, kCallsMax);
    }
  }
  EXPECT_GT(faults, 0u);
}

class CatalogFaults : public ::testing::TestWithParam<Case> {
 public:
  void SetUp() override {
    const StoreKinds kinds = GetParam().kinds;
    if (kinds.kv == KvKind::postgres) TARN_SKIP_WITHOUT_POSTGRES();
    if (kinds.objects == ObjectKind::moto) TARN_NEEDS_MOTO();
    ground.emplace(kinds);
  }

  std::optional<Ground> ground;
};

TEST_P(CatalogFaults, AtTheCallsLeaveTheOldStateOrTheNewAndCanBeTriedAgain) {
  const bool at_the_wire_too = !wire_troubles(*ground).empty();
  if (at_the_wire_too && !tries_everything()) GTEST_SKIP() << "every night (TARN_FAULTS=all)";
  fail_every(*ground, *GetParam().operation, call_troubles(*GetParam().operation));
}

TEST_P(CatalogFaults, AtTheWireLeaveTheOldStateOrTheNewAndCanBeTriedAgain) {
  const auto troubles = wire_troubles(*ground);
  if (troubles.empty()) GTEST_SKIP() << "these stores have no wire";
  fail_every(*ground, *GetParam().operation, troubles);
}

std::vector<Case> cases() {
  constexpr StoreKinds kLocal{KvKind::mem, ObjectKind::fs};
  constexpr StoreKinds kRemote{KvKind::postgres, ObjectKind::s3};
  constexpr StoreKinds kDynamo{KvKind::dynamo, ObjectKind::fs};
  std::vector<Case> all;
  const auto add = [&](StoreKinds kinds, bool often) {
    for (const Operation& operation : operations()) {
      if (!often || operation.often) all.push_back({kinds, &operation});
    }
  };
  add(kLocal, false);
  add(kRemote, !tries_everything());
  add(kDynamo, !tries_everything());
  if (tries_everything()) {
    add({KvKind::rocks, ObjectKind::fs}, false);
    add({KvKind::postgres, ObjectKind::fs}, false);
    add({KvKind::rocks, ObjectKind::s3}, false);
    add({KvKind::dynamo, ObjectKind::s3}, true);
    add({KvKind::postgres, ObjectKind::moto}, true);
  }
  return all;
}

INSTANTIATE_TEST_SUITE_P(Operations, CatalogFaults, ::testing::ValuesIn(cases()),
                         [](const auto& one) {
                           return format("{}_{}", one.param.operation->name,
                                         to_string(one.param.kinds));
                         });

}  // namespace
}  // namespace tarn::catalog::faults
