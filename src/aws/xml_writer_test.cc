#include "aws/xml_writer.h"

#include <gtest/gtest.h>

namespace tarn::aws {
namespace {

std::string escaped(std::string_view text) {
  std::string out;
  append_xml_escaped(out, text);
  return out;
}

TEST(XmlWriter, WritesOneLineWithNamespaceAndTypes) {
  XmlWriter xml("ListBucketResult");
  xml.element("Name", "demo");
  xml.element("MaxKeys", 1'000);
  xml.element("IsTruncated", false);
  xml.open("Contents");
  xml.key("Key", "main/a b+ü", KeyEncoding::url);
  xml.key("Key", "main/a b", KeyEncoding::plain);
  xml.etag("ETag", "abc");
  xml.close();
  xml.open("Grantee", R"(xsi:type="CanonicalUser")");
  EXPECT_EQ(xml.finish(),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>demo</Name>"
            "<MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated><Contents>"
            "<Key>main/a%20b%2B%C3%BC</Key><Key>main/a b</Key><ETag>&quot;abc&quot;</ETag>"
            "</Contents><Grantee xsi:type=\"CanonicalUser\"></Grantee></ListBucketResult>");
}

TEST(XmlEscape, CoversMarkupAndControls) {
  EXPECT_EQ(escaped("a&<>\"'b"), "a&amp;&lt;&gt;&quot;&#39;b");
  EXPECT_EQ(escaped("\t\n\r"), "\t\n&#13;");
  EXPECT_EQ(escaped(std::string_view("\0\x01\x1f\x7f", 4)), "&#0;&#1;&#31;&#127;");
}

TEST(XmlEscape, ReplacesWhatIsNotUtf8AndKeepsWhatIs) {
  EXPECT_EQ(escaped("ü€😀"), "ü€😀");
  EXPECT_EQ(escaped("a\xff z"), "a\xef\xbf\xbd z");
  EXPECT_EQ(escaped("\xc3"), "\xef\xbf\xbd");
  EXPECT_EQ(escaped("\xed\xa0\x80"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
  EXPECT_EQ(escaped("\xef\xbf\xbf"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
  EXPECT_EQ(escaped("\xf0\x9f\x98<"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd&lt;");
}

TEST(EncodeKey, EncodesControlsExactly) {
  EXPECT_EQ(encode_key("a\x01/\n\xff~", KeyEncoding::url), "a%01/%0A%FF~");
  EXPECT_EQ(encode_key("a\x01", KeyEncoding::plain), "a\x01");
}

}  // namespace
}  // namespace tarn::aws
