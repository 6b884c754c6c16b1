#include "kv/metered_store.h"

#include <memory>
#include <string>

#include "kv/mem/mem_store.h"
#include "kv/testing/store_suite.h"

namespace tarn::kv::testing {
namespace {

class MeteredHarness final : public StoreHarness {
 public:
  Store& store() override { return store_; }

 private:
  MeteredStore store_{std::make_unique<MemStore>(), "suite"};
};

std::unique_ptr<StoreHarness> make_harness() {
  return std::make_unique<MeteredHarness>();
}

INSTANTIATE_TEST_SUITE_P(Metered, StoreSuite, ::testing::Values(&make_harness));

std::uint64_t count(std::string_view op, std::string_view outcome) {
  return metrics::histogram("tarn_kv_op_seconds", "",
                            {{"op", op}, {"backend", "counted"}, {"outcome", outcome}})
      .count();
}

CO_TEST(MeteredStore, CountsCallsByOutcomeAndLostConditions) {
  MeteredStore store(std::make_unique<MemStore>(), "counted");
  co_await store.set(ctx, "p", "k", "v");
  static_cast<void>(co_await store.get(ctx, "p", "k"));
  static_cast<void>(co_await store.get(ctx, "p", "absent"));
  CO_EXPECT_ERROR(store.get(ctx, "p", ""), ErrorCode::invalid_argument);
  EXPECT_EQ(co_await store.set_if(ctx, "p", "k", "w", Expect::absent()), SetIf::lost);
  EXPECT_EQ((co_await read_all(ctx, store, "p")).size(), 1u);

  EXPECT_EQ(count("get", "ok"), 2u);
  EXPECT_EQ(count("get", "invalid_argument"), 1u);
  EXPECT_EQ(count("run", "ok"), 2u);
  EXPECT_GE(count("scan_page", "ok"), 1u);
  EXPECT_EQ(metrics::counter("tarn_kv_set_if_lost_total", "", {{"backend", "counted"}}).value(),
            1u);
}

}  // namespace
}  // namespace tarn::kv::testing
