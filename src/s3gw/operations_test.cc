#include "s3gw/operations.h"

#include <set>
#include <string>

#include <gtest/gtest.h>

#include "s3gw/testing/gateway_fixture.h"

namespace tarn::s3gw {

namespace {

using aws::S3ErrorCode;

std::string name_of(std::string_view method, Level level, std::string_view raw_query,
                    bool copies = false) {
  const auto query = aws::split_query(raw_query);
  const auto row =
      find_operation({.method = method, .level = level, .query = query, .copies = copies});
  return std::string(row ? (*row)->name : to_string(row.error().code));
}

TEST(Operations, AreToldApartByMethodLevelAndSubresource) {
  EXPECT_EQ(name_of("GET", Level::service, ""), "ListBuckets");
  EXPECT_EQ(name_of("GET", Level::bucket, "prefix=&delimiter="), "ListObjects");
  EXPECT_EQ(name_of("GET", Level::bucket, "list-type=2&prefix=a"), "ListObjectsV2");
  EXPECT_EQ(name_of("GET", Level::bucket, "location"), "GetBucketLocation");
  EXPECT_EQ(name_of("GET", Level::bucket, "uploads="), "ListMultipartUploads");
  EXPECT_EQ(name_of("POST", Level::bucket, "delete"), "DeleteObjects");
  EXPECT_EQ(name_of("GET", Level::key, "x-id=GetObject&partNumber=1"), "GetObject");
  EXPECT_EQ(name_of("PUT", Level::key, ""), "PutObject");
  EXPECT_EQ(name_of("PUT", Level::key, "", true), "CopyObject");
  EXPECT_EQ(name_of("PUT", Level::key, "partNumber=1&uploadId=u"), "UploadPart");
  EXPECT_EQ(name_of("PUT", Level::key, "partNumber=1&uploadId=u", true), "UploadPartCopy");
  EXPECT_EQ(name_of("POST", Level::key, "uploads"), "CreateMultipartUpload");
  EXPECT_EQ(name_of("POST", Level::key, "uploadId=u"), "CompleteMultipartUpload");
  EXPECT_EQ(name_of("DELETE", Level::key, "uploadId=u"), "AbortMultipartUpload");
  EXPECT_EQ(name_of("GET", Level::key, "uploadId=u"), "ListParts");
  EXPECT_EQ(name_of("DELETE", Level::key, "X-Amz-Signature=x&Expires=1"), "DeleteObject");
}

TEST(Operations, NeverRunThePlainOneForAnUnknownSubresource) {
  const std::vector<std::string> strange = {
      "foo",     "foo=bar",     "torrent", "restore", "select",      "renameObject",
      "session", "encryption=", "Acl",     "upload",  "retention&x", "uploads&foo"};
  for (const Level level : {Level::service, Level::bucket, Level::key}) {
    for (const char* method : {"GET", "HEAD", "PUT", "POST", "DELETE"}) {
      for (const std::string& query : strange) {
        // A read of a bucket knows "encryption".
        if (query == "encryption=" && level == Level::bucket && method == std::string("GET")) {
          continue;
        }
        EXPECT_EQ(name_of(method, level, query), "NotImplemented")
            << method << " " << static_cast<int>(level) << " ?" << query;
      }
    }
  }
}

TEST(Operations, RefuseWritesOfBucketSettingsAndObjectLocksByName) {
  for (const char* what : {"policy", "cors", "lifecycle", "versioning", "notification", "tagging",
                           "website", "logging", "replication", "object-lock"}) {
    EXPECT_EQ(name_of("PUT", Level::bucket, what), "NotImplemented") << what;
    EXPECT_EQ(name_of("DELETE", Level::bucket, what), "NotImplemented") << what;
  }
  EXPECT_EQ(name_of("PUT", Level::key, "retention"), "NotImplemented");
  EXPECT_EQ(name_of("PUT", Level::key, "legal-hold"), "NotImplemented");
  EXPECT_EQ(name_of("PUT", Level::key, "partNumber=1"), "InvalidArgument");
  EXPECT_EQ(name_of("DELETE", Level::bucket, ""), "MethodNotAllowed");
  EXPECT_EQ(name_of("PATCH", Level::key, ""), "MethodNotAllowed");
}

TEST(Operations, EachHasAPermissionOrIsRefused) {
  std::set<std::string_view> names;
  for (const Operation& row : operations()) {
    EXPECT_TRUE(names.insert(row.name).second) << row.name << " stands twice";
    const bool refused = row.permission.kind() == Permission::Kind::refused;
    EXPECT_EQ(refused, row.handler == nullptr) << row.name;
    EXPECT_EQ(refused, row.permission.begin() == row.permission.end()) << row.name;
  }
}

using OperationsOverHttp = testing::GatewayTest;

TEST_F(OperationsOverHttp, UnknownSubresourcesChangeNothing) {
  put("/repo/main/a", "kept");
  EXPECT_EQ(put("/repo/main/a", "<Retention/>", {}, "retention").error(), "501 NotImplemented");
  EXPECT_EQ(put("/repo/main/a", "x", {}, "legal-hold").error(), "501 NotImplemented");
  EXPECT_EQ(remove("/repo/main/a", "foo").error(), "501 NotImplemented");
  EXPECT_EQ(remove("/repo/main/a", "versionId=7").error(), "400 InvalidArgument");
  EXPECT_EQ(get("/repo/main/a", "torrent").error(), "501 NotImplemented");
  EXPECT_EQ(get("/repo/main/a").body, "kept");
}

}  // namespace

}  // namespace tarn::s3gw
