#include "kv/mem/mem_store.h"

#include <memory>

#include "kv/testing/store_suite.h"

namespace tarn::kv::testing {
namespace {

class MemHarness final : public StoreHarness {
 public:
  Store& store() override { return store_; }

 private:
  MemStore store_;
};

std::unique_ptr<StoreHarness> make_harness() {
  return std::make_unique<MemHarness>();
}

INSTANTIATE_TEST_SUITE_P(Mem, StoreSuite, ::testing::Values(&make_harness));

}  // namespace
}  // namespace tarn::kv::testing
