#include "app/readiness.h"

#include "block/mem/mem_object_store.h"
#include "block/testing/faulty_store.h"
#include "io/sync.h"
#include "kv/mem/mem_store.h"
#include "kv/testing/faulty_store.h"
#include "testing/co_test.h"

namespace tarn::app {
namespace {

using std::chrono::milliseconds;

struct Probed {
  kv::MemStore memory;
  kv::testing::FaultyStore kv{memory};
  block::MemObjectStore objects;
  io::Loops loops{1};
  Readiness readiness{
      kv, objects, loops, {.interval = milliseconds(1), .silence_max = std::chrono::hours(1)}};
};

/// Until the probes have seen the world as it is now.
Task<> until_ready_is(Context& ctx, const Readiness& readiness, bool ready) {
  while (readiness.report().ready != ready) {
    ctx.check_deadline();
    co_await io::sleep(milliseconds(1));
  }
}

CO_TEST(Readiness, IsReadyFromTheStart) {
  Probed probed;
  const auto report = probed.readiness.report();
  EXPECT_TRUE(report.ready);
  EXPECT_EQ(report.json, "{\"status\":\"ready\",\"metadata\":\"ok\",\"objects\":\"ok\"}\n");
  co_return;
}

CO_TEST(Readiness, NamesTheStoreThatFailsAndRecoversWithIt) {
  Probed probed;
  probed.kv.fail_randomly(1, 1);
  probed.readiness.start();
  co_await until_ready_is(ctx, probed.readiness, false);
  EXPECT_EQ(probed.readiness.report().json,
            "{\"status\":\"unavailable\",\"metadata\":\"unavailable\",\"objects\":\"ok\"}\n");
  probed.kv.heal();
  co_await until_ready_is(ctx, probed.readiness, true);
  co_await probed.readiness.stop();
}

CO_TEST(Readiness, SaysNoOnceDrainingThoughTheStoresAnswer) {
  Probed probed;
  probed.readiness.drain();
  EXPECT_FALSE(probed.readiness.report().ready);
  EXPECT_EQ(probed.readiness.report().json,
            "{\"status\":\"draining\",\"metadata\":\"ok\",\"objects\":\"ok\"}\n");
  co_return;
}

CO_TEST(Readiness, CountsAStoreThatHasNotAnsweredForLongAsDown) {
  kv::MemStore kv;
  block::MemObjectStore objects;
  io::Loops loops(1);
  const Readiness readiness(kv, objects, loops, {.silence_max = milliseconds(0)});
  EXPECT_FALSE(readiness.report().ready);
  co_return;
}

}  // namespace
}  // namespace tarn::app
