#include "kv/rocks/rocks_store.h"

#include <memory>
#include <string>

#include "io/blocking_pool.h"
#include "kv/testing/store_suite.h"
#include "testing/temp_dir.h"

namespace tarn::kv::testing {
namespace {

class RocksHarness final : public StoreHarness {
 public:
  explicit RocksHarness(std::uint32_t inline_rows_max) {
    RocksConfig config{.directory = dir_.file("kv")};
    config.inline_rows_max = inline_rows_max;
    store_ = RocksStore::open(std::move(config), pool_);
  }

  Store& store() override { return *store_; }

 private:
  tarn::testing::TempDir dir_;
  io::BlockingPool pool_{{.name = "metadata"}};
  std::unique_ptr<RocksStore> store_;
};

std::unique_ptr<StoreHarness> make_harness() {
  return std::make_unique<RocksHarness>(256);
}

std::unique_ptr<StoreHarness> make_pooled_harness() {
  return std::make_unique<RocksHarness>(0);
}

INSTANTIATE_TEST_SUITE_P(Rocks, StoreSuite, ::testing::Values(&make_harness));
INSTANTIATE_TEST_SUITE_P(RocksOnThePool, StoreSuite, ::testing::Values(&make_pooled_harness));

}  // namespace
}  // namespace tarn::kv::testing
