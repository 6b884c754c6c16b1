#include "kv/postgres/statements.h"

#include <array>
#include <string_view>

#include <gtest/gtest.h>

#include "base/bytes.h"

namespace tarn::kv {
namespace {

TEST(Statements, ArrayIsDimensionsTypeLengthAndElements) {
  const std::array<std::string_view, 2> elements = {"ab", ""};
  EXPECT_EQ(to_hex(encode_array(elements)),
            "00000001"
            "00000000"
            "00000011"
            "00000002"
            "00000001"
            "000000026162"
            "00000000");
}

TEST(Statements, EmptyArrayHasNoDimension) {
  EXPECT_EQ(to_hex(encode_array({})), "000000000000000000000011");
}

TEST(Statements, NumbersAreBigEndian) {
  EXPECT_EQ(to_hex(encode_int(258)), "0000000000000102");
}

TEST(Statements, EveryStatementHasItsOwnNameInTheOrderOfTheEnum) {
  std::size_t index = 0;
  for (const auto& statement : prepared_statements(true)) {
    EXPECT_EQ(static_cast<std::size_t>(statement.statement), index++);
    EXPECT_EQ(std::string_view(prepared(statement.statement).name), statement.name);
  }
}

}  // namespace
}  // namespace tarn::kv
