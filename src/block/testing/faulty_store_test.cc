#include "block/testing/faulty_store.h"

#include <gtest/gtest.h>

#include "block/testing/bodies.h"
#include "testing/co_test.h"

namespace tarn::block::testing {
namespace {

/// Answers nothing useful; counts nothing. FaultyStore is tested against mem in block/mem.
class EmptyStore final : public ObjectStore {
 public:
  Task<PutResult> put(Context&, const ObjectRef&, io::ByteSource&, PutOptions) override {
    co_return PutResult{7};
  }

  Task<std::unique_ptr<io::ByteSource>> get(Context&, const ObjectRef&,
                                            std::optional<ByteRange>) override {
    co_return std::make_unique<PatternSource>(70'000);
  }

  Task<std::optional<ObjectInfo>> head(Context&, const ObjectRef&) override {
    co_return std::nullopt;
  }

  Task<> remove(Context&, const ObjectRef&) override { co_return; }

  Task<PutResult> copy(Context&, const ObjectRef&, const ObjectRef&) override {
    co_return PutResult{7};
  }

  Task<ListPage> list(Context&, std::string_view, std::string_view, std::string_view,
                      std::size_t) override {
    co_return ListPage{};
  }

  Task<std::string> create_multipart(Context&, const ObjectRef&) override { co_return "id"; }

  Task<std::string> upload_part(Context&, const ObjectRef&, std::string_view, std::uint32_t,
                                io::ByteSource&, PutOptions) override {
    co_return "etag";
  }

  Task<ObjectInfo> complete_multipart(Context&, const ObjectRef&, std::string_view,
                                      std::vector<Part>) override {
    co_return ObjectInfo{};
  }

  Task<> abort_multipart(Context&, const ObjectRef&, std::string_view) override { co_return; }

  Task<std::vector<PartInfo>> list_parts(Context&, const ObjectRef&, std::string_view,
                                         std::uint32_t, std::size_t) override {
    co_return std::vector<PartInfo>{};
  }

  std::string display_address(const ObjectRef& ref) const override { return ref.address; }

  const StoreInfo& info() const override { return info_; }

  Task<> probe(Context&) override { co_return; }

  Task<> close() override { co_return; }

 private:
  StoreInfo info_;
};

CO_TEST(FaultyStore, FailsExactlyTheCallsItWasTold) {
  EmptyStore inner;
  FaultyStore store(inner);
  const ObjectRef ref{"mem://x", "k", AddressType::relative};
  co_await store.remove(ctx, ref);
  store.fail_nth(2, 2, ErrorCode::storage_full);
  co_await store.remove(ctx, ref);
  CO_EXPECT_ERROR(store.remove(ctx, ref), ErrorCode::storage_full);
  CO_EXPECT_ERROR(store.head(ctx, ref), ErrorCode::storage_full);
  co_await store.remove(ctx, ref);
  EXPECT_EQ(store.calls(), 4u);
  store.never_fail();
  co_await store.remove(ctx, ref);
  EXPECT_EQ(store.calls(), 1u);
}

CO_TEST(FaultyStore, CountsReadsOfItsSourcesAsCalls) {
  EmptyStore inner;
  FaultyStore store(inner);
  store.fail_nth(3);
  const auto source = co_await store.get(ctx, {"mem://x", "k", AddressType::relative}, {});
  EXPECT_EQ((co_await source->read(ctx)).size(), 65'536u);
  CO_EXPECT_ERROR(source->read(ctx), ErrorCode::unavailable);
  EXPECT_EQ((co_await source->read(ctx)).size(), 70'000u - 65'536u);
}

}  // namespace
}  // namespace tarn::block::testing
