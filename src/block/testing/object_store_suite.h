// The contract of block::ObjectStore as tests. A backend runs every case against a fresh store:
//
//   class MemObjectStoreSuite : public ::testing::TestWithParam<StoreCase> {};
//
//   CO_TEST_P(MemObjectStoreSuite, Holds) {
//     MemObjectStore store;
//     co_await self.GetParam().run(ctx, StoreUnderTest{store, "mem://suite"});
//   }
//
//   INSTANTIATE_TEST_SUITE_P(Contract, MemObjectStoreSuite,
//                            ::testing::ValuesIn(object_store_cases()), store_case_name);
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "block/object_store.h"

namespace tarn::block::testing {

struct StoreUnderTest {
  ObjectStore& store;
  std::string space;  // a storage namespace of the store, empty at the start

  ObjectRef ref(std::string address) const {
    return {space, std::move(address), AddressType::relative};
  }
};

struct StoreCase {
  std::string_view name;  // CamelCase sentence
  Task<> (*run)(Context& ctx, StoreUnderTest under_test);
};

const std::vector<StoreCase>& object_store_cases();

std::string store_case_name(const ::testing::TestParamInfo<StoreCase>& info);
void PrintTo(const StoreCase& store_case, std::ostream* out);

/// Steps shared by the cases and by backends' own tests.
Task<> put_text(Context& ctx, ObjectStore& store, ObjectRef ref, std::string text);
/// "(none)" for a missing object.
Task<std::string> get_text(Context& ctx, ObjectStore& store, ObjectRef ref,
                           std::optional<ByteRange> range = {});
Task<std::string> upload_text(Context& ctx, ObjectStore& store, ObjectRef ref, std::string id,
                              std::uint32_t number, std::string text);

/// The cases of each file.
void append_object_cases(std::vector<StoreCase>& cases);
void append_list_cases(std::vector<StoreCase>& cases);
void append_multipart_cases(std::vector<StoreCase>& cases);

}  // namespace tarn::block::testing
