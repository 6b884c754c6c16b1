// Reading, writing, copying and deleting objects through the gateway.
#include <gtest/gtest.h>

#include "aws/request_xml.h"
#include "base/bytes.h"
#include "base/hash.h"
#include "s3gw/testing/gateway_fixture.h"
#include "testing/co_test.h"

namespace tarn::s3gw {

namespace {

using testing::Headers;

class Objects : public testing::GatewayTest {};

TEST_F(Objects, EveryAnswerCarriesItsIdentity) {
  for (const auto& answer :
       {get("/"), get("/repo/main/none"), get("/repo", "foo"), ask_unsigned({.path = "/repo"})}) {
    EXPECT_NE(answer.header("x-amz-request-id"), "");
    EXPECT_NE(answer.header("x-amz-id-2"), "");
    EXPECT_EQ(answer.header("Server"), "Tarn");
    EXPECT_EQ(answer.header("Content-Type"), "application/xml");
    if (answer.status != 200) {
      EXPECT_EQ(answer.element("RequestId"), answer.header("x-amz-request-id"));
      EXPECT_EQ(answer.element("HostId"), answer.header("x-amz-id-2"));
    }
  }
}

TEST_F(Objects, ComeBackWithTheirHeaders) {
  const auto put_answer = put("/repo/main/a/b", "hello",
                              {{"content-type", "text/plain"},
                               {"cache-control", "max-age=1"},
                               {"content-encoding", "gzip"},
                               {"content-disposition", "attachment"},
                               {"content-language", "de"},
                               {"expires", "Wed, 21 Oct 2026 07:28:00 GMT"},
                               {"x-amz-meta-Foo", "bar"},
                               {"x-amz-storage-class", "STANDARD_IA"},
                               {"x-amz-tagging", "a=b"}});
  EXPECT_EQ(put_answer.status, 200);
  EXPECT_EQ(put_answer.header("etag"), "\"5d41402abc4b2a76b9719d911017c592\"");
  const auto answer = get("/repo/main/a/b");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "hello");
  EXPECT_EQ(answer.header("etag"), put_answer.header("etag"));
  EXPECT_EQ(answer.header("last-modified"), "Fri, 02 Jan 2026 03:04:05 GMT");
  EXPECT_EQ(answer.header("content-type"), "text/plain");
  EXPECT_EQ(answer.header("cache-control"), "max-age=1");
  EXPECT_EQ(answer.header("content-encoding"), "gzip");
  EXPECT_EQ(answer.header("content-disposition"), "attachment");
  EXPECT_EQ(answer.header("content-language"), "de");
  EXPECT_EQ(answer.header("expires"), "Wed, 21 Oct 2026 07:28:00 GMT");
  EXPECT_EQ(answer.header("x-amz-meta-foo"), "bar");
  EXPECT_EQ(answer.header("x-amz-storage-class"), "STANDARD_IA");
  EXPECT_EQ(answer.header("x-amz-tagging-count"), "1");
  EXPECT_EQ(answer.header("accept-ranges"), "bytes");
  const auto head_answer = head("/repo/main/a/b");
  EXPECT_EQ(head_answer.announced_length, 5U);
  EXPECT_EQ(head_answer.header("etag"), answer.header("etag"));
  EXPECT_EQ(find("main", "a/b")->metadata.at("X-Amz-Meta-foo"), "bar");
}

TEST_F(Objects, OfTheSameUploadHaveTheReferencesMetadata) {
  put("/repo/main/a", "x",
      {{"x-amz-checksum-crc32", to_base64(std::string("\x8c\xdc\x16\x83", 4))}});
  EXPECT_EQ(find("main", "a")->metadata, versioning::Metadata{});
  EXPECT_EQ(find("main", "a")->content_type, "application/octet-stream");
}

TEST_F(Objects, AreReadAtAnyReferenceButMissOnUnknownOnes) {
  put("/repo/main/a", "one");
  const std::string id = commit("first");
  put("/repo/main/a", "two");
  EXPECT_EQ(get("/repo/main/a").body, "two");
  EXPECT_EQ(get("/repo/main%40/a").body, "one");
  EXPECT_EQ(get("/repo/main$/a").body, "two");
  EXPECT_EQ(get("/repo/" + id + "/a").body, "one");
  EXPECT_EQ(get("/repo/" + id.substr(0, 12) + "/a").body, "one");
  for (const char* path : {"/repo/none/a", "/repo/main~x/a", "/repo/main%20/a", "/repo/main/b",
                           "/repo/main", "/repo/main/", "/repo//a", "/repo/main@~1/a"}) {
    EXPECT_EQ(get(path).error(), "404 NoSuchKey") << path;
    const auto answer = head(path);
    EXPECT_EQ(answer.status, 404) << path;
    EXPECT_EQ(answer.body, "") << path;
  }
  EXPECT_EQ(get("/nobody/main/a").error(), "404 NoSuchBucket");
  EXPECT_EQ(get("/api/v1/x").error(), "404 ErrNoSuchBucketPossibleAPIEndpoint");
  EXPECT_EQ(get("/Bad_Name/x").error(), "400 InvalidBucketName");
}

TEST_F(Objects, AreReadInRangesAndUnderConditions) {
  put("/repo/main/a", "0123456789");
  const std::string etag = get("/repo/main/a").header("etag");
  const auto part = get("/repo/main/a", "", {{"range", "bytes=2-4"}, {"if-match", etag}});
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(part.body, "234");
  EXPECT_EQ(part.header("content-range"), "bytes 2-4/10");
  const auto beyond = get("/repo/main/a", "", {{"range", "bytes=10-"}});
  EXPECT_EQ(beyond.error(), "416 InvalidRange");
  EXPECT_EQ(beyond.header("content-range"), "bytes */10");
  EXPECT_EQ(beyond.element("ActualObjectSize"), "10");
  EXPECT_EQ(head("/repo/main/a", {{"range", "bytes=-3"}}).announced_length, 3U);
  EXPECT_EQ(get("/repo/main/a", "", {{"range", "bytes=0-1"}, {"if-range", "\"x\""}}).status, 200);
  EXPECT_EQ(get("/repo/main/a", "", {{"range", "bytes=0-1"}, {"if-range", etag}}).status, 206);
  const auto failed = get("/repo/main/a", "", {{"if-match", "\"x\""}, {"range", "bytes=99-"}});
  EXPECT_EQ(failed.error(), "412 PreconditionFailed");
  EXPECT_EQ(failed.element("Condition"), "If-Match");
  const auto same = get("/repo/main/a", "", {{"if-none-match", etag}});
  EXPECT_EQ(same.status, 304);
  EXPECT_EQ(same.body, "");
  EXPECT_EQ(same.header("etag"), etag);
}

TEST_F(Objects, AreReadByPartNumber) {
  put("/repo/main/a", "abc");
  put("/repo/main/empty", "");
  const auto whole = get("/repo/main/a", "partNumber=1");
  EXPECT_EQ(whole.status, 206);
  EXPECT_EQ(whole.body, "abc");
  EXPECT_EQ(get("/repo/main/empty", "partNumber=1").status, 200);
  EXPECT_EQ(get("/repo/main/a", "partNumber=2").error(), "416 InvalidPartNumber");
  EXPECT_EQ(get("/repo/main/a", "partNumber=0").error(), "400 InvalidArgument");
  EXPECT_EQ(get("/repo/main/a", "partNumber=1", {{"range", "bytes=0-"}}).error(),
            "400 InvalidRequest");
}

TEST_F(Objects, AnswerWithTheHeadersTheRequestWants) {
  put("/repo/main/a", "x", {{"cache-control", "private"}});
  const auto answer = get("/repo/main/a",
                          "response-content-type=a%2Fb&response-cache-control=no-store&"
                          "response-content-disposition=inline");
  EXPECT_EQ(answer.header("content-type"), "a/b");
  EXPECT_EQ(answer.header("cache-control"), "no-store");
  EXPECT_EQ(answer.header("content-disposition"), "inline");
}

TEST_F(Objects, AreWrittenToBranchesOnly) {
  put("/repo/main/a", "x");
  const std::string id = commit("first");
  for (const auto& [path, error] : std::vector<std::pair<std::string, std::string>>{
           {"/repo/none/a", "404 NoSuchBucket"},
           {"/repo/main~1/a", "405 MethodNotAllowed"},
           {"/repo/main%40/a", "405 MethodNotAllowed"},
           {"/repo/" + id + "/a", "405 MethodNotAllowed"},
           {"/repo/v1.0/a", "404 NoSuchBucket"},
           {"/repo/main", "400 InvalidArgument"},
           {"/repo//a", "400 InvalidArgument"},
           {"/repo/main/" + std::string(1'025, 'x'), "400 KeyTooLongError"},
           {"/repo/main/%FF", "400 InvalidURI"},
           {"/repo/main/a%00b", "400 InvalidArgument"},
           {"/nobody/main/a", "404 NoSuchBucket"}}) {
    const auto answer = put(path, "y");
    EXPECT_EQ(answer.error(), error) << path;
    EXPECT_FALSE(answer.read_body) << path;
    EXPECT_EQ(post(path, "uploads").error(), error) << path;
  }
  EXPECT_EQ(stored_objects(), 1U);
}

TEST_F(Objects, MayHaveAnyPath) {
  for (const char* path : {"/repo/main//a", "/repo/main/a//b", "/repo/main/../x", "/repo/main/./x",
                           "/repo/main/a%0Ab", "/repo/main/dir/", "/repo/main/_lakefs/x"}) {
    EXPECT_EQ(put(path, path).status, 200) << path;
  }
  EXPECT_EQ(get("/repo/main/a%0Ab").body, "/repo/main/a%0Ab");
  EXPECT_EQ(get("/repo/main/../x").body, "/repo/main/../x");
  EXPECT_TRUE(find("main", "../x"));
}

TEST_F(Objects, BranchRootsAreDirectoriesAlready) {
  const auto made = put("/repo/main/", "");
  EXPECT_EQ(made.status, 200);
  EXPECT_EQ(made.header("etag"), "\"d41d8cd98f00b204e9800998ecf8427e\"");
  EXPECT_EQ(put("/repo/main/", "x").error(), "400 InvalidArgument");
  EXPECT_EQ(put("/repo/none/", "").error(), "404 NoSuchBucket");
  EXPECT_EQ(remove("/repo/main/").status, 204);
  EXPECT_EQ(put("/repo/main/a", "").status, 200);
}

TEST_F(Objects, AreReplacedUnderConditions) {
  const Headers absent = {{"if-none-match", "*"}};
  EXPECT_EQ(put("/repo/main/a", "1", {{"if-match", "*"}}).error(), "404 NoSuchKey");
  EXPECT_EQ(put("/repo/main/a", "1", absent).status, 200);
  const auto refused = put("/repo/main/a", "2", absent);
  EXPECT_EQ(refused.error(), "412 PreconditionFailed");
  EXPECT_FALSE(refused.read_body);
  const std::string etag = get("/repo/main/a").header("etag");
  EXPECT_EQ(put("/repo/main/a", "2", {{"if-match", "\"x\""}}).error(), "412 PreconditionFailed");
  EXPECT_EQ(put("/repo/main/a", "2", {{"if-none-match", etag}}).error(), "412 PreconditionFailed");
  EXPECT_EQ(put("/repo/main/a", "2", {{"if-none-match", "\"x\""}}).status, 200);
  EXPECT_EQ(put("/repo/main/a", "3", {{"if-match", etag}, {"if-none-match", "*"}}).error(),
            "400 InvalidRequest");
  EXPECT_EQ(put("/repo/main/a", "3", {{"if-match", etag}}).error(), "412 PreconditionFailed");
  EXPECT_EQ(get("/repo/main/a").body, "2");
}

TEST_F(Objects, AreCopiedWithEverything) {
  put("/repo/main/a b", "data",
      {{"x-amz-meta-k", "v"}, {"content-type", "a/b"}, {"content-language", "de"}});
  commit("first");
  const auto copied = put("/repo/main/c", "", {{"x-amz-copy-source", "/repo/main%40/a%20b"}});
  EXPECT_EQ(copied.status, 200);
  EXPECT_EQ(copied.element("ETag"), "&quot;8d777f385d3dfec8815d20f7496026dc&quot;");
  const auto read = get("/repo/main/c");
  EXPECT_EQ(read.body, "data");
  EXPECT_EQ(read.header("x-amz-meta-k"), "v");
  EXPECT_EQ(read.header("content-type"), "a/b");
  EXPECT_EQ(read.header("content-language"), "de");
  // REPLACE takes nothing over.
  put("/repo/main/d", "",
      {{"x-amz-copy-source", "repo/main/c"}, {"x-amz-metadata-directive", "REPLACE"}});
  EXPECT_EQ(get("/repo/main/d").header("x-amz-meta-k"), "");
  EXPECT_EQ(get("/repo/main/d").header("content-language"), "");
  EXPECT_EQ(get("/repo/main/d").header("content-type"), "application/octet-stream");
}

TEST_F(Objects, CopiesNameTheirRefusals) {
  put("/repo/main/a", "data");
  const auto copy = [&](std::string source, Headers more = {}, std::string to = "/repo/main/b") {
    more.emplace_back("x-amz-copy-source", source);
    return put(to, "", more).error();
  };
  EXPECT_EQ(copy("repo/main/none"), "404 NoSuchKey");
  EXPECT_EQ(copy("repo/none/a"), "404 NoSuchKey");
  EXPECT_EQ(copy("nobody/main/a"), "404 NoSuchBucket");
  EXPECT_EQ(copy("repo"), "400 InvalidArgument");
  EXPECT_EQ(copy("repo/main/%zz"), "400 InvalidArgument");
  EXPECT_EQ(copy("repo/main/a?versionId=5"), "404 NoSuchVersion");
  EXPECT_EQ(copy("repo/main/a", {{"x-amz-metadata-directive", "MERGE"}}), "400 InvalidArgument");
  EXPECT_EQ(copy("repo/main/a", {{"x-amz-copy-source-if-match", "x"}}), "412 PreconditionFailed");
  EXPECT_EQ(copy("repo/main/a", {{"x-amz-copy-source-if-none-match", "*"}}),
            "412 PreconditionFailed");
  EXPECT_EQ(copy("repo/main/a", {{"if-match", "*"}}), "404 NoSuchKey");
  EXPECT_EQ(copy("repo/main/a", {}, "/repo/none/b"), "404 NoSuchBucket");
  EXPECT_EQ(copy("repo/main/a", {}, "/repo/main/a"), "400 InvalidRequest");
  EXPECT_FALSE(find("main", "b"));
}

TEST_F(Objects, CopiesOntoThemselvesRewriteMetadataInPlace) {
  put("/repo/main/a", "data", {{"x-amz-meta-old", "1"}, {"x-amz-tagging", "t=1"}});
  const auto before = find("main", "a");
  EXPECT_EQ(put("/repo/main/a", "",
                {{"x-amz-copy-source", "repo/main/a"},
                 {"x-amz-metadata-directive", "REPLACE"},
                 {"x-amz-meta-new", "2"}})
                .status,
            200);
  const auto after = find("main", "a");
  EXPECT_EQ(after->address, before->address);
  EXPECT_EQ(after->metadata,
            (versioning::Metadata{{"X-Amz-Meta-new", "2"}, {"::tarn::tagging", "t=1"}}));
}

TEST_F(Objects, AreDeletedWhetherThereOrNot) {
  put("/repo/main/a", "x");
  EXPECT_EQ(remove("/repo/main/a", "", {{"if-match", "\"x\""}}).error(), "412 PreconditionFailed");
  EXPECT_EQ(remove("/repo/main/a", "", {{"if-match", "*"}}).status, 204);
  EXPECT_EQ(get("/repo/main/a").status, 404);
  for (const char* path : {"/repo/main/a", "/repo/main", "/repo/main/", "/repo/main/dir/"}) {
    EXPECT_EQ(remove(path).status, 204) << path;
  }
  EXPECT_EQ(remove("/repo/none/a").error(), "404 NoSuchBucket");
  EXPECT_EQ(remove("/repo/main~1/a").error(), "405 MethodNotAllowed");
}

TEST_F(Objects, AreDeletedInBatchesEachForItself) {
  create_branch("dev");
  for (const char* path : {"/repo/main/a", "/repo/main/a%0Ab", "/repo/dev/a", "/repo/main/keep"}) {
    put(path, "x");
  }
  const std::string body =
      "<Delete>\n <Object><Key>main/a&#10;b</Key></Object> <Object><Key>main/</Key></Object>"
      "<Object><Key>dev/a</Key></Object><Object><Key>none/a</Key></Object>"
      "<Object><Key>main~1/a</Key></Object>"
      "<Object><Key>main/keep</Key><ETag>\"other\"</ETag></Object></Delete>";
  const auto answer = post("/repo", "delete", body);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.elements("Deleted").size(), 3U);
  EXPECT_EQ(answer.elements("Code"),
            (std::vector<std::string>{"NoSuchBucket", "MethodNotAllowed", "PreconditionFailed"}));
  EXPECT_EQ(answer.elements("Key").front(), "main/a\nb");
  EXPECT_TRUE(find("main", "a"));
  EXPECT_TRUE(find("main", "keep"));
  EXPECT_FALSE(find("main", "a\nb"));
  EXPECT_FALSE(find("dev", "a"));
  const auto quiet = post("/repo", "delete",
                          "<Delete><Quiet>true</Quiet><Object><Key>main/a</Key></Object></Delete>");
  EXPECT_EQ(quiet.elements("Deleted").size(), 0U);
  EXPECT_FALSE(find("main", "a"));
}

TEST_F(Objects, BatchDeletesVerifyTheirDocument) {
  put("/repo/main/a", "x");
  const std::string body = "<Delete><Object><Key>main/a</Key></Object></Delete>";
  EXPECT_EQ(post("/repo", "delete", body, {{"content-md5", to_base64(md5("other"))}}).error(),
            "400 BadDigest");
  EXPECT_EQ(post("/repo", "delete", "<Delete></Delete>").error(), "400 MalformedXML");
  EXPECT_EQ(post("/repo", "delete", "nothing").error(), "400 MalformedXML");
  EXPECT_TRUE(find("main", "a"));
  EXPECT_EQ(post("/repo", "delete", body,
                 {{"content-md5", to_base64(md5(body))},
                  {"x-amz-checksum-sha256", to_base64(sha256(body))}})
                .status,
            200);
  EXPECT_FALSE(find("main", "a"));
}

TEST_F(Objects, OfProtectedBranchesAndReadOnlyRepositoriesStay) {
  put("/repo/main/a", "x");
  ::tarn::testing::run_co([&](Context& ctx) -> Task<> {
    co_await engine.set_protection_rules(
        ctx, *repository, {.rules = {{"main", {versioning::BlockedAction::staging_write}}}}, {});
  });
  const auto refused = put("/repo/main/b", "x");
  EXPECT_EQ(refused.error(), "403 ErrWriteToProtectedBranch");
  EXPECT_FALSE(refused.read_body);
  EXPECT_EQ(remove("/repo/main/a").error(), "403 ErrWriteToProtectedBranch");
  const auto batch = post("/repo", "delete", "<Delete><Object><Key>main/a</Key></Object></Delete>");
  EXPECT_EQ(batch.error(), "200 ErrWriteToProtectedBranch");
  EXPECT_TRUE(find("main", "a"));
}

TEST_F(Objects, HaveTagsAttributesAndOneAcl) {
  put("/repo/main/a", "data");
  EXPECT_EQ(put("/repo/main/a",
                "<Tagging><TagSet><Tag><Key>a b</Key><Value>c&amp;d</Value></Tag></TagSet>"
                "</Tagging>",
                {}, "tagging")
                .status,
            200);
  EXPECT_EQ(get("/repo/main/a", "tagging").element("Value"), "c&amp;d");
  EXPECT_EQ(get("/repo/main/a").body, "data");
  EXPECT_EQ(remove("/repo/main/a", "tagging").status, 204);
  EXPECT_EQ(get("/repo/main/a", "tagging").elements("Tag").size(), 0U);
  EXPECT_EQ(get("/repo/main/none", "tagging").error(), "404 NoSuchKey");
  EXPECT_EQ(put("/repo/main/none", "<Tagging><TagSet/></Tagging>", {}, "tagging").error(),
            "404 NoSuchKey");
  EXPECT_EQ(remove("/repo/main%40/a", "tagging").error(), "405 MethodNotAllowed");

  const Headers wanted = {{"x-amz-object-attributes", "ETag, ObjectSize,StorageClass"}};
  const auto attributes = get("/repo/main/a", "attributes", wanted);
  EXPECT_EQ(attributes.element("ETag"), "8d777f385d3dfec8815d20f7496026dc");
  EXPECT_EQ(attributes.element("ObjectSize"), "4");
  EXPECT_EQ(get("/repo/main/a", "attributes").error(), "400 InvalidRequest");
  EXPECT_EQ(get("/repo/main/a", "attributes", {{"x-amz-object-attributes", "Foo"}}).error(),
            "400 InvalidArgument");

  const auto acl = get("/repo/main/a", "acl");
  EXPECT_EQ(acl.element("Permission"), "FULL_CONTROL");
  EXPECT_EQ(put("/repo/main/a", acl.body, {}, "acl").status, 200);
  EXPECT_EQ(put("/repo/main/a", "", {{"x-amz-acl", "private"}}, "acl").status, 200);
  EXPECT_EQ(put("/repo/main/a", "", {{"x-amz-acl", "public-read"}}, "acl").error(),
            "400 AccessControlListNotSupported");
  EXPECT_EQ(get("/repo", "acl").status, 200);
  EXPECT_EQ(get("/repo/main/a", "retention").error(), "400 InvalidRequest");
}

}  // namespace

}  // namespace tarn::s3gw
