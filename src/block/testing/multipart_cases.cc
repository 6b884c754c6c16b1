// Multipart uploads.
#include <utility>

#include "base/bytes.h"
#include "base/hash.h"
#include "block/testing/bodies.h"
#include "block/testing/object_store_suite.h"
#include "testing/co_test.h"

namespace tarn::block::testing {

namespace {

Task<> joins_the_listed_parts(Context& ctx, StoreUnderTest t) {
  const auto ref = t.ref("data/p/big");
  const auto id = co_await t.store.create_multipart(ctx, ref);
  EXPECT_TRUE(!id.empty() && id.size() <= 1'024);
  const auto one = patterned(600'000), two = patterned(5, 9), three = patterned(300'000, 77);
  const auto e3 = co_await upload_text(ctx, t.store, ref, id, 30, three);
  const auto e1 = co_await upload_text(ctx, t.store, ref, id, 1, one);
  const auto e2 = co_await upload_text(ctx, t.store, ref, id, 2, two);
  EXPECT_EQ(e1, to_hex(md5(one)));
  EXPECT_FALSE((co_await t.store.head(ctx, ref)).has_value());
  const auto info = co_await t.store.complete_multipart(ctx, ref, id, {{1, e1}, {2, e2}, {30, e3}});
  EXPECT_EQ(info.size, one.size() + two.size() + three.size());
  EXPECT_EQ(info.etag, to_hex(md5(md5(one) + md5(two) + md5(three))) + "-3");
  EXPECT_GT(info.last_modified.seconds, 1'700'000'000);
  EXPECT_TRUE(co_await get_text(ctx, t.store, ref) == one + two + three);
}

Task<> leaves_out_parts_that_are_not_listed(Context& ctx, StoreUnderTest t) {
  const auto ref = t.ref("k");
  const auto id = co_await t.store.create_multipart(ctx, ref);
  co_await upload_text(ctx, t.store, ref, id, 1, "one");
  const auto e2 = co_await upload_text(ctx, t.store, ref, id, 2, "two");
  co_await upload_text(ctx, t.store, ref, id, 3, "three");
  const auto info = co_await t.store.complete_multipart(ctx, ref, id, {{2, "\"" + e2 + "\""}});
  EXPECT_EQ(info.etag, to_hex(md5(md5("two"))) + "-1");
  EXPECT_EQ(co_await get_text(ctx, t.store, ref), "two");
  EXPECT_EQ((co_await t.store.list(ctx, t.space, "", "", 10)).objects.size(), 1u);
}

Task<> a_part_can_be_replaced(Context& ctx, StoreUnderTest t) {
  const auto ref = t.ref("k");
  const auto id = co_await t.store.create_multipart(ctx, ref);
  const auto stale = co_await upload_text(ctx, t.store, ref, id, 1, "first");
  const auto fresh = co_await upload_text(ctx, t.store, ref, id, 1, "again");
  CO_EXPECT_ERROR(t.store.complete_multipart(ctx, ref, id, {{1, stale}}),
                  ErrorCode::invalid_argument);
  co_await t.store.complete_multipart(ctx, ref, id, {{1, fresh}});
  EXPECT_EQ(co_await get_text(ctx, t.store, ref), "again");
}

Task<> a_bad_list_changes_nothing(Context& ctx, StoreUnderTest t) {
  const auto ref = t.ref("k");
  co_await put_text(ctx, t.store, ref, "old");
  const auto id = co_await t.store.create_multipart(ctx, ref);
  const auto e1 = co_await upload_text(ctx, t.store, ref, id, 1, "one");
  const auto e2 = co_await upload_text(ctx, t.store, ref, id, 2, "two");
  const std::vector<std::vector<Part>> lists = {
      {},        {{1, e2}},          {{1, "junk"}},      {{1, ""}},
      {{3, e1}}, {{1, e1}, {3, e2}}, {{2, e2}, {1, e1}}, {{1, e1}, {1, e1}},
      {{0, e1}}, {{10'001, e1}}};
  for (const auto& list : lists) {
    CO_EXPECT_ERROR(t.store.complete_multipart(ctx, ref, id, list), ErrorCode::invalid_argument);
    EXPECT_EQ(co_await get_text(ctx, t.store, ref), "old");
  }
  co_await t.store.complete_multipart(ctx, ref, id, {{1, e1}, {2, e2}});
  EXPECT_EQ(co_await get_text(ctx, t.store, ref), "onetwo");
}

Task<> a_completed_upload_is_unknown(Context& ctx, StoreUnderTest t) {
  const auto ref = t.ref("data/k");
  const auto id = co_await t.store.create_multipart(ctx, ref);
  const auto e1 = co_await upload_text(ctx, t.store, ref, id, 1, "one");
  co_await upload_text(ctx, t.store, ref, id, 2, "unlisted");
  co_await t.store.complete_multipart(ctx, ref, id, {{1, e1}});
  io::StringSource body("late");
  CO_EXPECT_ERROR(t.store.upload_part(ctx, ref, id, 2, body), ErrorCode::upload_not_found);
  CO_EXPECT_ERROR(t.store.list_parts(ctx, ref, id, 0, 10), ErrorCode::upload_not_found);
  CO_EXPECT_ERROR(t.store.complete_multipart(ctx, ref, id, {{1, e1}}), ErrorCode::upload_not_found);
  co_await t.store.abort_multipart(ctx, ref, id);
  EXPECT_EQ(co_await get_text(ctx, t.store, ref), "one");
}

Task<> unknown_uploads_are_refused(Context& ctx, StoreUnderTest t) {
  const auto ref = t.ref("k");
  const auto id = co_await t.store.create_multipart(ctx, ref);
  co_await upload_text(ctx, t.store, ref, id, 1, "x");
  const std::vector<std::string> ids = {
      std::string(32, '0'), "x",         "", "../" + id, id + "0", std::string(32, 'g'), "..",
      id + "-00001",        id.substr(1)};
  for (const auto& other : ids) {
    io::StringSource body("x");
    CO_EXPECT_ERROR(t.store.upload_part(ctx, ref, other, 1, body), ErrorCode::upload_not_found);
    CO_EXPECT_ERROR(t.store.list_parts(ctx, ref, other, 0, 10), ErrorCode::upload_not_found);
    CO_EXPECT_ERROR(t.store.complete_multipart(ctx, ref, other, {{1, to_hex(md5("x"))}}),
                    ErrorCode::upload_not_found);
    co_await t.store.abort_multipart(ctx, ref, other);
  }
  io::StringSource body("x");
  CO_EXPECT_ERROR(t.store.upload_part(ctx, t.ref("another"), id, 1, body),
                  ErrorCode::upload_not_found);
  EXPECT_EQ((co_await t.store.list_parts(ctx, ref, id, 0, 10)).size(), 1u);
}

Task<> part_numbers_have_bounds(Context& ctx, StoreUnderTest t) {
  const auto ref = t.ref("k");
  const auto id = co_await t.store.create_multipart(ctx, ref);
  for (std::uint32_t number : {0u, 10'001u, UINT32_MAX}) {
    io::StringSource body("x");
    CO_EXPECT_ERROR(t.store.upload_part(ctx, ref, id, number, body), ErrorCode::invalid_argument);
  }
  const auto last = co_await upload_text(ctx, t.store, ref, id, 10'000, "x");
  co_await t.store.complete_multipart(ctx, ref, id, {{10'000, last}});
}

Task<> aborting_drops_everything_and_is_idempotent(Context& ctx, StoreUnderTest t) {
  const auto ref = t.ref("data/k");
  const auto id = co_await t.store.create_multipart(ctx, ref);
  const auto e1 = co_await upload_text(ctx, t.store, ref, id, 1, "one");
  co_await t.store.abort_multipart(ctx, ref, id);
  co_await t.store.abort_multipart(ctx, ref, id);
  CO_EXPECT_ERROR(t.store.complete_multipart(ctx, ref, id, {{1, e1}}), ErrorCode::upload_not_found);
  CO_EXPECT_ERROR(t.store.list_parts(ctx, ref, id, 0, 10), ErrorCode::upload_not_found);
  EXPECT_FALSE((co_await t.store.head(ctx, ref)).has_value());
}

Task<> lists_parts_in_pages(Context& ctx, StoreUnderTest t) {
  const auto ref = t.ref("k");
  const auto id = co_await t.store.create_multipart(ctx, ref);
  EXPECT_TRUE((co_await t.store.list_parts(ctx, ref, id, 0, 10)).empty());
  for (std::uint32_t number : {7u, 1u, 100u, 9'999u}) {
    co_await upload_text(ctx, t.store, ref, id, number, std::string(number, 'x'));
  }
  std::vector<std::uint32_t> seen;
  for (std::uint32_t after = 0;;) {
    const auto page = co_await t.store.list_parts(ctx, ref, id, after, 3);
    EXPECT_LE(page.size(), 3u);
    for (const auto& part : page) {
      seen.push_back(part.number);
      EXPECT_EQ(part.size, part.number);
      EXPECT_EQ(part.etag, to_hex(md5(std::string(part.number, 'x'))));
      EXPECT_GT(part.last_modified.seconds, 1'700'000'000);
    }
    if (page.empty()) break;
    after = page.back().number;
  }
  EXPECT_EQ(seen, (std::vector<std::uint32_t>{1, 7, 100, 9'999}));
}

Task<> parts_are_not_objects(Context& ctx, StoreUnderTest t) {
  const auto ref = t.ref("data/k");
  const auto id = co_await t.store.create_multipart(ctx, ref);
  co_await upload_text(ctx, t.store, ref, id, 1, "one");
  const auto page = co_await t.store.list(ctx, t.space, "", "", 10);
  EXPECT_TRUE(page.objects.empty());
  EXPECT_FALSE(page.more);
}

Task<> a_broken_part_leaves_the_old_one(Context& ctx, StoreUnderTest t) {
  const auto ref = t.ref("k");
  const auto id = co_await t.store.create_multipart(ctx, ref);
  const auto e1 = co_await upload_text(ctx, t.store, ref, id, 1, "old");
  PiecesSource broken({"new"}, false, ErrorCode::cancelled);
  CO_EXPECT_ERROR(t.store.upload_part(ctx, ref, id, 1, broken), ErrorCode::cancelled);
  PiecesSource large({"new"});
  CO_EXPECT_ERROR(t.store.upload_part(ctx, ref, id, 1, large, {.bytes_max = 2}),
                  ErrorCode::too_large);
  co_await t.store.complete_multipart(ctx, ref, id, {{1, e1}});
  EXPECT_EQ(co_await get_text(ctx, t.store, ref), "old");
}

Task<> a_part_feeds_the_digests(Context& ctx, StoreUnderTest t) {
  const auto ref = t.ref("k");
  const auto id = co_await t.store.create_multipart(ctx, ref);
  for (std::size_t size : {9u, 500'000u}) {
    Digests digests({.crc32c = true});
    const auto text = patterned(size);
    PiecesSource body({text});
    const auto etag = co_await t.store.upload_part(ctx, ref, id, 1, body, {.digests = &digests});
    const auto values = digests.finish();
    EXPECT_EQ(etag, to_hex(values.md5));
    EXPECT_EQ(values.size, size);
    std::string crc;
    append_be32(crc, crc32c(0, text));
    EXPECT_EQ(to_hex(values.crc32c), to_hex(crc));
  }
}

}  // namespace

void append_multipart_cases(std::vector<StoreCase>& cases) {
  cases.insert(
      cases.end(),
      {{"JoinsTheListedParts", joins_the_listed_parts},
       {"LeavesOutPartsThatAreNotListed", leaves_out_parts_that_are_not_listed},
       {"APartCanBeReplaced", a_part_can_be_replaced},
       {"ABadListChangesNothing", a_bad_list_changes_nothing},
       {"ACompletedUploadIsUnknown", a_completed_upload_is_unknown},
       {"UnknownUploadsAreRefused", unknown_uploads_are_refused},
       {"PartNumbersHaveBounds", part_numbers_have_bounds},
       {"AbortingDropsEverythingAndIsIdempotent", aborting_drops_everything_and_is_idempotent},
       {"ListsPartsInPages", lists_parts_in_pages},
       {"PartsAreNotObjects", parts_are_not_objects},
       {"ABrokenPartLeavesTheOldOne", a_broken_part_leaves_the_old_one},
       {"APartFeedsTheDigests", a_part_feeds_the_digests}});
}

}  // namespace tarn::block::testing
