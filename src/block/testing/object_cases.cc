// put, get, head, remove, copy, and addresses that try to leave.
#include <memory>
#include <utility>

#include "base/bytes.h"
#include "base/hash.h"
#include "block/testing/bodies.h"
#include "block/testing/object_store_suite.h"
#include "testing/co_test.h"

namespace tarn::block::testing {

namespace {

Task<> reads_back_what_was_put(Context& ctx, StoreUnderTest t) {
  co_await put_text(ctx, t.store, t.ref("data/a/one"), "hello");
  EXPECT_EQ(co_await get_text(ctx, t.store, t.ref("data/a/one")), "hello");
  const auto info = co_await t.store.head(ctx, t.ref("data/a/one"));
  CO_ASSERT_TRUE(info.has_value());
  EXPECT_EQ(info->size, 5u);
  EXPECT_GT(info->last_modified.seconds, 1'700'000'000);
}

Task<> missing_objects_are_values(Context& ctx, StoreUnderTest t) {
  co_await put_text(ctx, t.store, t.ref("data/a/one"), "x");
  for (const char* address : {"data/none", "data/a", "data/a/one/below", "none/at/all"}) {
    EXPECT_EQ(co_await t.store.get(ctx, t.ref(address)), nullptr) << address;
    EXPECT_FALSE((co_await t.store.head(ctx, t.ref(address))).has_value()) << address;
  }
}

Task<> removes_many_at_once(Context& ctx, StoreUnderTest t) {
  const std::vector<std::string> names = {"many/plain", "many/a&b<c>\"'", "many/space +%25",
                                          "many/\xc3\xa9",
                                          "many/line\x01"
                                          "break"};
  std::vector<ObjectRef> refs = {t.ref("many/never/was")};
  for (const std::string& name : names) {
    co_await put_text(ctx, t.store, t.ref(name), "x");
    refs.push_back(t.ref(name));
  }
  co_await put_text(ctx, t.store, t.ref("many/kept"), "x");
  co_await t.store.remove_many(ctx, std::move(refs));
  for (const std::string& name : names)
    EXPECT_FALSE((co_await t.store.head(ctx, t.ref(name))).has_value()) << name;
  EXPECT_TRUE((co_await t.store.head(ctx, t.ref("many/kept"))).has_value());
  co_await t.store.remove_many(ctx, {});
}

Task<> removes_the_others_when_one_cannot_be(Context& ctx, StoreUnderTest t) {
  co_await put_text(ctx, t.store, t.ref("many/last"), "x");
  std::vector<ObjectRef> refs = {t.ref("../outside"), t.ref("many/last")};
  CO_EXPECT_ERROR(t.store.remove_many(ctx, std::move(refs)), ErrorCode::invalid_argument);
  EXPECT_FALSE((co_await t.store.head(ctx, t.ref("many/last"))).has_value());
}

Task<> streams_a_body_of_unknown_size(Context& ctx, StoreUnderTest t) {
  std::vector<std::string> pieces;
  std::string whole;
  for (std::size_t size : {1u, 70'000u, 262'144u, 3u, 300'000u, 524'288u, 17u}) {
    pieces.push_back(patterned(size, whole.size()));
    whole += pieces.back();
  }
  PiecesSource body(std::move(pieces));
  const auto result = co_await t.store.put(ctx, t.ref("data/big"), body);
  EXPECT_EQ(result.size, whole.size());
  EXPECT_TRUE(co_await get_text(ctx, t.store, t.ref("data/big")) == whole);
  EXPECT_TRUE(co_await get_text(ctx, t.store, t.ref("data/big"), ByteRange{262'000, 800'000}) ==
              whole.substr(262'000, 538'001));
}

Task<> stores_bodies_of_edge_sizes(Context& ctx, StoreUnderTest t) {
  for (std::size_t size : {0u, 1u, 262'143u, 262'144u, 262'145u, 524'288u, 524'289u}) {
    const auto text = patterned(size);
    co_await put_text(ctx, t.store, t.ref("data/edge"), text);
    EXPECT_TRUE(co_await get_text(ctx, t.store, t.ref("data/edge")) == text) << size;
  }
}

Task<> replaces_whole(Context& ctx, StoreUnderTest t) {
  co_await put_text(ctx, t.store, t.ref("k"), "a longer first text");
  co_await put_text(ctx, t.store, t.ref("k"), "second");
  EXPECT_EQ(co_await get_text(ctx, t.store, t.ref("k")), "second");
}

Task<> open_readers_keep_the_old_bytes(Context& ctx, StoreUnderTest t) {
  const auto old_text = patterned(700'000);
  co_await put_text(ctx, t.store, t.ref("k"), old_text);
  const auto reader = co_await t.store.get(ctx, t.ref("k"));
  const auto removed_reader = co_await t.store.get(ctx, t.ref("k"));
  CO_ASSERT_TRUE(reader != nullptr);
  std::string seen(co_await reader->read(ctx));
  co_await put_text(ctx, t.store, t.ref("k"), "new");
  for (;;) {
    const auto piece = co_await reader->read(ctx);
    if (piece.empty()) break;
    seen += piece;
  }
  EXPECT_TRUE(seen == old_text);
  co_await t.store.remove(ctx, t.ref("k"));
  EXPECT_TRUE(co_await io::read_all(ctx, *removed_reader, 1 << 20) == old_text);
}

Task<> serves_ranges(Context& ctx, StoreUnderTest t) {
  co_await put_text(ctx, t.store, t.ref("k"), "0123456789");
  const auto ref = t.ref("k");
  EXPECT_EQ(co_await get_text(ctx, t.store, ref, ByteRange{2, 4}), "234");
  EXPECT_EQ(co_await get_text(ctx, t.store, ref, ByteRange{7}), "789");
  EXPECT_EQ(co_await get_text(ctx, t.store, ref, ByteRange{7, 1'000}), "789");
  EXPECT_EQ(co_await get_text(ctx, t.store, ref, ByteRange{9, 9}), "9");
  EXPECT_EQ(co_await get_text(ctx, t.store, ref, ByteRange{}), "0123456789");
  CO_EXPECT_ERROR(t.store.get(ctx, ref, ByteRange{10, 12}), ErrorCode::invalid_argument);
  CO_EXPECT_ERROR(t.store.get(ctx, ref, ByteRange{UINT64_MAX}), ErrorCode::invalid_argument);
  CO_EXPECT_ERROR(t.store.get(ctx, ref, ByteRange{5, 4}), ErrorCode::invalid_argument);
}

Task<> empty_objects_are_objects(Context& ctx, StoreUnderTest t) {
  co_await put_text(ctx, t.store, t.ref("empty"), "");
  EXPECT_EQ(co_await get_text(ctx, t.store, t.ref("empty")), "");
  EXPECT_EQ((co_await t.store.head(ctx, t.ref("empty")))->size, 0u);
  CO_EXPECT_ERROR(t.store.get(ctx, t.ref("empty"), ByteRange{}), ErrorCode::invalid_argument);
}

Task<> a_broken_body_leaves_nothing(Context& ctx, StoreUnderTest t) {
  for (std::size_t size : {10u, 900'000u}) {
    PiecesSource body({patterned(size)}, false, ErrorCode::cancelled);
    CO_EXPECT_ERROR(t.store.put(ctx, t.ref("data/broken"), body), ErrorCode::cancelled);
    EXPECT_FALSE((co_await t.store.head(ctx, t.ref("data/broken"))).has_value());
  }
  co_await put_text(ctx, t.store, t.ref("data/kept"), "old");
  PiecesSource body({"new"}, false, ErrorCode::cancelled);
  CO_EXPECT_ERROR(t.store.put(ctx, t.ref("data/kept"), body), ErrorCode::cancelled);
  EXPECT_EQ(co_await get_text(ctx, t.store, t.ref("data/kept")), "old");
  EXPECT_EQ((co_await t.store.list(ctx, t.space, "", "", 10)).objects.size(), 1u);
}

Task<> refuses_more_than_bytes_max(Context& ctx, StoreUnderTest t) {
  for (const bool size_known : {false, true}) {
    for (std::uint64_t limit : {4u, 600'000u}) {
      const auto text = patterned(limit + 1);
      PiecesSource body({text.substr(0, 2), text.substr(2)}, size_known);
      CO_EXPECT_ERROR(t.store.put(ctx, t.ref("k"), body, {.bytes_max = limit}),
                      ErrorCode::too_large);
      EXPECT_FALSE((co_await t.store.head(ctx, t.ref("k"))).has_value());
    }
  }
  PiecesSource fits({"1234"});
  EXPECT_EQ((co_await t.store.put(ctx, t.ref("k"), fits, {.bytes_max = 4})).size, 4u);
}

Task<> feeds_the_digests(Context& ctx, StoreUnderTest t) {
  for (std::size_t size : {11u, 800'000u}) {
    Digests digests({.sha256 = true});
    const auto text = patterned(size);
    PiecesSource body({text.substr(0, 5), text.substr(5)});
    co_await t.store.put(ctx, t.ref("k"), body, {.digests = &digests});
    const auto values = digests.finish();
    EXPECT_EQ(values.size, size);
    EXPECT_EQ(to_hex(values.md5), to_hex(md5(text)));
    EXPECT_EQ(to_hex(values.sha256), to_hex(sha256(text)));
  }
}

Task<> refused_bodies_are_not_stored(Context& ctx, StoreUnderTest t) {
  for (std::size_t size : {11u, 800'000u}) {
    const auto text = patterned(size);
    co_await put_text(ctx, t.store, t.ref("k"), "old");
    Digests digests;
    PutOptions options{.digests = &digests, .accept = [&] {
                         EXPECT_EQ(digests.values().size, size);
                         throw Error(ErrorCode::precondition_failed, "refused");
                       }};
    PiecesSource body({text.substr(0, 5), text.substr(5)});
    CO_EXPECT_ERROR(t.store.put(ctx, t.ref("k"), body, options), ErrorCode::precondition_failed);
    EXPECT_EQ(co_await get_text(ctx, t.store, t.ref("k")), "old");
    EXPECT_EQ((co_await t.store.list(ctx, t.space, "", "", 10)).objects.size(), 1u);
  }
}

Task<> the_caller_may_refuse_a_body_by_its_digests(Context& ctx, StoreUnderTest t) {
  for (std::size_t size : {11u, 800'000u}) {
    const auto text = patterned(size);
    Digests digests, part_digests;
    int calls = 0;
    PutOptions options{.digests = &digests, .accept = [&] {
                         ++calls;
                         EXPECT_EQ(to_hex(digests.values().md5), to_hex(md5(text)));
                         throw Error(ErrorCode::precondition_failed, "other bytes expected");
                       }};
    PiecesSource body({text});
    CO_EXPECT_ERROR(t.store.put(ctx, t.ref("k"), body, options), ErrorCode::precondition_failed);
    EXPECT_EQ(calls, 1);
    EXPECT_FALSE((co_await t.store.head(ctx, t.ref("k"))).has_value());

    const auto id = co_await t.store.create_multipart(ctx, t.ref("k"));
    options.digests = &part_digests;
    options.accept = [] { throw Error(ErrorCode::precondition_failed, "refused"); };
    PiecesSource part({text});
    CO_EXPECT_ERROR(t.store.upload_part(ctx, t.ref("k"), id, 1, part, options),
                    ErrorCode::precondition_failed);
    EXPECT_TRUE((co_await t.store.list_parts(ctx, t.ref("k"), id, 0, 10)).empty());
    co_await t.store.abort_multipart(ctx, t.ref("k"), id);
  }
}

Task<> removing_is_idempotent(Context& ctx, StoreUnderTest t) {
  co_await put_text(ctx, t.store, t.ref("data/a/x"), "x");
  co_await t.store.remove(ctx, t.ref("data/a/x"));
  co_await t.store.remove(ctx, t.ref("data/a/x"));
  co_await t.store.remove(ctx, t.ref("never/was"));
  EXPECT_FALSE((co_await t.store.head(ctx, t.ref("data/a/x"))).has_value());
}

Task<> copies_bytes(Context& ctx, StoreUnderTest t) {
  const auto text = patterned(600'000);
  co_await put_text(ctx, t.store, t.ref("from/x"), text);
  co_await put_text(ctx, t.store, t.ref("to/y"), "overwritten");
  EXPECT_EQ((co_await t.store.copy(ctx, t.ref("from/x"), t.ref("to/y"))).size, text.size());
  co_await t.store.remove(ctx, t.ref("from/x"));
  EXPECT_TRUE(co_await get_text(ctx, t.store, t.ref("to/y")) == text);
  EXPECT_EQ((co_await t.store.copy(ctx, t.ref("to/y"), t.ref("to/y"))).size, text.size());
  EXPECT_TRUE(co_await get_text(ctx, t.store, t.ref("to/y")) == text);
}

Task<> copying_what_is_gone_is_data_missing(Context& ctx, StoreUnderTest t) {
  CO_EXPECT_ERROR(t.store.copy(ctx, t.ref("none"), t.ref("to")), ErrorCode::data_missing);
  EXPECT_FALSE((co_await t.store.head(ctx, t.ref("to"))).has_value());
}

Task<> refuses_addresses_that_leave(Context& ctx, StoreUnderTest t) {
  const std::string scheme = t.space.substr(0, t.space.find("://") + 3);
  std::vector<ObjectRef> refs;
  for (std::string address :
       {std::string("../x"), std::string("a/../../x"), std::string("a/.."), std::string(".."),
        std::string("."), std::string(""), std::string("a/./x"), std::string("a\0b", 3)}) {
    refs.push_back(t.ref(std::move(address)));
  }
  refs.push_back({"other://x", "k", AddressType::relative});
  refs.push_back({"", "k", AddressType::relative});
  refs.push_back({"no scheme", "k", AddressType::relative});
  refs.push_back({t.space, "data/x", AddressType::full});
  refs.push_back({t.space, "gs://bucket/k", AddressType::full});
  refs.push_back({t.space, scheme == "s3://" ? "gs://bucket/k" : "s3://bucket/k",
                  AddressType::by_prefix_deprecated});
  refs.push_back({t.space, scheme, AddressType::full});
  for (const ObjectRef& ref : refs) {
    io::StringSource body("evil");
    CO_EXPECT_ERROR(t.store.put(ctx, ref, body), ErrorCode::invalid_argument);
    CO_EXPECT_ERROR(t.store.get(ctx, ref), ErrorCode::invalid_argument);
    CO_EXPECT_ERROR(t.store.head(ctx, ref), ErrorCode::invalid_argument);
    EXPECT_THROW(t.store.check(ref), Error);
    CO_EXPECT_ERROR(t.store.remove(ctx, ref), ErrorCode::invalid_argument);
    CO_EXPECT_ERROR(t.store.copy(ctx, ref, t.ref("k")), ErrorCode::invalid_argument);
    CO_EXPECT_ERROR(t.store.create_multipart(ctx, ref), ErrorCode::invalid_argument);
  }
}

Task<> old_entries_without_a_type_are_relative(Context& ctx, StoreUnderTest t) {
  co_await put_text(ctx, t.store, t.ref("data/x"), "old");
  EXPECT_EQ(co_await get_text(ctx, t.store, {t.space, "data/x", AddressType::by_prefix_deprecated}),
            "old");
}

Task<> a_namespace_may_end_in_a_slash(Context& ctx, StoreUnderTest t) {
  co_await put_text(ctx, t.store, {t.space + "/", "data/x", AddressType::relative}, "same");
  EXPECT_EQ(co_await get_text(ctx, t.store, t.ref("data/x")), "same");
}

Task<> addresses_keep_their_odd_bytes(Context& ctx, StoreUnderTest t) {
  const std::vector<std::string> addresses = {"data/a b",  "data/a%20b", "data/a?b=c",  "data/#",
                                              "data/é,+",  "data/\\..",  "data/...",    "data/\n",
                                              "data/\xff", "data/a:b",   "data/x,sig-_"};
  for (const auto& address : addresses) {
    co_await put_text(ctx, t.store, t.ref(address), address);
  }
  for (const auto& address : addresses) {
    EXPECT_EQ(co_await get_text(ctx, t.store, t.ref(address)), address);
  }
}

Task<> describes_itself(Context&, StoreUnderTest t) {
  const auto& info = t.store.info();
  EXPECT_FALSE(info.type.empty());
  EXPECT_TRUE(info.namespace_regex.starts_with("^"));
  EXPECT_TRUE(info.namespace_example.starts_with(info.namespace_regex.substr(1)));
  EXPECT_TRUE(t.store.display_address(t.ref("data/x")).ends_with("/data/x"));
  co_return;
}

Task<> refuses_work_after_close(Context& ctx, StoreUnderTest t) {
  co_await put_text(ctx, t.store, t.ref("k"), "x");
  co_await t.store.close();
  co_await t.store.close();
  CO_EXPECT_ERROR(t.store.head(ctx, t.ref("k")), ErrorCode::unavailable);
  io::StringSource body("x");
  CO_EXPECT_ERROR(t.store.put(ctx, t.ref("k"), body), ErrorCode::unavailable);
}

}  // namespace

void append_object_cases(std::vector<StoreCase>& cases) {
  cases.insert(
      cases.end(),
      {{"ReadsBackWhatWasPut", reads_back_what_was_put},
       {"MissingObjectsAreValues", missing_objects_are_values},
       {"StreamsABodyOfUnknownSize", streams_a_body_of_unknown_size},
       {"StoresBodiesOfEdgeSizes", stores_bodies_of_edge_sizes},
       {"ReplacesWhole", replaces_whole},
       {"OpenReadersKeepTheOldBytes", open_readers_keep_the_old_bytes},
       {"ServesRanges", serves_ranges},
       {"EmptyObjectsAreObjects", empty_objects_are_objects},
       {"ABrokenBodyLeavesNothing", a_broken_body_leaves_nothing},
       {"RefusesMoreThanBytesMax", refuses_more_than_bytes_max},
       {"RefusedBodiesAreNotStored", refused_bodies_are_not_stored},
       {"FeedsTheDigests", feeds_the_digests},
       {"TheCallerMayRefuseABodyByItsDigests", the_caller_may_refuse_a_body_by_its_digests},
       {"RemovingIsIdempotent", removing_is_idempotent},
       {"RemovesManyAtOnce", removes_many_at_once},
       {"RemovesTheOthersWhenOneCannotBe", removes_the_others_when_one_cannot_be},
       {"CopiesBytes", copies_bytes},
       {"CopyingWhatIsGoneIsDataMissing", copying_what_is_gone_is_data_missing},
       {"RefusesAddressesThatLeave", refuses_addresses_that_leave},
       {"OldEntriesWithoutATypeAreRelative", old_entries_without_a_type_are_relative},
       {"ANamespaceMayEndInASlash", a_namespace_may_end_in_a_slash},
       {"AddressesKeepTheirOddBytes", addresses_keep_their_odd_bytes},
       {"DescribesItself", describes_itself},
       {"RefusesWorkAfterClose", refuses_work_after_close}});
}

}  // namespace tarn::block::testing
