#include "block/testing/object_store_suite.h"

#include <ostream>
#include <utility>

namespace tarn::block::testing {

const std::vector<StoreCase>& object_store_cases() {
  static const std::vector<StoreCase> cases = [] {
    std::vector<StoreCase> all;
    append_object_cases(all);
    append_list_cases(all);
    append_multipart_cases(all);
    return all;
  }();
  return cases;
}

std::string store_case_name(const ::testing::TestParamInfo<StoreCase>& info) {
  return std::string(info.param.name);
}

void PrintTo(const StoreCase& store_case, std::ostream* out) {
  *out << store_case.name;
}

Task<> put_text(Context& ctx, ObjectStore& store, ObjectRef ref, std::string text) {
  const auto size = text.size();
  io::StringSource body(std::move(text));
  const auto result = co_await store.put(ctx, ref, body);
  EXPECT_EQ(result.size, size) << ref.address;
}

Task<std::string> get_text(Context& ctx, ObjectStore& store, ObjectRef ref,
                           std::optional<ByteRange> range) {
  const auto source = co_await store.get(ctx, ref, range);
  if (source == nullptr) co_return "(none)";
  auto text = co_await io::read_all(ctx, *source, 1ULL << 30);
  EXPECT_EQ(source->size(), text.size());
  EXPECT_EQ(co_await source->read(ctx), "");
  co_return text;
}

Task<std::string> upload_text(Context& ctx, ObjectStore& store, ObjectRef ref, std::string id,
                              std::uint32_t number, std::string text) {
  io::StringSource body(std::move(text));
  co_return co_await store.upload_part(ctx, ref, id, number, body);
}

}  // namespace tarn::block::testing
