#include "aws/request_xml.h"

#include <gtest/gtest.h>

#include "aws/xml_writer.h"
#include "base/bytes.h"
#include "base/format.h"

namespace tarn::aws {
namespace {

template <class T>
std::string code_of(const std::expected<T, S3Error>& result) {
  return result ? "OK" : std::string(to_string(result.error().code));
}

std::string delete_code(std::string_view body) {
  return code_of(parse_delete(body));
}

std::string delete_one(std::string_view inner) {
  return format("<Delete><Object>{}</Object></Delete>", inner);
}

TEST(DeleteXml, ReadsWhatClientsSend) {
  const auto request = parse_delete(
      "\xef\xbb\xbf<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<s3:Delete xmlns:s3=\"http://s3.amazonaws.com/doc/2006-03-01/\">\n"
      "  <!-- indented -->\n"
      "  <s3:Object>\n    <s3:VersionId>null</s3:VersionId>\n    <s3:Key>main/a</s3:Key>\n"
      "    <s3:ETag>&quot;ABC&#34;</s3:ETag><s3:Size>12</s3:Size>"
      "<s3:LastModifiedTime>now</s3:LastModifiedTime></s3:Object>\n"
      "  <s3:Quiet>true</s3:Quiet><Unknown><Key>x</Key></Unknown>\n"
      "  <s3:Object><s3:Key>main/b&#xA;c &amp;&lt;&#13;<![CDATA[<d>&]]></s3:Key></s3:Object>\n"
      "</s3:Delete>\n");
  ASSERT_EQ(code_of(request), "OK");
  EXPECT_TRUE(request->quiet);
  ASSERT_EQ(request->objects.size(), 2U);
  EXPECT_EQ(request->objects[0].key, "main/a");
  EXPECT_EQ(request->objects[0].version_id, "null");
  EXPECT_EQ(request->objects[0].etag, "abc");
  EXPECT_EQ(request->objects[0].size, 12U);
  EXPECT_EQ(request->objects[1].key, "main/b\nc &<\r<d>&");
}

TEST(DeleteXml, KeepsKeysExactlyAsSent) {
  for (const std::string_view key : {" ", "  main/ a ", "main/\xc3\xbc", "main/a\tb", "\n"}) {
    const auto request = parse_delete(delete_one(format("<Key>{}</Key>", key)));
    ASSERT_EQ(code_of(request), "OK") << key;
    EXPECT_EQ(request->objects[0].key, key);
  }
}

TEST(DeleteXml, ReadsBackWhatTheWriterEscapes) {
  std::string key = "main/";
  for (int c = 1; c < 128; ++c)
    key.push_back(static_cast<char>(c));
  XmlWriter xml("Delete");
  xml.open("Object");
  xml.element("Key", key);
  const auto request = parse_delete(xml.finish());
  ASSERT_EQ(code_of(request), "OK");
  EXPECT_EQ(request->objects[0].key, key);
}

TEST(DeleteXml, RefusesWhatIsNotADeleteDocument) {
  for (const std::string_view body :
       {"", " ", "x", "<Delete>", "<Delete/>", "<Delete></Delete>", "</Delete>",
        "<Delete><Object></Object></Delete>", "<Delete><Object><Key></Key></Object></Delete>",
        "<Delete><Object><Key>a</Key><Key>b</Key></Object></Delete>",
        "<Delete><Object><Key><b>a</b></Key></Object></Delete>",
        "<Delete><Object><Key>a</Key><Size>x</Size></Object></Delete>",
        "<Other><Object><Key>a</Key></Object></Other>",
        "<Delete><Object><Key>a</Object></Key></Delete>",
        "<Delete><Object><Key>a</Key></Object></Delete><Delete/>",
        "<Delete><Object><Key>a</Key></Object>", "{\"Delete\":1}"}) {
    EXPECT_EQ(delete_code(body), "MalformedXML") << body;
  }
}

TEST(DeleteXml, RefusesDoctypesEntitiesAndNul) {
  const std::string key = "<Delete><Object><Key>a</Key></Object></Delete>";
  ASSERT_EQ(delete_code(key), "OK");
  const std::string bomb =
      "<!DOCTYPE lolz [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;\">]>"
      "<Delete><Object><Key>&b;</Key></Object></Delete>";
  EXPECT_EQ(delete_code(bomb), "MalformedXML");
  EXPECT_EQ(delete_code("<!DOCTYPE Delete SYSTEM \"file:///etc/passwd\">" + key), "MalformedXML");
  EXPECT_EQ(delete_code("<!doctype x>" + key), "MalformedXML");
  for (const std::string_view text :
       {"&b;", "&", "&;", "&#;", "&#x;", "&#0;", "&#x0;", "&#xd800;", "&#1114112;", "&#-1;",
        "&#99999999999;", "&AMP;", "&#x 1;", "&amp"}) {
    EXPECT_EQ(delete_code(delete_one(format("<Key>a{}b</Key>", text))), "MalformedXML") << text;
    EXPECT_EQ(delete_code(delete_one(format("<Key x=\"{}\">b</Key>", text))), "MalformedXML")
        << text;
  }
  EXPECT_EQ(delete_code(delete_one(std::string_view("<Key>a\0b</Key>", 14))), "MalformedXML");
  EXPECT_EQ(delete_code(delete_one("<Key>a\xff</Key>")), "MalformedXML");
  // A comment mark within an attribute must not hide what follows from the screen.
  EXPECT_EQ(delete_code(delete_one("<Key x=\"<!--\">a&#0;b</Key><!-- -->")), "MalformedXML");
}

TEST(DeleteXml, BoundsSizeDepthAndCounts) {
  std::string many = "<Delete>";
  for (int i = 0; i < 1'000; ++i)
    many += format("<Object><Key>{}</Key></Object>", i);
  EXPECT_EQ(delete_code(many + "</Delete>"), "OK");
  EXPECT_EQ(delete_code(many + "<Object><Key>x</Key></Object></Delete>"), "MalformedXML");

  std::string deep, close;
  for (int i = 0; i < 100'000; ++i) {
    deep += "<a>";
    close += "</a>";
  }
  EXPECT_EQ(delete_code(deep + close), "MalformedXML");
  std::string wide = "<Delete><Object><Key>a</Key></Object>";
  for (int i = 0; i < 130'000; ++i)
    wide += "<a/>";
  EXPECT_EQ(delete_code(wide + "</Delete>"), "MalformedXML");
  const std::string padding(kXmlBytesMax, ' ');
  EXPECT_EQ(delete_code(padding + "<Delete><Object><Key>a</Key></Object></Delete>"),
            "MalformedXML");
}

TEST(DeleteXml, SurvivesEveryTruncationAndByteFlip) {
  const std::string body =
      "<?xml version=\"1.0\"?><Delete xmlns='x'><!--c--><Object><Key>a&amp;<![CDATA[b]]></Key>"
      "</Object><Quiet>true</Quiet></Delete>";
  ASSERT_EQ(delete_code(body), "OK");
  for (std::size_t i = 0; i < body.size(); ++i) {
    EXPECT_EQ(delete_code(body.substr(0, i)), "MalformedXML") << i;
    for (int bit = 0; bit < 8; ++bit) {
      std::string changed = body;
      changed[i] = static_cast<char>(changed[i] ^ (1 << bit));
      delete_code(changed);  // any answer will do; the sanitizers watch
    }
  }
}

std::string part(std::string_view number, std::string_view etag) {
  return format("<Part><ETag>{}</ETag><PartNumber>{}</PartNumber></Part>", etag, number);
}

std::string complete_code(std::string_view parts) {
  return code_of(parse_complete_upload(
      format("<CompleteMultipartUpload>{}</CompleteMultipartUpload>", parts)));
}

TEST(CompleteXml, ReadsPartsInAnyElementOrder) {
  const auto parts = parse_complete_upload(
      "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
      "<Part><PartNumber>1</PartNumber><ETag>&quot;ABCdef&quot;</ETag>"
      "<ChecksumCRC32>Mgkyuw==</ChecksumCRC32></Part>"
      "<Part><ETag>\"012\"</ETag><PartNumber> 10000 </PartNumber></Part>"
      "</CompleteMultipartUpload>");
  ASSERT_EQ(code_of(parts), "OK");
  EXPECT_EQ((*parts)[0].etag, "abcdef");
  ASSERT_EQ((*parts)[0].checksums.size(), 1U);
  EXPECT_EQ((*parts)[0].checksums[0].first, ChecksumAlgorithm::crc32);
  EXPECT_EQ(to_base64((*parts)[0].checksums[0].second), "Mgkyuw==");
  EXPECT_EQ((*parts)[1].number, 10'000U);
  EXPECT_EQ((*parts)[1].etag, "012");
}

TEST(CompleteXml, RefusesEachMistakeByItsOwnCode) {
  EXPECT_EQ(code_of(parse_complete_upload("")), "MalformedXML");
  EXPECT_EQ(complete_code(""), "MalformedXML");
  EXPECT_EQ(complete_code("<Part><PartNumber>1</PartNumber></Part>"), "MalformedXML");
  EXPECT_EQ(complete_code("<Part><ETag>a</ETag></Part>"), "MalformedXML");
  EXPECT_EQ(complete_code(part("one", "a")), "MalformedXML");
  EXPECT_EQ(complete_code(part("1.0", "a")), "MalformedXML");
  EXPECT_EQ(complete_code(part("", "a")), "MalformedXML");
  EXPECT_EQ(complete_code(part("1", "")), "MalformedXML");
  EXPECT_EQ(complete_code(part("0", "a")), "InvalidArgument");
  EXPECT_EQ(complete_code(part("-1", "a")), "InvalidArgument");
  EXPECT_EQ(complete_code(part("10001", "a")), "InvalidArgument");
  EXPECT_EQ(complete_code(part("2", "a") + part("1", "b")), "InvalidPartOrder");
  EXPECT_EQ(complete_code(part("2", "a") + part("2", "a")), "InvalidPartOrder");
  EXPECT_EQ(complete_code("<Part><PartNumber>1</PartNumber><ETag>a</ETag>"
                          "<ChecksumCRC32>x</ChecksumCRC32></Part>"),
            "InvalidRequest");
}

TEST(CompleteXml, TakesTenThousandPartsWithChecksums) {
  std::string parts;
  for (int i = 1; i <= 10'000; ++i) {
    parts += format(
        "<Part><PartNumber>{}</PartNumber><ETag>&quot;{:032x}&quot;</ETag>"
        "<ChecksumCRC32>Mgkyuw==</ChecksumCRC32></Part>",
        i, i);
  }
  EXPECT_EQ(complete_code(parts), "OK");
}

TEST(CreateBucketXml, ReadsTheConstraint) {
  EXPECT_EQ(parse_create_bucket(""), "");
  EXPECT_EQ(parse_create_bucket("<CreateBucketConfiguration/>"), "");
  EXPECT_EQ(parse_create_bucket("<CreateBucketConfiguration xmlns=\"x\"><LocationConstraint>EU"
                                "</LocationConstraint></CreateBucketConfiguration>"),
            "EU");
  EXPECT_EQ(code_of(parse_create_bucket("<Create")), "MalformedXML");
}

std::string tagging(std::string_view tags) {
  return format("<Tagging><TagSet>{}</TagSet></Tagging>", tags);
}

std::string tag(std::string_view key, std::string_view value) {
  return format("<Tag><Key>{}</Key><Value>{}</Value></Tag>", key, value);
}

TEST(TaggingXml, ReadsTagsAndRefusesBadOnes) {
  EXPECT_EQ(parse_tagging(tagging(tag("a", "") + tag("b", "x y"))),
            (Tags{{"a", ""}, {"b", "x y"}}));
  EXPECT_EQ(parse_tagging(tagging("")), Tags());
  EXPECT_EQ(code_of(parse_tagging("<Tagging/>")), "MalformedXML");
  EXPECT_EQ(code_of(parse_tagging(tagging("<Tag><Key>a</Key></Tag>"))), "MalformedXML");
  EXPECT_EQ(code_of(parse_tagging(tagging(tag("", "a")))), "InvalidTag");
  EXPECT_EQ(code_of(parse_tagging(tagging(tag("a", "1") + tag("a", "2")))), "InvalidTag");
  EXPECT_EQ(code_of(parse_tagging(tagging(tag(std::string(129, 'k'), "")))), "InvalidTag");
  EXPECT_EQ(code_of(parse_tagging(tagging(tag("k", std::string(257, 'v'))))), "InvalidTag");
  std::string eleven;
  for (int i = 0; i < 11; ++i)
    eleven += tag(std::to_string(i), "");
  EXPECT_EQ(code_of(parse_tagging(tagging(eleven))), "InvalidTag");
}

TEST(TaggingHeader, IsFormEncoded) {
  EXPECT_EQ(parse_tagging_header("a=b+c&d=%2B&e"), (Tags{{"a", "b c"}, {"d", "+"}, {"e", ""}}));
  EXPECT_EQ(parse_tagging_header(""), Tags());
  EXPECT_EQ(code_of(parse_tagging_header("a=1&a=2")), "InvalidTag");
  EXPECT_EQ(code_of(parse_tagging_header("=1")), "InvalidTag");
  EXPECT_EQ(code_of(parse_tagging_header("a=%ff")), "InvalidTag");
  EXPECT_EQ(code_of(parse_tagging_header("1&2&3&4&5&6&7&8&9&10&11")), "InvalidTag");
}

TEST(Etag, IsComparedWithoutQuotesInLowerCase) {
  EXPECT_EQ(normalize_etag("\"ABC-3\""), "abc-3");
  EXPECT_EQ(normalize_etag(" W/\"abc\" "), "abc");
  EXPECT_EQ(normalize_etag("abc"), "abc");
  EXPECT_EQ(normalize_etag("\""), "\"");
}

}  // namespace
}  // namespace tarn::aws
