#include "aws/s3_error.h"

#include <gtest/gtest.h>

namespace tarn::aws {
namespace {

TEST(S3Error, HasTheCatalogueStatusOfEachCode) {
  EXPECT_EQ(http_status(S3ErrorCode::no_such_key), 404U);
  EXPECT_EQ(http_status(S3ErrorCode::missing_content_length), 411U);
  EXPECT_EQ(http_status(S3ErrorCode::invalid_range), 416U);
  EXPECT_EQ(http_status(S3ErrorCode::insufficient_storage), 507U);
  EXPECT_EQ(to_string(S3ErrorCode::key_too_long), "KeyTooLongError");
  EXPECT_EQ(to_string(S3ErrorCode::malformed_trailer), "MalformedTrailerError");
  EXPECT_EQ(to_string(S3ErrorCode::x_amz_content_sha256_mismatch), "XAmzContentSHA256Mismatch");
}

TEST(S3Error, WritesTheDocumentInOrderAndEscaped) {
  const S3Error error{
      .code = S3ErrorCode::no_such_upload, .message = {}, .details = {{"UploadId", "<&>"}}};
  EXPECT_EQ(error_document(error, {.resource = "/demo/main/a",
                                   .bucket = "demo",
                                   .key = "main/a",
                                   .region = "us-east-1",
                                   .request_id = "0123456789ABCDEF",
                                   .host_id = "host"}),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<Error><Code>NoSuchUpload</Code><Message>The specified multipart upload does not "
            "exist. It may have been aborted or completed.</Message><Key>main/a</Key>"
            "<BucketName>demo</BucketName><UploadId>&lt;&amp;&gt;</UploadId>"
            "<Resource>/demo/main/a</Resource><Region>us-east-1</Region>"
            "<RequestId>0123456789ABCDEF</RequestId><HostId>host</HostId></Error>");
}

TEST(S3Error, LeavesOutWhatIsUnknownAndNeverRepeatsADetail) {
  const S3Error error{.code = S3ErrorCode::authorization_header_malformed,
                      .message = "m",
                      .details = {{"Region", "a"}}};
  EXPECT_EQ(error_document(error, {.region = "b"}),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<Error><Code>AuthorizationHeaderMalformed</Code><Message>m</Message>"
            "<Region>a</Region></Error>");
}

TEST(S3Failure, PassesThroughLayersAsAPlainErrorWithItsOwnCode) {
  try {
    throw S3Failure({.code = S3ErrorCode::bad_digest});
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
    EXPECT_EQ(dynamic_cast<const S3Failure&>(error).error().code, S3ErrorCode::bad_digest);
    EXPECT_EQ(error.message(), default_message(S3ErrorCode::bad_digest));
  }
}

}  // namespace
}  // namespace tarn::aws
