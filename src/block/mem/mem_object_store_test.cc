#include "block/mem/mem_object_store.h"

#include <string>

#include "block/testing/object_store_suite.h"
#include "testing/co_test.h"
#include "testing/fake_clock.h"

namespace tarn::block {
namespace {

using testing::get_text;
using testing::put_text;
using testing::upload_text;

class MemObjectStoreSuite : public ::testing::TestWithParam<testing::StoreCase> {};

CO_TEST_P(MemObjectStoreSuite, Holds) {
  MemObjectStore store;
  co_await self.GetParam().run(ctx, testing::StoreUnderTest{store, "mem://suite/below"});
}

INSTANTIATE_TEST_SUITE_P(Contract, MemObjectStoreSuite,
                         ::testing::ValuesIn(testing::object_store_cases()),
                         testing::store_case_name);

CO_TEST(MemObjectStore, ResolvesFullAddressesAsUris) {
  MemObjectStore store;
  co_await put_text(ctx, store, {"mem://repo", "a b", AddressType::relative}, "x");
  EXPECT_EQ(co_await get_text(ctx, store, {"", "mem://repo/a%20b", AddressType::full}), "x");
  EXPECT_EQ(co_await get_text(ctx, store, {"", "memory://repo/a b?q", AddressType::full}), "x");
  EXPECT_EQ(store.display_address({"mem://repo/", "a b", AddressType::relative}), "mem://repo/a b");
}

CO_TEST(MemObjectStore, TellsTheTimeOfItsClock) {
  tarn::testing::FakeClock clock({.seconds = 1'800'000'000, .nanos = 5});
  MemObjectStore store(clock);
  co_await put_text(ctx, store, {"mem://repo", "k", AddressType::relative}, "x");
  const auto info = co_await store.head(ctx, {"mem://repo", "k", AddressType::relative});
  EXPECT_EQ(info->last_modified, (Timestamp{1'800'000'000, 5}));
  EXPECT_EQ(info->etag, "9dd4e461268c8034f5c8564e155c67a6");
}

CO_TEST(MemObjectStore, IsFullAtItsLimitAndNotBefore) {
  tarn::testing::FakeClock clock;
  MemObjectStore store(clock, {.bytes_max = 10});
  const ObjectRef one{"mem://repo", "one", AddressType::relative};
  const ObjectRef two{"mem://repo", "two", AddressType::relative};
  co_await put_text(ctx, store, one, "123456");
  CO_EXPECT_ERROR(put_text(ctx, store, two, "12345"), ErrorCode::storage_full);
  EXPECT_FALSE((co_await store.head(ctx, two)).has_value());
  co_await put_text(ctx, store, one, "1234567890");
  CO_EXPECT_ERROR(put_text(ctx, store, one, "12345678901"), ErrorCode::storage_full);
  co_await store.remove(ctx, one);
  const auto id = co_await store.create_multipart(ctx, two);
  const auto e1 = co_await upload_text(ctx, store, two, id, 1, "12345678");
  CO_EXPECT_ERROR(upload_text(ctx, store, two, id, 2, "123"), ErrorCode::storage_full);
  co_await store.complete_multipart(ctx, two, id, {{1, e1}});
  CO_EXPECT_ERROR(put_text(ctx, store, one, "123"), ErrorCode::storage_full);
  co_await put_text(ctx, store, one, "12");
}

}  // namespace
}  // namespace tarn::block
