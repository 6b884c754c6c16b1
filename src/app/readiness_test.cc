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

CO_TEST(Readiness, IsReadyOnceBothStoresHaveAnswered) {
  Probed probed;
  EXPECT_FALSE(probed.readiness.report().ready);
  EXPECT_EQ(probed.readiness.report().json,
            "{\"status\":\"starting\",\"metadata\":\"starting\",\"objects\":\"starting\"}\n");
  probed.readiness.start();
  co_await until_ready_is(ctx, probed.readiness, true);
  EXPECT_EQ(probed.readiness.report().json,
            "{\"status\":\"ready\",\"metadata\":\"ok\",\"objects\":\"ok\"}\n");
  co_await probed.readiness.stop();
}

CO_TEST(Readiness, NamesTheStoreThatFailsAndRecoversWithIt) {
  Probed probed;
  probed.readiness.start();
  co_await until_ready_is(ctx, probed.readiness, true);
  probed.kv.fail_randomly(1, 1);
  co_await until_ready_is(ctx, probed.readiness, false);
  EXPECT_EQ(probed.readiness.report().json,
            "{\"status\":\"unavailable\",\"metadata\":\"unavailable\",\"objects\":\"ok\"}\n");
  probed.kv.heal();
  co_await until_ready_is(ctx, probed.readiness, true);
  co_await probed.readiness.stop();
}

CO_TEST(Readiness, SaysNoOnceDrainingThoughTheStoresAnswer) {
  Probed probed;
  probed.readiness.start();
  co_await until_ready_is(ctx, probed.readiness, true);
  probed.readiness.drain();
  EXPECT_FALSE(probed.readiness.report().ready);
  EXPECT_EQ(probed.readiness.report().json,
            "{\"status\":\"draining\",\"metadata\":\"ok\",\"objects\":\"ok\"}\n");
  co_await probed.readiness.stop();
}

Task<> until_json_has(Context& ctx, const Readiness& readiness, std::string_view words) {
  while (readiness.report().json.find(words) == std::string::npos) {
    ctx.check_deadline();
    co_await io::sleep(milliseconds(1));
  }
}

CO_TEST(Readiness, StaysReadyThoughAStoreIsFullAndSaysSo) {
  Probed probed;
  probed.kv.fail_randomly(1, 1, ErrorCode::storage_full);
  probed.readiness.start();
  co_await until_ready_is(ctx, probed.readiness, true);
  EXPECT_EQ(probed.readiness.report().json,
            "{\"status\":\"full\",\"metadata\":\"full\",\"objects\":\"ok\"}\n");
  probed.kv.heal();
  co_await until_json_has(ctx, probed.readiness, "\"status\":\"ready\"");
  co_await probed.readiness.stop();
}

CO_TEST(Readiness, IsNotReadyWhileAStoreRefusesUs) {
  Probed probed;
  probed.kv.fail_randomly(1, 1, ErrorCode::permission_denied);
  probed.readiness.start();
  co_await until_json_has(ctx, probed.readiness, "\"metadata\":\"refused\"");
  EXPECT_FALSE(probed.readiness.report().ready);
  probed.kv.heal();
  co_await until_ready_is(ctx, probed.readiness, true);
  co_await probed.readiness.stop();
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
