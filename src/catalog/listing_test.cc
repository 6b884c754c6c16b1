#include "catalog/listing.h"

#include <gtest/gtest.h>

namespace tarn::catalog {
namespace {

TEST(FoldedPrefix, EndsAtTheFirstDelimiterAfterThePrefix) {
  EXPECT_EQ(folded_prefix("a/b/c", "", "/"), "a/");
  EXPECT_EQ(folded_prefix("a/b/c", "a/", "/"), "a/b/");
  EXPECT_EQ(folded_prefix("a/b/c", "a", "/"), "a/");
  EXPECT_EQ(folded_prefix("a/b/c", "a/b/", "/"), std::nullopt);
  EXPECT_EQ(folded_prefix("a/b/c", "", ""), std::nullopt);
  EXPECT_EQ(folded_prefix("a--b--c", "", "--"), "a--");
  EXPECT_EQ(folded_prefix("a/", "a", "/"), "a/");
  EXPECT_EQ(folded_prefix("//x", "/", "/"), "//");
}

TEST(AfterPrefix, IsTheLeastStringBeyond) {
  EXPECT_EQ(after_prefix("a/"), "a0");
  EXPECT_EQ(after_prefix("a\xff"), "b");
  EXPECT_EQ(after_prefix("\xff\xff"), "");
  EXPECT_EQ(after_prefix(""), "");
}

TEST(ListingStart, SkipsAGroupOnlyWhenTheMarkerIsItsPrefix) {
  EXPECT_EQ(listing_start("", "/", ""), "");
  EXPECT_EQ(listing_start("p/", "/", ""), "p/");
  EXPECT_EQ(listing_start("p/", "/", "a"), "p/");
  EXPECT_EQ(listing_start("", "/", "a/"), "a0");
  EXPECT_EQ(listing_start("", "/", "a/b"), std::string("a/b\0", 4));
  EXPECT_EQ(listing_start("", "", "a/"), std::string("a/\0", 3));
  EXPECT_EQ(listing_start("a/", "/", "a/"), std::string("a/\0", 3));
  EXPECT_EQ(listing_start("a/", "/", "b"), std::string("b\0", 2));
}

}  // namespace
}  // namespace tarn::catalog
