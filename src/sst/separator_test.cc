#include "sst/separator.h"

#include <gtest/gtest.h>

#include "sst/block.h"

namespace tarn::sst {
namespace {

using namespace std::string_literals;

const std::string kTrailerOfShort = "\x11\xff\xff\xff\xff\xff\xff\xff"s;

std::string separator(const std::string& last, const std::string& next) {
  std::string out = "stale";
  make_separator(last, next, out);
  return out;
}

std::string successor(const std::string& last) {
  std::string out = "stale";
  make_successor(last, out);
  return out;
}

std::string whole(const std::string& key) {
  return key + std::string(kSetTrailer);
}

std::string cut(const std::string& key) {
  return key + kTrailerOfShort;
}

TEST(Separator, CutsAfterTheFirstDifferenceWhenTheNextKeyIsLonger) {
  EXPECT_EQ(separator("abc1", "abd2"), cut("abd"));
  EXPECT_EQ(separator("black", "blue"), cut("blb"));
}

TEST(Separator, CutsAfterTheFirstDifferenceWhenAByteLiesBetween) {
  EXPECT_EQ(separator("aa9", "ac"), cut("ab"));
  EXPECT_EQ(separator("a\x10zz", "a\x12"), cut("a\x11"));
}

TEST(Separator, GoesFurtherWhenNoByteLiesBetween) {
  EXPECT_EQ(separator("aa9x", "ab"), cut("aa:"));
  EXPECT_EQ(separator("aa\xff\xff\x01z", "ab"), cut("aa\xff\xff\x02"));
}

TEST(Separator, KeepsTheWholeKeyWhenNothingShorterDivides) {
  EXPECT_EQ(separator("ab", "abc"), whole("ab"));
  EXPECT_EQ(separator("a", "b"), whole("a"));
  EXPECT_EQ(separator("a\xff\xff", "b"), whole("a\xff\xff"));
  EXPECT_EQ(separator("", "b"), whole(""));
}

TEST(Separator, HandlesBytesAbove127AsUnsigned) {
  EXPECT_EQ(separator("a\x7fzz", "a\x81"), cut("a\x80"));
}

TEST(Successor, IncrementsTheFirstByteItCan) {
  EXPECT_EQ(successor("abc"), cut("b"));
  EXPECT_EQ(successor("\xff\xff"
                      "abc"),
            cut("\xff\xff"
                "b"));
  EXPECT_EQ(successor("\xff\xff"), whole("\xff\xff"));
  EXPECT_EQ(successor(""), whole(""));
}

}  // namespace
}  // namespace tarn::sst
