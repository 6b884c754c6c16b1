// Multipart uploads through the gateway. Parts but the last have at least 10 bytes here.
#include <gtest/gtest.h>

#include "aws/checksum.h"
#include "base/bytes.h"
#include "base/format.h"
#include "base/hash.h"
#include "s3gw/testing/gateway_fixture.h"

namespace tarn::s3gw {

namespace {

using aws::ChecksumAlgorithm;
using testing::Answer;
using testing::Headers;

const std::string kFirst = "first part";
const std::string kSecond = "tail";

class Multipart : public testing::GatewayTest {
 public:
  std::string begin(Headers headers = {}, std::string_view path = "/repo/main/a") {
    const auto answer = post(path, "uploads", "", std::move(headers));
    EXPECT_EQ(answer.status, 200) << answer.body;
    return answer.element("UploadId");
  }

  Answer part(std::string_view id, int number, std::string_view body, Headers headers = {},
              std::string_view path = "/repo/main/a") {
    return put(path, body, std::move(headers), format("partNumber={}&uploadId={}", number, id));
  }

  struct Listed {
    int number;
    std::string etag;
    std::string more = {};
  };

  Answer complete(std::string_view id, const std::vector<Listed>& parts, Headers headers = {}) {
    std::string body = "<CompleteMultipartUpload>";
    for (const auto& one : parts) {
      body += format("<Part><PartNumber>{}</PartNumber><ETag>{}</ETag>{}</Part>", one.number,
                     one.etag, one.more);
    }
    return post("/repo/main/a", format("uploadId={}", id), body + "</CompleteMultipartUpload>",
                std::move(headers));
  }
};

std::string etag(std::string_view bytes) {
  return to_hex(md5(bytes));
}

TEST_F(Multipart, JoinsTheListedPartsAndKeepsTheCountInTheEtag) {
  const std::string id =
      begin({{"x-amz-meta-k", "v"}, {"content-type", "a/b"}, {"cache-control", "private"}});
  EXPECT_EQ(part(id, 2, kSecond).header("etag"), "\"" + etag(kSecond) + "\"");
  part(id, 1, "another one");
  part(id, 1, kFirst);
  part(id, 3, "left out");
  EXPECT_EQ(get("/repo/main/a").status, 404);
  const auto done = complete(id, {{1, "&quot;" + etag(kFirst) + "&quot;"}, {2, etag(kSecond)}});
  EXPECT_EQ(done.status, 200) << done.body;
  EXPECT_EQ(done.element("Key"), "main/a");
  EXPECT_EQ(done.element("Location"), "http://localhost:8000/repo/main/a");
  const std::string expected = etag(md5(kFirst) + md5(kSecond)) + "-2";
  EXPECT_EQ(done.element("ETag"), "&quot;" + expected + "&quot;");
  const auto read = get("/repo/main/a");
  EXPECT_EQ(read.body, kFirst + kSecond);
  EXPECT_EQ(read.header("etag"), "\"" + expected + "\"");
  EXPECT_EQ(read.header("x-amz-meta-k"), "v");
  EXPECT_EQ(read.header("content-type"), "a/b");
  EXPECT_EQ(read.header("cache-control"), "private");
  EXPECT_EQ(get("/repo", "prefix=main/").element("ETag"), "&quot;" + expected + "&quot;");
  EXPECT_EQ(get("/repo/main/a", "partNumber=3").error(), "416 InvalidPartNumber");
  EXPECT_EQ(get("/repo/main/a", "partNumber=1").error(), "501 NotImplemented");
  // Completing again is the same answer; completing other parts is not.
  EXPECT_EQ(complete(id, {{1, etag(kFirst)}, {2, etag(kSecond)}}).element("ETag"),
            done.element("ETag"));
  EXPECT_EQ(complete(id, {{1, etag(kFirst)}}).error(), "404 NoSuchUpload");
}

TEST_F(Multipart, RefusesListsThatDoNotFit) {
  const std::string id = begin();
  part(id, 1, "small");
  part(id, 2, kFirst);
  const std::string small = etag("small");
  const std::string large = etag(kFirst);
  EXPECT_EQ(complete(id, {}).error(), "400 MalformedXML");
  EXPECT_EQ(complete(id, {{2, large}, {1, small}}).error(), "400 InvalidPartOrder");
  EXPECT_EQ(complete(id, {{0, small}}).error(), "400 InvalidArgument");
  EXPECT_EQ(complete(id, {{3, small}}).error(), "400 InvalidPart");
  const auto wrong = complete(id, {{2, small}});
  EXPECT_EQ(wrong.error(), "400 InvalidPart");
  EXPECT_EQ(wrong.element("PartNumber"), "2");
  const auto tiny = complete(id, {{1, small}, {2, large}});
  EXPECT_EQ(tiny.error(), "400 EntityTooSmall");
  EXPECT_EQ(tiny.element("MinSizeAllowed"), "10");
  EXPECT_EQ(complete(id, {{2, large}}, {{"x-amz-mp-object-size", "11"}}).error(),
            "400 InvalidRequest");
  EXPECT_EQ(complete(id, {{2, large}}, {{"if-match", "*"}}).error(), "404 NoSuchKey");
  put("/repo/main/a", "there");
  EXPECT_EQ(complete(id, {{2, large}}, {{"if-none-match", "*"}}).error(), "412 PreconditionFailed");
  EXPECT_EQ(get("/repo/main/a").body, "there");
  EXPECT_EQ(complete(id, {{2, large}}).status, 200);
}

TEST_F(Multipart, BelongsToItsKey) {
  const std::string id = begin();
  create_branch("dev");
  for (const char* path : {"/repo/main/b", "/repo/dev/a"}) {
    EXPECT_EQ(part(id, 1, "x", {}, path).error(), "404 NoSuchUpload") << path;
    EXPECT_EQ(get(path, "uploadId=" + id).error(), "404 NoSuchUpload") << path;
    EXPECT_EQ(remove(path, "uploadId=" + id).error(), "404 NoSuchUpload") << path;
  }
  EXPECT_EQ(part("none", 1, "x").error(), "404 NoSuchUpload");
  EXPECT_EQ(part(id, 0, "x").error(), "400 InvalidArgument");
  EXPECT_EQ(part(id, 10'001, "x").error(), "400 InvalidArgument");
  EXPECT_EQ(put("/repo/main/a", "x", {}, "uploadId=" + id).error(), "400 InvalidArgument");
  EXPECT_EQ(remove("/repo/main/a", "uploadId=" + id).status, 204);
  EXPECT_EQ(part(id, 1, "x").error(), "404 NoSuchUpload");
}

TEST_F(Multipart, KeepsTheChecksumItWasBegunWith) {
  struct Row {
    ChecksumAlgorithm algorithm;
    std::string type;
  };

  for (const Row& row :
       {Row{ChecksumAlgorithm::crc32, "COMPOSITE"}, Row{ChecksumAlgorithm::crc32, "FULL_OBJECT"},
        Row{ChecksumAlgorithm::crc32c, "FULL_OBJECT"},
        Row{ChecksumAlgorithm::crc64nvme, "FULL_OBJECT"}, Row{ChecksumAlgorithm::sha1, "COMPOSITE"},
        Row{ChecksumAlgorithm::sha256, "COMPOSITE"}}) {
    const std::string name(to_string(row.algorithm));
    const std::string header(aws::header_name(row.algorithm));
    const std::string element(aws::element_name(row.algorithm));
    const std::string id =
        begin({{"x-amz-checksum-algorithm", name}, {"x-amz-checksum-type", row.type}});
    const std::string first = aws::checksum_of(row.algorithm, kFirst);
    const std::string second = aws::checksum_of(row.algorithm, kSecond);
    EXPECT_EQ(part(id, 1, kFirst, {{header, to_base64(second)}}).error(), "400 BadDigest");
    EXPECT_EQ(part(id, 1, kFirst, {{header, to_base64(first)}}).header(header), to_base64(first));
    EXPECT_EQ(part(id, 2, kSecond).header(header), to_base64(second)) << "not sent, but kept";
    EXPECT_EQ(get("/repo/main/a", "uploadId=" + id).elements(element),
              (std::vector<std::string>{to_base64(first), to_base64(second)}));
    const std::vector<std::string> sums = {first, second};
    const std::string expected =
        row.type == "FULL_OBJECT" ? to_base64(aws::checksum_of(row.algorithm, kFirst + kSecond))
                                  : to_base64(aws::composite_checksum(row.algorithm, sums)) + "-2";
    const Listed one{1, etag(kFirst), format("<{0}>{1}</{0}>", element, to_base64(first))};
    const Listed bad{2, etag(kSecond), format("<{0}>{1}</{0}>", element, to_base64(first))};
    const Listed two{2, etag(kSecond)};
    EXPECT_EQ(complete(id, {one, bad}).error(), "400 InvalidPart");
    EXPECT_EQ(complete(id, {one, two}, {{header, to_base64(first)}}).error(), "400 BadDigest");
    const auto done = complete(id, {one, two}, {{header, expected}});
    EXPECT_EQ(done.status, 200) << name << done.body;
    EXPECT_EQ(done.element(element), expected) << name;
    EXPECT_EQ(done.element("ChecksumType"), row.type);
  }
}

TEST_F(Multipart, RefusesChecksumChoicesThatDoNotExist) {
  const auto choose = [&](Headers headers) {
    return post("/repo/main/a", "uploads", "", std::move(headers)).error();
  };
  EXPECT_EQ(choose({{"x-amz-checksum-algorithm", "CRC7"}}), "400 InvalidRequest");
  EXPECT_EQ(choose({{"x-amz-checksum-type", "COMPOSITE"}}), "400 InvalidRequest");
  EXPECT_EQ(choose({{"x-amz-checksum-algorithm", "SHA1"}, {"x-amz-checksum-type", "FULL_OBJECT"}}),
            "400 InvalidRequest");
  const std::string id = begin({{"x-amz-checksum-algorithm", "SHA1"}});
  EXPECT_EQ(
      part(id, 1, "x",
           {{"x-amz-checksum-crc32", to_base64(aws::checksum_of(ChecksumAlgorithm::crc32, "x"))}})
          .error(),
      "400 InvalidRequest");
  // An upload without an algorithm takes any.
  const std::string other = begin();
  EXPECT_EQ(
      part(other, 1, "x",
           {{"x-amz-checksum-crc32", to_base64(aws::checksum_of(ChecksumAlgorithm::crc32, "x"))}})
          .status,
      200);
}

TEST_F(Multipart, CopiesPartsFromRangesWithinTheSource) {
  put("/repo/main/source", "0123456789abcdef");
  const std::string id = begin();
  const auto copy = [&](std::string range, Headers more = {}) {
    more.emplace_back("x-amz-copy-source", "repo/main/source");
    if (!range.empty()) more.emplace_back("x-amz-copy-source-range", range);
    return part(id, 1, "", std::move(more));
  };
  EXPECT_EQ(copy("bytes=2-99").error(), "416 InvalidRange");
  EXPECT_EQ(copy("bytes=2-").error(), "400 InvalidArgument");
  EXPECT_EQ(copy("2-3").error(), "400 InvalidArgument");
  EXPECT_EQ(copy("", {{"x-amz-copy-source-if-match", "x"}}).error(), "412 PreconditionFailed");
  EXPECT_EQ(get("/repo/main/a", "uploadId=" + id).elements("Part").size(), 0U);
  const auto done = copy("bytes=2-13");
  EXPECT_EQ(done.status, 200);
  EXPECT_EQ(done.element("ETag"), "&quot;" + etag("23456789abcd") + "&quot;");
  EXPECT_EQ(done.elements("CopyPartResult").size(), 0U) << "the root has a namespace";
  EXPECT_EQ(complete(id, {{1, etag("23456789abcd")}}).status, 200);
  EXPECT_EQ(get("/repo/main/a").body, "23456789abcd");
}

TEST_F(Multipart, ListsPartsInPages) {
  const std::string id = begin();
  for (int i = 1; i <= 5; ++i)
    part(id, i, std::string(static_cast<std::size_t>(i), 'x'));
  const auto page = get("/repo/main/a", format("uploadId={}&max-parts=2&part-number-marker=1", id));
  EXPECT_EQ(page.elements("PartNumber"), (std::vector<std::string>{"2", "3"}));
  EXPECT_EQ(page.element("IsTruncated"), "true");
  EXPECT_EQ(page.element("NextPartNumberMarker"), "3");
  EXPECT_EQ(page.element("UploadId"), id);
  EXPECT_EQ(page.element("ETag"), "&quot;" + etag("xx") + "&quot;");
  EXPECT_EQ(
      get("/repo/main/a", format("uploadId={}&part-number-marker=3", id)).element("IsTruncated"),
      "false");
  EXPECT_EQ(get("/repo/main/a", format("uploadId={}&max-parts=-1", id)).error(),
            "400 InvalidArgument");
}

TEST_F(Multipart, ListsUploadsWithPrefixDelimiterAndMarkers) {
  create_branch("dev");
  const auto first = begin({}, "/repo/main/a");
  const auto second = begin({}, "/repo/main/a");
  begin({}, "/repo/main/dir/x");
  begin({}, "/repo/main/dir/y");
  begin({}, "/repo/main/z");
  begin({}, "/repo/dev/q");
  const auto all = get("/repo", "uploads");
  EXPECT_EQ(all.elements("Key"), (std::vector<std::string>{"dev/q", "main/a", "main/a",
                                                           "main/dir/x", "main/dir/y", "main/z"}));
  EXPECT_EQ(all.element("IsTruncated"), "false");
  const auto folded = get("/repo", "uploads&prefix=main/&delimiter=/&encoding-type=url");
  EXPECT_EQ(folded.elements("Key"), (std::vector<std::string>{"main/a", "main/a", "main/z"}));
  EXPECT_EQ(folded.elements("Prefix"), (std::vector<std::string>{"main/", "main/dir/"}));
  EXPECT_EQ(get("/repo", "uploads&delimiter=/").elements("Prefix"),
            (std::vector<std::string>{"", "dev/", "main/"}));
  std::vector<std::string> seen;
  std::string query = "uploads&max-uploads=1&prefix=main/&delimiter=/";
  std::string markers;
  for (int i = 0; i < 10; ++i) {
    const auto page = get("/repo", query + markers);
    for (const auto& key : page.elements("Key"))
      seen.push_back(key);
    for (const auto& prefix : page.elements("Prefix")) {
      if (prefix != "main/") seen.push_back(prefix);
    }
    if (page.element("IsTruncated") == "false") break;
    markers = format("&key-marker={}&upload-id-marker={}", page.element("NextKeyMarker"),
                     page.element("NextUploadIdMarker"));
  }
  EXPECT_EQ(seen, (std::vector<std::string>{"main/a", "main/a", "main/dir/", "main/z"}));
  EXPECT_NE(first, second);
  EXPECT_EQ(get("/repo", "prefix=main/").elements("Key").size(), 0U);
}

}  // namespace

}  // namespace tarn::s3gw
