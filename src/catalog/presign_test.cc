// URLs for clients, and uploads through them.
#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/hash.h"
#include "block/testing/presigning_store.h"
#include "catalog/test_catalog.h"
#include "testing/co_test.h"

namespace tarn::catalog {
namespace {

/// A catalog whose store presigns, and what a client does with the URLs.
struct Site {
  TestCatalog t;
  block::testing::PresigningStore objects{t.objects, t.clock};
  Catalog catalog{{.kv = t.kv, .objects = objects, .engine = t.engine, .clock = t.clock},
                  {.signing_secret = "secret"}};

  PresignedUpload opened(const versioning::Repository& repo, std::string_view path,
                         const Catalog::NewPresignedUpload& made) {
    return catalog.presigned_upload(repo, "main", path, made.id, made.physical_address);
  }

  static block::ObjectRef ref_of(const versioning::Repository& repo,
                                 const PresignedUpload& upload) {
    return {.storage_namespace = repo.storage_namespace, .address = upload.address};
  }

  Task<block::Part> send_part(Context& ctx, const versioning::Repository& repo,
                              const PresignedUpload& upload, std::uint32_t number,
                              std::string text) {
    io::StringSource body(std::move(text));
    co_return block::Part{
        number, co_await t.objects.upload_part(ctx, ref_of(repo, upload), upload.id, number, body)};
  }

  Task<PresignedUpload> begin(Context& ctx, const versioning::Repository& repo, std::string path) {
    const auto made = co_await catalog.create_presigned_upload(ctx, repo, t.main, path, 0);
    co_return opened(repo, path, made);
  }

  Task<Entry> complete(Context& ctx, const versioning::Repository& repo, std::string path,
                       const PresignedUpload& upload, std::vector<block::Part> parts) {
    return catalog.complete_presigned_upload(ctx, repo, t.main, path, upload, std::move(parts), {},
                                             "");
  }
};

CO_TEST(Presign, NamesTheFileForBrowsers) {
  Site s;
  const auto repo = co_await s.t.repository(ctx);
  const Entry entry{.address = "data/a/b"};

  struct Case {
    std::string_view path, name;
  };

  for (const Case& c :
       {Case{"x", "x"}, Case{"d/e/f.txt", "f.txt"}, Case{"dir/", "dir"}, Case{"dir//", "dir"},
        Case{"/", "/"}, Case{"//", "/"}, Case{"x/..", ".."}}) {
    const auto made = co_await s.catalog.presign_read(ctx, repo, c.path, entry);
    EXPECT_EQ(made.url, "https://store/mem://repo/data/a/b?GET&name=" + std::string(c.name));
    EXPECT_EQ(made.expires.seconds, s.t.clock.now().seconds + s.objects.kExpirySeconds);
  }
}

CO_TEST(Presign, IsRefusedByStoresThatCannot) {
  TestCatalog t;
  const auto repo = co_await t.repository(ctx);
  CO_EXPECT_ERROR(t.catalog.presign_read(ctx, repo, "x", {.address = "data/a"}),
                  ErrorCode::invalid_argument);
  const auto issued = t.catalog.issue_address(repo, t.main, "x");
  CO_EXPECT_ERROR(t.catalog.presign_write(ctx, repo, issued), ErrorCode::invalid_argument);
}

CO_TEST(PresignedUpload, JoinsThePartsAtTheAddressItWasIssued) {
  Site s;
  const auto repo = co_await s.t.repository(ctx);
  const auto made = co_await s.catalog.create_presigned_upload(ctx, repo, s.t.main, "d/big", 2);
  const auto upload = s.opened(repo, "d/big", made);
  EXPECT_EQ(made.part_urls.size(), 2U);
  EXPECT_TRUE(made.part_urls.at(1).ends_with("&part=2")) << made.part_urls.at(1);
  const auto one = co_await s.send_part(ctx, repo, upload, 1, "hello ");
  const auto two = co_await s.send_part(ctx, repo, upload, 2, "world");
  const Entry entry = co_await s.catalog.complete_presigned_upload(
      ctx, repo, s.t.main, "d/big", upload, {one, two}, {{"K", "v"}}, "text/plain");
  EXPECT_EQ(entry.etag, to_hex(md5(md5("hello ") + md5("world"))) + "-2");
  EXPECT_EQ(entry.size, 11U);
  EXPECT_EQ(entry.content_type, "text/plain");
  EXPECT_EQ(entry.metadata.at("K"), "v");
  EXPECT_EQ(repo.storage_namespace + "/" + entry.address, made.physical_address);
  EXPECT_EQ(co_await s.t.read(ctx, repo, "main", "d/big"), "hello world");
}

CO_TEST(PresignedUpload, KeepsNothingInTheMetadata) {
  Site s;
  const auto repo = co_await s.t.repository(ctx);
  const auto made = co_await s.catalog.create_presigned_upload(ctx, repo, s.t.main, "x", 1);
  const auto upload = s.opened(repo, "x", made);
  EXPECT_TRUE((co_await s.catalog.list_uploads(ctx, repo, "", "", "", 10)).uploads.empty());
  // Another server with the same secret goes on with it.
  Catalog other{{.kv = s.t.kv, .objects = s.objects, .engine = s.t.engine, .clock = s.t.clock},
                {.signing_secret = "secret"}};
  const auto one = co_await s.send_part(ctx, repo, upload, 1, "here");
  EXPECT_FALSE((co_await other.presign_part(ctx, repo, upload, 2)).empty());
  co_await other.complete_presigned_upload(ctx, repo, s.t.main, "x", upload, {one}, {}, "");
  EXPECT_EQ(co_await s.t.read(ctx, repo, "main", "x"), "here");
}

CO_TEST(PresignedUpload, MayBeCompletedAgainWithTheSameParts) {
  Site s;
  const auto repo = co_await s.t.repository(ctx);
  const auto upload = co_await s.begin(ctx, repo, "x");
  const auto one = co_await s.send_part(ctx, repo, upload, 1, "one");
  const auto two = co_await s.send_part(ctx, repo, upload, 2, "two");
  // The parts were joined, and then the server ended.
  co_await s.objects.complete_multipart(ctx, s.ref_of(repo, upload), upload.id, {one, two});
  EXPECT_EQ(co_await s.t.read(ctx, repo, "main", "x"), "(none)");
  const Entry entry = co_await s.complete(ctx, repo, "x", upload, {one, two});
  EXPECT_EQ(entry.size, 6U);
  EXPECT_EQ(co_await s.t.read(ctx, repo, "main", "x"), "onetwo");
  const Entry again = co_await s.complete(ctx, repo, "x", upload, {one, two});
  EXPECT_EQ(again.etag, entry.etag);
  // Other parts are not what is there.
  CO_EXPECT_ERROR(s.complete(ctx, repo, "x", upload, {one}), ErrorCode::upload_not_found);
}

CO_TEST(PresignedUpload, IsOfOneBranchAndPath) {
  Site s;
  const auto repo = co_await s.t.repository(ctx);
  const auto other = co_await s.t.repository(ctx, "other");
  const auto made = co_await s.catalog.create_presigned_upload(ctx, repo, s.t.main, "x", 0);
  const auto refusal = [&](const versioning::Repository& repository, std::string_view branch,
                           std::string_view path, std::string_view address) -> std::string {
    try {
      s.catalog.presigned_upload(repository, branch, path, made.id, address);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
      return error.message();
    }
    return "";
  };
  const std::string& address = made.physical_address;
  EXPECT_EQ(refusal(repo, "main", "x", address), "");
  EXPECT_EQ(refusal(repo, "main", "y", address), "invalid address signature: invalid address");
  EXPECT_EQ(refusal(repo, "dev", "x", address), "invalid address signature: invalid address");
  constexpr std::string_view kElsewhere =
      "physical address must be relative to the storage namespace";
  EXPECT_EQ(refusal(other, "main", "x", address), kElsewhere);
  EXPECT_EQ(refusal(repo, "main", "x", "mem://repo/other/x"), kElsewhere);
  EXPECT_EQ(refusal(repo, "main", "x", ""), kElsewhere);
  s.t.clock.advance(std::chrono::hours(25));
  EXPECT_EQ(refusal(repo, "main", "x", address), "link address expired");
}

CO_TEST(PresignedUpload, StaysOpenWhenItsCompletionIsRefused) {
  Site s;
  const auto repo = co_await s.t.repository(ctx);
  const auto upload = co_await s.begin(ctx, repo, "x");
  const auto one = co_await s.send_part(ctx, repo, upload, 1, "one");
  const block::Part wrong{1, std::string(32, '0')};
  CO_EXPECT_ERROR(s.complete(ctx, repo, "x", upload, {wrong}), ErrorCode::invalid_argument);
  versioning::ProtectionRules rules;
  rules.rules["main"] = {versioning::BlockedAction::staging_write};
  co_await s.t.engine.set_protection_rules(ctx, repo, rules, std::nullopt);
  CO_EXPECT_ERROR(s.complete(ctx, repo, "x", upload, {one}), ErrorCode::protected_branch);
  co_await s.t.engine.set_protection_rules(ctx, repo, {}, std::nullopt);
  co_await s.complete(ctx, repo, "x", upload, {one});
  EXPECT_EQ(co_await s.t.read(ctx, repo, "main", "x"), "one");
}

CO_TEST(PresignedUpload, LeavesNothingWhenItCannotBeBegun) {
  Site s;
  const auto repo = co_await s.t.repository(ctx);
  CO_EXPECT_ERROR(s.catalog.create_presigned_upload(ctx, repo, BranchId::from_stored("no"), "x", 1),
                  ErrorCode::branch_not_found);
  s.objects.fail_part(2);
  CO_EXPECT_ERROR(s.catalog.create_presigned_upload(ctx, repo, s.t.main, "x", 3),
                  ErrorCode::unavailable);
  EXPECT_EQ(co_await s.t.stored_objects(ctx, repo), 0U);
}

CO_TEST(PresignedUpload, IsGoneOnceAborted) {
  Site s;
  const auto repo = co_await s.t.repository(ctx);
  const auto upload = co_await s.begin(ctx, repo, "x");
  const auto one = co_await s.send_part(ctx, repo, upload, 1, "one");
  co_await s.catalog.abort_presigned_upload(ctx, repo, upload);
  CO_EXPECT_ERROR(s.complete(ctx, repo, "x", upload, {one}), ErrorCode::upload_not_found);
  CO_EXPECT_ERROR(s.catalog.abort_presigned_upload(ctx, repo, upload), ErrorCode::upload_not_found);
}

CO_TEST(PresignedUpload, TakesPartsOfOtherObjects) {
  Site s;
  const auto repo = co_await s.t.repository(ctx);
  const auto source = co_await s.t.upload(ctx, repo, "source", "0123456789");
  const auto upload = co_await s.begin(ctx, repo, "x");
  const auto copy = [&](std::uint32_t number, std::optional<block::ByteRange> range) {
    return s.catalog.copy_presigned_part(ctx, repo, upload, number, repo, source.entry, range);
  };
  const block::Part one{1, co_await copy(1, block::ByteRange{2, 4})};
  const block::Part two{2, co_await copy(2, std::nullopt)};
  CO_EXPECT_ERROR(copy(3, block::ByteRange{5, 10}), ErrorCode::invalid_argument);
  CO_EXPECT_ERROR(copy(3, block::ByteRange{5, 4}), ErrorCode::invalid_argument);
  co_await s.complete(ctx, repo, "x", upload, {one, two});
  EXPECT_EQ(co_await s.t.read(ctx, repo, "main", "x"), "2340123456789");
}

}  // namespace
}  // namespace tarn::catalog
