#include "block/metered_store.h"

#include "base/metrics.h"
#include "block/forwarding_store.h"
#include "block/mem/mem_object_store.h"
#include "block/testing/faulty_store.h"
#include "block/testing/object_store_suite.h"
#include "testing/co_test.h"

namespace tarn::block {
namespace {

class MeteredStoreSuite : public ::testing::TestWithParam<testing::StoreCase> {};

CO_TEST_P(MeteredStoreSuite, Holds) {
  MeteredStore store(std::make_unique<MemObjectStore>());
  co_await self.GetParam().run(ctx, testing::StoreUnderTest{store, "mem://suite"});
}

INSTANTIATE_TEST_SUITE_P(Contract, MeteredStoreSuite,
                         ::testing::ValuesIn(testing::object_store_cases()),
                         testing::store_case_name);

std::uint64_t observed(std::string_view op, std::string_view outcome) {
  return metrics::histogram("tarn_block_op_seconds", "", {{"op", op}, {"outcome", outcome}})
      .count();
}

CO_TEST(MeteredStore, CountsOutcomesAndBytes) {
  MeteredStore store(std::make_unique<MemObjectStore>());
  const ObjectRef ref{"mem://metered", "k", AddressType::relative};
  const auto puts = observed("put", "ok"), gets = observed("get", "ok");
  const auto missing = observed("head", "missing"), refused = observed("get", "refused");
  const auto failed = observed("remove", "failed");
  const auto written = metrics::counter("tarn_block_written_bytes", "").value();
  const auto read = metrics::counter("tarn_block_read_bytes", "").value();

  EXPECT_FALSE((co_await store.head(ctx, ref)).has_value());
  co_await testing::put_text(ctx, store, ref, "12345");
  EXPECT_EQ(co_await testing::get_text(ctx, store, ref, ByteRange{1, 3}), "234");
  CO_EXPECT_ERROR(store.get(ctx, ref, ByteRange{9}), ErrorCode::invalid_argument);
  co_await store.close();
  CO_EXPECT_ERROR(store.remove(ctx, ref), ErrorCode::unavailable);

  EXPECT_EQ(observed("put", "ok"), puts + 1);
  EXPECT_EQ(observed("get", "ok"), gets + 1);
  EXPECT_EQ(observed("head", "missing"), missing + 1);
  EXPECT_EQ(observed("get", "refused"), refused + 1);
  EXPECT_EQ(observed("remove", "failed"), failed + 1);
  EXPECT_EQ(metrics::counter("tarn_block_written_bytes", "").value(), written + 5);
  EXPECT_EQ(metrics::counter("tarn_block_read_bytes", "").value(), read + 3);
}

/// Takes bodies as wholes, as stores do that want them for longer than a piece.
class WholeStore final : public ForwardingStore {
 public:
  explicit WholeStore(std::unique_ptr<ObjectStore> inner)
      : ForwardingStore(*inner), owned_(std::move(inner)) {}

  Task<PutResult> put(Context& ctx, const ObjectRef& ref, io::ByteSource& body,
                      PutOptions options) override {
    io::StringSource whole(body.whole());
    co_return co_await inner().put(ctx, ref, whole, options);
  }

 private:
  const std::unique_ptr<ObjectStore> owned_;
};

CO_TEST(MeteredStore, CountsABodyThatIsTakenAsAWhole) {
  MeteredStore store(std::make_unique<WholeStore>(std::make_unique<MemObjectStore>()));
  const ObjectRef ref{"mem://metered", "k", AddressType::relative};
  const auto written = metrics::counter("tarn_block_written_bytes", "").value();
  io::StringSource body("12345");
  EXPECT_EQ((co_await store.put(ctx, ref, body, {})).size, 5u);
  EXPECT_EQ(metrics::counter("tarn_block_written_bytes", "").value(), written + 5);
  EXPECT_EQ(co_await testing::get_text(ctx, store, ref), "12345");
  co_await store.close();
}

}  // namespace
}  // namespace tarn::block
