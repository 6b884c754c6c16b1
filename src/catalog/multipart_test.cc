#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/hash.h"
#include "catalog/test_catalog.h"
#include "testing/co_test.h"

namespace tarn::catalog {
namespace {

Task<UploadedPart> put_part(TestCatalog& t, Context& ctx, const versioning::Repository& repo,
                            const MultipartUpload& upload, std::uint32_t number, std::string text) {
  io::StringSource body(std::move(text));
  co_return co_await t.catalog.upload_part(
      ctx, repo, upload, number, body, {.digests = {.crc32 = true}},
      [](const block::Digests::Values& values) { return values.crc32; });
}

CO_TEST(Multipart, JoinsTheListedPartsAndForgetsTheUpload) {
  TestCatalog t;
  const auto repo = co_await t.repository(ctx);
  const auto upload = co_await t.catalog.create_upload(
      ctx, repo, t.main, "big", {.metadata = {{"k", "v"}}, .content_type = "text/plain"});
  const auto one = co_await put_part(t, ctx, repo, upload, 1, "hello ");
  co_await put_part(t, ctx, repo, upload, 2, "dropped");
  const auto three = co_await put_part(t, ctx, repo, upload, 3, "world");
  const auto found = co_await t.catalog.get_upload(ctx, repo, t.main, "big", upload.id);
  const Entry entry = co_await t.catalog.complete_upload(
      ctx, repo, t.main, found, {{1, one.info.etag}, {3, three.info.etag}}, {});
  EXPECT_EQ(entry.etag, to_hex(md5(md5("hello ") + md5("world"))) + "-2");
  EXPECT_EQ(entry.size, 11U);
  EXPECT_EQ(entry.content_type, "text/plain");
  EXPECT_EQ(co_await t.read(ctx, repo, "main", "big"), "hello world");
  CO_EXPECT_ERROR(t.catalog.get_upload(ctx, repo, t.main, "big", upload.id),
                  ErrorCode::upload_not_found);
  EXPECT_TRUE((co_await t.catalog.list_uploads(ctx, repo, "", "", "", 10)).uploads.empty());
}

CO_TEST(Multipart, AnUploadBelongsToItsRepositoryBranchAndPath) {
  TestCatalog t;
  const auto repo = co_await t.repository(ctx);
  const auto other = co_await t.repository(ctx, "other");
  const auto upload = co_await t.catalog.create_upload(ctx, repo, t.main, "k", {});
  co_await t.engine.create_branch(ctx, repo, BranchId::from_stored("dev"), "main", false, false);
  CO_EXPECT_ERROR(t.catalog.get_upload(ctx, repo, t.main, "other", upload.id),
                  ErrorCode::upload_not_found);
  CO_EXPECT_ERROR(t.catalog.get_upload(ctx, repo, BranchId::from_stored("dev"), "k", upload.id),
                  ErrorCode::upload_not_found);
  CO_EXPECT_ERROR(t.catalog.get_upload(ctx, repo, t.main, "k", "no-such-id"),
                  ErrorCode::upload_not_found);
  CO_EXPECT_ERROR(t.catalog.get_upload(ctx, repo, t.main, "k", ""), ErrorCode::upload_not_found);
  EXPECT_EQ((co_await t.catalog.list_uploads(ctx, other, "", "", "", 10)).uploads.size(), 0U);
}

CO_TEST(Multipart, KeepsTheChecksumOfAPartOnlyWhileThePartIsTheSame) {
  TestCatalog t;
  const auto repo = co_await t.repository(ctx);
  const auto upload = co_await t.catalog.create_upload(ctx, repo, t.main, "k", {});
  co_await put_part(t, ctx, repo, upload, 1, "first");
  auto parts = co_await t.catalog.list_parts(ctx, repo, upload, 0, 10);
  CO_ASSERT_EQ(parts.size(), 1U);
  EXPECT_EQ(parts[0].checksum.size(), 4U);
  io::StringSource body("second");
  co_await t.catalog.upload_part(ctx, repo, upload, 1, body, {}, {});
  parts = co_await t.catalog.list_parts(ctx, repo, upload, 0, 10);
  EXPECT_EQ(parts[0].checksum, "");
  EXPECT_EQ(parts[0].info.size, 6U);
}

CO_TEST(Multipart, ARefusedPartLeavesTheGoodOneInPlace) {
  TestCatalog t;
  const auto repo = co_await t.repository(ctx);
  const auto upload = co_await t.catalog.create_upload(ctx, repo, t.main, "k", {});
  const auto good = co_await put_part(t, ctx, repo, upload, 1, "good");
  io::StringSource body("bad");
  const auto refuse = [](const block::Digests::Values&) {
    throw Error(ErrorCode::precondition_failed, "bad digest");
  };
  CO_EXPECT_ERROR(t.catalog.upload_part(ctx, repo, upload, 1, body, {.verify = refuse}, {}),
                  ErrorCode::precondition_failed);
  const auto parts = co_await t.catalog.list_parts(ctx, repo, upload, 0, 10);
  CO_ASSERT_EQ(parts.size(), 1U);
  EXPECT_EQ(parts[0].info.etag, good.info.etag);
}

CO_TEST(Multipart, CopiesPartsFromObjects) {
  TestCatalog t;
  const auto repo = co_await t.repository(ctx);
  co_await t.upload(ctx, repo, "source", "0123456789");
  const CopySource source{.repository = repo.id, .ref = "main", .path = "source"};
  const auto upload = co_await t.catalog.create_upload(ctx, repo, t.main, "k", {});
  const auto part = co_await t.catalog.copy_part(ctx, repo, upload, 1, source,
                                                 block::ByteRange{.first = 2, .last = 4}, {});
  EXPECT_EQ(part.info.size, 3U);
  CO_EXPECT_ERROR(t.catalog.copy_part(ctx, repo, upload, 2, source,
                                      block::ByteRange{.first = 2, .last = 10}, {}),
                  ErrorCode::invalid_argument);
  co_await t.catalog.complete_upload(ctx, repo, t.main, upload, {{1, part.info.etag}}, {});
  EXPECT_EQ(co_await t.read(ctx, repo, "main", "k"), "234");
}

CO_TEST(Multipart, ListsUploadsInKeyOrderAndPages) {
  TestCatalog t;
  const auto repo = co_await t.repository(ctx);
  for (const char* path : {"c", "a", "d", "b"}) {
    co_await t.catalog.create_upload(ctx, repo, t.main, path, {});
  }
  const auto first = co_await t.catalog.list_uploads(ctx, repo, "", "", "", 3);
  CO_ASSERT_EQ(first.uploads.size(), 3U);
  EXPECT_TRUE(first.has_more);
  EXPECT_EQ(first.uploads[0].path + first.uploads[1].path + first.uploads[2].path, "abc");
  const auto rest =
      co_await t.catalog.list_uploads(ctx, repo, "", "main/c", first.uploads[2].id, 3);
  CO_ASSERT_EQ(rest.uploads.size(), 1U);
  EXPECT_EQ(rest.uploads[0].path, "d");
  EXPECT_FALSE(rest.has_more);
  EXPECT_EQ((co_await t.catalog.list_uploads(ctx, repo, "main/b", "", "", 3)).uploads.size(), 1U);
}

CO_TEST(Multipart, AbortRemovesEverything) {
  TestCatalog t;
  const auto repo = co_await t.repository(ctx);
  const auto upload = co_await t.catalog.create_upload(ctx, repo, t.main, "k", {});
  co_await put_part(t, ctx, repo, upload, 1, "x");
  co_await t.catalog.abort_upload(ctx, repo, upload);
  CO_EXPECT_ERROR(t.catalog.get_upload(ctx, repo, t.main, "k", upload.id),
                  ErrorCode::upload_not_found);
  auto cursor = t.kv.scan("tarn/upload-parts", {});
  EXPECT_FALSE(cursor->next() || co_await cursor->fill(ctx));
}

}  // namespace
}  // namespace tarn::catalog
