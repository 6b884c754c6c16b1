#include "versioning/ident.h"

#include <gtest/gtest.h>

#include "base/bytes.h"

namespace tarn::versioning {
namespace {

std::string hex(const Ident& ident) {
  return to_hex(ident.encoded());
}

// storage-format.md 9.1
TEST(Ident, EncodesTheVectorsOfTheFormat) {
  EXPECT_EQ(hex(Ident().int64(1)), "02080000000000000001");
  EXPECT_EQ(hex(Ident().int64(-1)), "0208ffffffffffffffff");
  EXPECT_EQ(hex(Ident().bytes("\xff")), "0002080000000000000001ff");
  EXPECT_EQ(hex(Ident().string("a")), "010208000000000000000161");
  EXPECT_EQ(hex(Ident().string_list({"a", "b"})),
            "0302080000000000000002010208000000000000000161010208000000000000000162");
  EXPECT_EQ(hex(Ident().string_list({})), "0302080000000000000000");
  EXPECT_EQ(hex(Ident().string_map({{"k", "v"}})),
            "040208000000000000000101020800000000000000016b010208000000000000000176");
  EXPECT_EQ(hex(Ident().string_map({})), "0402080000000000000000");
  EXPECT_EQ(Ident().string_list({}).address(),
            "c05d0ae027f29a4a5776bafad29a3b776473f1da64ad40219803783b75286a6d");
}

}  // namespace
}  // namespace tarn::versioning
