// Buckets and their settings, and listings as documents.
#include <gtest/gtest.h>

#include "s3gw/testing/gateway_fixture.h"
#include "testing/co_test.h"

namespace tarn::s3gw {

namespace {

class Buckets : public testing::GatewayTest {
 public:
  void create(std::string name) {
    ::tarn::testing::run_co([&](Context& ctx) -> Task<> {
      static_cast<void>(co_await catalog.create_repository(
          ctx, {.name = name, .storage_namespace = "mem://" + name, .default_branch = "main"}));
    });
  }
};

TEST_F(Buckets, AreListedInPages) {
  create("another");
  create("third");
  const auto all = get("/");
  EXPECT_EQ(all.elements("Name"), (std::vector<std::string>{"another", "repo", "third"}));
  EXPECT_EQ(all.element("DisplayName"), "admin");
  const auto page = get("/", "max-buckets=2");
  EXPECT_EQ(page.elements("Name"), (std::vector<std::string>{"another", "repo"}));
  const auto rest = get("/", "continuation-token=" + page.element("ContinuationToken"));
  EXPECT_EQ(rest.elements("Name"), std::vector<std::string>{"third"});
  EXPECT_EQ(rest.element("ContinuationToken"), "");
  EXPECT_EQ(get("/", "prefix=re").elements("Name"), std::vector<std::string>{"repo"});
  EXPECT_EQ(get("/", "bucket-region=mars").elements("Name").size(), 0U);
  EXPECT_EQ(get("/", "max-buckets=0").error(), "400 InvalidArgument");
  EXPECT_EQ(get("/", "continuation-token=junk").error(), "400 InvalidArgument");
}

TEST_F(Buckets, TellTheirRegion) {
  EXPECT_EQ(head("/repo").status, 200);
  EXPECT_EQ(head("/repo").header("x-amz-bucket-region"), "us-east-1");
  EXPECT_EQ(head("/nobody").status, 404);
  EXPECT_EQ(head("/nobody").header("x-amz-bucket-region"), "us-east-1");
  EXPECT_EQ(head("/Bad").status, 400);
  const auto location = get("/repo/", "location");
  EXPECT_NE(location.body.find("<LocationConstraint"), std::string::npos);
  EXPECT_EQ(location.body.find("us-east-1"), std::string::npos);
}

TEST_F(Buckets, AreFoundByHost) {
  put("/repo/main/a", "x");
  EXPECT_EQ(get("/main/a", "", {{"host", "repo.s3.example.com"}}).body, "x");
  EXPECT_EQ(get("/", "prefix=main/", {{"host", "repo.s3.example.com"}}).elements("Key"),
            std::vector<std::string>{"main/a"});
  EXPECT_EQ(get("/repo/main/a", "", {{"host", "s3.example.com:8000"}}).body, "x");
  EXPECT_EQ(get("/", "", {{"host", "a.b.s3.example.com"}}).error(), "400 InvalidBucketName");
}

TEST_F(Buckets, AreNeitherMadeNorRemoved) {
  EXPECT_EQ(put("/repo", "").error(), "409 BucketAlreadyOwnedByYou");
  EXPECT_EQ(put("/repo", "", {{"x-amz-bucket-object-lock-enabled", "false"}}).error(),
            "409 BucketAlreadyOwnedByYou");
  EXPECT_EQ(put("/fresh", "").error(), "501 NotImplemented");
  EXPECT_EQ(put("/Bad", "").error(), "400 InvalidBucketName");
  EXPECT_EQ(put("/repo", "<junk").error(), "400 MalformedXML");
  EXPECT_EQ(put("/repo",
                "<CreateBucketConfiguration><LocationConstraint>mars</LocationConstraint>"
                "</CreateBucketConfiguration>")
                .error(),
            "400 InvalidLocationConstraint");
  EXPECT_EQ(remove("/repo").error(), "405 MethodNotAllowed");
}

TEST_F(Buckets, SayThatNothingIsConfigured) {
  for (const auto& [what, error] : std::vector<std::pair<std::string, std::string>>{
           {"policy", "404 NoSuchBucketPolicy"},
           {"policyStatus", "404 NoSuchBucketPolicy"},
           {"cors", "404 NoSuchCORSConfiguration"},
           {"lifecycle", "404 NoSuchLifecycleConfiguration"},
           {"encryption", "404 ServerSideEncryptionConfigurationNotFoundError"},
           {"website", "404 NoSuchWebsiteConfiguration"},
           {"tagging", "404 NoSuchTagSet"},
           {"replication", "404 ReplicationConfigurationNotFoundError"},
           {"object-lock", "404 ObjectLockConfigurationNotFoundError"},
           {"publicAccessBlock", "404 NoSuchPublicAccessBlockConfiguration"}}) {
    EXPECT_EQ(get("/repo", what).error(), error);
    EXPECT_EQ(get("/nobody", what).error(), "404 NoSuchBucket");
  }
  for (const char* what :
       {"versioning", "logging", "notification", "accelerate", "requestPayment",
        "ownershipControls", "analytics", "inventory", "metrics", "intelligent-tiering=", "acl"}) {
    EXPECT_EQ(get("/repo", what).status, 200) << what;
  }
  EXPECT_EQ(get("/repo", "metrics&id=x").status, 404);
}

TEST_F(Buckets, RefuseForeignOriginsWithoutAsking) {
  EXPECT_EQ(ask_unsigned({.method = "OPTIONS",
                          .path = "/repo/main/a",
                          .headers = {{"host", "h"},
                                      {"origin", "http://x"},
                                      {"access-control-request-method", "PUT"}}})
                .error(),
            "403 AccessForbidden");
}

class Documents : public testing::GatewayTest {
 public:
  Documents() {
    for (const char* path : {"a", "b%20c", "dir/x", "dir/y", "z"})
      put(std::string("/repo/main/") + path, "x");
  }
};

TEST_F(Documents, OfVersion1HaveMarkers) {
  const auto page = get("/repo", "prefix=main/&delimiter=/&max-keys=3&encoding-type=url");
  EXPECT_EQ(page.elements("Key"), (std::vector<std::string>{"main/a", "main/b%20c"}));
  EXPECT_EQ(page.elements("Prefix"), (std::vector<std::string>{"main/", "main/dir/"}));
  EXPECT_EQ(page.element("NextMarker"), "main/dir/");
  EXPECT_EQ(page.element("IsTruncated"), "true");
  EXPECT_EQ(page.element("EncodingType"), "url");
  EXPECT_EQ(page.element("Name"), "repo");
  EXPECT_EQ(page.elements("Owner").size(), 2U);
  const auto rest = get("/repo", "prefix=main/&delimiter=/&marker=main/dir/");
  EXPECT_EQ(rest.elements("Key"), std::vector<std::string>{"main/z"});
  EXPECT_EQ(rest.element("Marker"), "main/dir/");
  EXPECT_EQ(get("/repo", "max-keys=2").element("NextMarker"), "");
}

TEST_F(Documents, OfVersion2HaveTokens) {
  std::vector<std::string> keys;
  std::string token;
  for (int pages = 0; pages < 10; ++pages) {
    const auto page = get("/repo", "list-type=2&max-keys=2&continuation-token=" + token);
    for (const auto& key : page.elements("Key"))
      keys.push_back(key);
    EXPECT_EQ(page.element("ContinuationToken"), token);
    EXPECT_EQ(page.elements("Owner").size(), 0U);
    token = page.element("NextContinuationToken");
    if (page.element("IsTruncated") == "false") break;
    EXPECT_EQ(page.element("KeyCount"), "2");
  }
  EXPECT_EQ(keys,
            (std::vector<std::string>{"main/a", "main/b c", "main/dir/x", "main/dir/y", "main/z"}));
  EXPECT_EQ(token, "");
  const auto after = get("/repo", "list-type=2&start-after=main/dir/x&fetch-owner=true");
  EXPECT_EQ(after.elements("Key"), (std::vector<std::string>{"main/dir/y", "main/z"}));
  EXPECT_EQ(after.element("StartAfter"), "main/dir/x");
  EXPECT_EQ(after.elements("Owner").size(), 2U);
}

TEST_F(Documents, RefuseBadParameters) {
  for (const char* query : {"max-keys=-1", "max-keys=x", "encoding-type=base64", "list-type=3",
                            "list-type=2&continuation-token=junk"}) {
    EXPECT_EQ(get("/repo", query).error(), "400 InvalidArgument") << query;
  }
  const auto none = get("/repo", "max-keys=0");
  EXPECT_EQ(none.element("IsTruncated"), "false");
  EXPECT_EQ(none.elements("Key").size(), 0U);
  EXPECT_EQ(get("/repo", "max-keys=5000").element("MaxKeys"), "1000");
}

TEST_F(Documents, OfUnknownReferencesAreEmpty) {
  for (const char* query : {"prefix=none/", "list-type=2&prefix=none/", "prefix=main~x/",
                            "list-type=2&prefix=/x", "versions&prefix=none/"}) {
    const auto answer = get("/repo", query);
    EXPECT_EQ(answer.status, 200) << query;
    EXPECT_EQ(answer.elements("Key").size(), 0U) << query;
  }
}

TEST_F(Documents, LeaveOutKeysThatXmlCannotHold) {
  put("/repo/main/c%01d", "x");
  EXPECT_EQ(get("/repo", "prefix=main/c").elements("Key").size(), 0U);
  EXPECT_EQ(get("/repo", "prefix=main/c&encoding-type=url").elements("Key"),
            std::vector<std::string>{"main/c%01d"});
}

TEST_F(Documents, OfVersionsHaveOneEach) {
  const auto answer = get("/repo", "versions&prefix=main/&delimiter=/");
  EXPECT_EQ(answer.elements("VersionId"), (std::vector<std::string>{"null", "null", "null"}));
  EXPECT_EQ(answer.elements("IsLatest").size(), 3U);
  EXPECT_EQ(get("/repo/main/a", "versionId=null").status, 200);
  EXPECT_EQ(get("/repo/main/a", "versionId=1").error(), "404 NoSuchVersion");
}

}  // namespace

}  // namespace tarn::s3gw
