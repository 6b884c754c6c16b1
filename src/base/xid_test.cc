#include "base/xid.h"

#include <set>

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/random.h"

namespace tarn {
namespace {

const std::string kRest = "\x01\x02\x03\x04\x05\x06\x07\x08";

// storage-format.md 9.6
TEST(Xid, AgreesWithTheVectorsOfTheSpecification) {
  EXPECT_EQ(xid_text(1'700'000'000, kRest, XidOrder::ascending), "cl9v2001081g81860s40");
  EXPECT_EQ(xid_text(1'700'000'000, kRest, XidOrder::descending_year_4000), "gjth4001081g81860s40");
  EXPECT_EQ(xid_text(1'700'000'000, kRest, XidOrder::descending_year_3000), "5fgam001081g81860s40");
  EXPECT_EQ(to_hex(*from_base32hex("ce8co454fd2o8m3menag")), "6390cc10a47b4584587675d5");
  EXPECT_EQ(xid_seconds("ce8co454fd2o8m3menag"), 1'670'433'808);
  EXPECT_EQ(xid_text(1'670'433'690, *from_hex("a47b4584587675ce"), XidOrder::descending_year_4000),
            "gqv3epl4fd2o8m3men70");
}

TEST(Xid, SortsByTimeAndDescendingFormsAgainstIt) {
  for (std::int64_t now : {0LL, 1'700'000'000LL, 2'000'000'000LL}) {
    EXPECT_LT(xid_text(now, kRest, XidOrder::ascending),
              xid_text(now + 1, kRest, XidOrder::ascending));
    EXPECT_GT(xid_text(now, kRest, XidOrder::descending_year_4000),
              xid_text(now + 1, kRest, XidOrder::descending_year_4000));
    EXPECT_GT(xid_text(now, kRest, XidOrder::descending_year_3000),
              xid_text(now + 1, kRest, XidOrder::descending_year_3000));
  }
}

TEST(Xid, IsUniqueWithinOneSecondAndCarriesIt) {
  std::set<std::string> seen;
  for (int i = 0; i < 10'000; ++i) {
    const std::string text = make_xid({1'700'000'000, 0});
    ASSERT_EQ(text.size(), 20U);
    ASSERT_EQ(xid_seconds(text), 1'700'000'000);
    ASSERT_TRUE(seen.insert(text).second) << text;
  }
}

TEST(Xid, RefusesTextThatIsNone) {
  for (const char* text :
       {"", "ce8co454fd2o8m3mena", "ce8co454fd2o8m3menagg", "CE8CO454FD2O8M3MENAG",
        "ce8co454fd2o8m3menaw", "ce8co454fd2o8m3menah"}) {
    EXPECT_EQ(xid_seconds(text), std::nullopt) << text;
  }
}

TEST(Uuid, IsCanonicalVersionFour) {
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) {
    const std::string text = make_uuid();
    ASSERT_EQ(text.size(), 36U);
    for (const std::size_t at : {8, 13, 18, 23})
      ASSERT_EQ(text[at], '-');
    ASSERT_EQ(text[14], '4');
    ASSERT_NE(std::string_view("89ab").find(text[19]), std::string_view::npos);
    ASSERT_TRUE(seen.insert(text).second);
  }
}

TEST(RandomBytes, HasTheLengthAskedForAndDiffers) {
  EXPECT_EQ(random_bytes(0), "");
  EXPECT_EQ(random_bytes(33).size(), 33U);
  EXPECT_NE(random_bytes(16), random_bytes(16));
}

}  // namespace
}  // namespace tarn
