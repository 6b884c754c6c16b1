#include "block/s3/documents.h"

#include <gtest/gtest.h>

namespace tarn::block::s3 {
namespace {

TEST(ErrorDocument, TellsCodeAndRegion) {
  const auto error = find_error(
      "<?xml version=\"1.0\"?><Error><Code>AuthorizationHeaderMalformed</Code>"
      "<Region>eu-west-1</Region></Error>");
  EXPECT_EQ(error.code, "AuthorizationHeaderMalformed");
  EXPECT_EQ(error.region, "eu-west-1");
  EXPECT_EQ(find_error("<Error/>").code, "Unknown");
  EXPECT_EQ(find_error("<CopyObjectResult><ETag>Error</ETag></CopyObjectResult>").code, "");
  EXPECT_EQ(find_error("Error").code, "");
  EXPECT_EQ(find_error("").code, "");
}

constexpr std::string_view kList =
    "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
    "<EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>"
    "<NextContinuationToken>t&amp;=</NextContinuationToken>"
    "<Contents><Key>a%2Fb+c%25</Key><LastModified>2026-11-21T10:00:00.000Z</LastModified>"
    "<ETag>&quot;0123456789abcdef0123456789abcdef&quot;</ETag><Size>5368709120</Size></Contents>"
    "</ListBucketResult>";

TEST(ListDocument, TellsObjectsAndWhereItGoesOn) {
  const auto list = parse_list(kList);
  ASSERT_TRUE(list) << list.error().message;
  EXPECT_TRUE(list->truncated);
  EXPECT_EQ(list->next, "t&=");
  ASSERT_EQ(list->objects.size(), 1u);
  EXPECT_EQ(list->objects[0].address, "a/b c%");
  EXPECT_EQ(list->objects[0].size, 5'368'709'120u);
  EXPECT_EQ(list->objects[0].etag, "0123456789abcdef0123456789abcdef");
}

TEST(ListDocument, RefusesWhatIsBroken) {
  for (const std::string_view change : {"<Size>5368709120", "<Key>a%2Fb+c%25", "2026-11-21T10"}) {
    std::string text(kList);
    text.replace(text.find(change), change.size(), "<Size>-1");
    EXPECT_FALSE(parse_list(text)) << change;
  }
  EXPECT_FALSE(parse_list("<Error/>"));
  EXPECT_FALSE(parse_list(kList.substr(0, 200)));
  EXPECT_FALSE(parse_list("<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>"));
}

TEST(ResultDocuments, TellIdsAndEtags) {
  EXPECT_EQ(parse_upload_id("<InitiateMultipartUploadResult><UploadId>u/1</UploadId>"
                            "</InitiateMultipartUploadResult>"),
            "u/1");
  EXPECT_FALSE(parse_upload_id("<InitiateMultipartUploadResult/>"));
  EXPECT_EQ(parse_etag("<CopyPartResult><ETag>\"e\"</ETag></CopyPartResult>"), "e");
  EXPECT_FALSE(parse_etag("<CopyPartResult/>"));
  EXPECT_FALSE(parse_etag("<Other><ETag>e</ETag></Other>"));
  EXPECT_FALSE(parse_etag(""));
}

TEST(PartsDocument, TellsParts) {
  const auto parts = parse_parts(
      "<ListPartsResult><IsTruncated>false</IsTruncated><Part><PartNumber>7</PartNumber>"
      "<LastModified>2026-11-21T10:00:00Z</LastModified><ETag>\"e\"</ETag><Size>3</Size></Part>"
      "</ListPartsResult>");
  ASSERT_TRUE(parts);
  ASSERT_EQ(parts->parts.size(), 1u);
  EXPECT_EQ(parts->parts[0].number, 7u);
  EXPECT_EQ(parts->parts[0].etag, "e");
  EXPECT_FALSE(parse_parts("<ListPartsResult><Part/></ListPartsResult>"));
}

TEST(CompleteDocument, QuotesEtagsOnce) {
  const std::string text = complete_document({{.number = 1, .etag = "\"e1\""}, {2, "e2"}});
  EXPECT_NE(text.find("<PartNumber>1</PartNumber>"), std::string::npos) << text;
  EXPECT_EQ(text.find("\"\""), std::string::npos) << text;
  EXPECT_EQ(text.find("&quot;&quot;"), std::string::npos) << text;
}

TEST(DeleteDocument, EscapesKeysAndTellsWhichItCannotCarry) {
  const std::string text = delete_document({"a&b", "c<d"});
  EXPECT_NE(text.find("<Quiet>true</Quiet>"), std::string::npos) << text;
  EXPECT_NE(text.find("<Object><Key>a&amp;b</Key></Object>"), std::string::npos) << text;
  EXPECT_NE(text.find("<Key>c&lt;d</Key>"), std::string::npos) << text;
  EXPECT_TRUE(is_xml_text("a/\xc3\xa9 +%"));
  EXPECT_FALSE(is_xml_text("a\x01"));
  EXPECT_FALSE(is_xml_text("a\n"));
  EXPECT_FALSE(is_xml_text("\xff"));
}

TEST(DeleteDocument, TellsWhatWasNotRemoved) {
  const auto codes = parse_delete_failures(
      "<DeleteResult><Deleted><Key>a</Key></Deleted>"
      "<Error><Key>b</Key><Code>AccessDenied</Code></Error>"
      "<Error><Key>c</Key><Code>NoSuchKey</Code></Error><Error><Key>d</Key></Error></"
      "DeleteResult>");
  ASSERT_TRUE(codes);
  EXPECT_EQ(*codes, (std::vector<std::string>{"AccessDenied", "Unknown"}));
  EXPECT_TRUE(parse_delete_failures("<DeleteResult/>")->empty());
  EXPECT_FALSE(parse_delete_failures("<Other/>"));
}

TEST(Etag, IsAnMd5WhenItLooksLikeOne) {
  EXPECT_TRUE(is_md5_etag("0123456789abcdef0123456789abcdef"));
  EXPECT_FALSE(is_md5_etag("0123456789abcdef0123456789abcdef-2"));
  EXPECT_EQ(plain_etag("W/\"x\""), "x");
}

}  // namespace
}  // namespace tarn::block::s3
