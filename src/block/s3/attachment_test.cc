#include "block/s3/attachment.h"

#include <gtest/gtest.h>

namespace tarn::block::s3 {
namespace {

TEST(Attachment, SpellsPlainNamesPlainly) {
  EXPECT_EQ(attachment("f.tar.gz"), "attachment; filename=f.tar.gz");
  EXPECT_EQ(attachment("%x+a*b~"), "attachment; filename=%x+a*b~");
}

TEST(Attachment, QuotesWhatIsNoToken) {
  EXPECT_EQ(attachment("a b"), "attachment; filename=\"a b\"");
  EXPECT_EQ(attachment("it's(1)"), "attachment; filename=\"it's(1)\"");
  EXPECT_EQ(attachment("a=b;c"), "attachment; filename=\"a=b;c\"");
  EXPECT_EQ(attachment("tab\there"), "attachment; filename=\"tab\there\"");
  EXPECT_EQ(attachment(""), "attachment; filename=\"\"");
}

TEST(Attachment, KeepsQuotesFromEndingTheName) {
  EXPECT_EQ(attachment("a\"; x=\"b\\"), "attachment; filename=\"a\\\"; x=\\\"b\\\\\"");
}

TEST(Attachment, EncodesWhatAsciiCannotSpell) {
  EXPECT_EQ(attachment("\xc3\xbc"), "attachment; filename*=utf-8''%C3%BC");
  EXPECT_EQ(attachment("a b \"\xc3\xa9.txt"), "attachment; filename*=utf-8''a%20b%20%22%C3%A9.txt");
  EXPECT_EQ(attachment("line\r\nbreak"), "attachment; filename*=utf-8''line%0D%0Abreak");
  EXPECT_EQ(attachment("\x01*'%"), "attachment; filename*=utf-8''%01%2A%27%25");
}

}  // namespace
}  // namespace tarn::block::s3
