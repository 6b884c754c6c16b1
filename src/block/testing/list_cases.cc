// Listing: order, prefixes, pages, and the model that all of it follows.
#include <algorithm>
#include <set>
#include <utility>

#include "block/testing/object_store_suite.h"
#include "testing/co_test.h"

namespace tarn::block::testing {

namespace {

Task<std::vector<std::string>> listed(Context& ctx, const StoreUnderTest& t, std::string prefix,
                                      std::string after, std::size_t page_objects) {
  std::vector<std::string> all;
  for (;;) {
    const auto page = co_await t.store.list(ctx, t.space, prefix, after, page_objects);
    EXPECT_LE(page.objects.size(), page_objects);
    for (const auto& object : page.objects) {
      all.push_back(object.address);
      EXPECT_EQ(object.size, object.address.size());
    }
    if (!page.more) co_return all;
    if (page.objects.empty()) throw Error(ErrorCode::internal, "an empty page with more to come");
    after = page.objects.back().address;
  }
}

std::set<std::string> names() {
  // '-' and '.' sort before '/', '0' after it: a directory sorts as its name with a slash.
  return {"a",     "a-b",    "a.b/x",      "a/b",      "a/b-c",    "a/b.c",   "ab",  "ab/",
          "ab/cd", "ab/cd0", "b/1/2",      "b/1/3",    "b/1-2/3",  "b/10",    "c/x", "c0",
          "c-",    "\xff/y", "\xc3\xa9/z", "data/p/1", "data/p/2", "data/q/1"};
}

std::vector<std::string> expected(const std::set<std::string>& all, const std::string& prefix,
                                  const std::string& after) {
  std::vector<std::string> out;
  std::ranges::copy_if(all, std::back_inserter(out), [&](const std::string& name) {
    return name.starts_with(prefix) && name > after;
  });
  return out;
}

/// Not every backend can hold a name and names below it at once, nor names that end in a slash.
Task<std::set<std::string>> fill(Context& ctx, const StoreUnderTest& t) {
  std::set<std::string> stored;
  for (const auto& name : names()) {
    if (name.ends_with('/')) continue;
    const bool is_directory = std::ranges::any_of(
        names(), [&](const std::string& other) { return other.starts_with(name + "/"); });
    if (is_directory) continue;
    co_await put_text(ctx, t.store, t.ref(name), name);
    stored.insert(name);
  }
  co_return stored;
}

Task<> lists_in_byte_order_in_any_page_size(Context& ctx, StoreUnderTest t) {
  const auto all = co_await fill(ctx, t);
  for (std::size_t page : {1u, 2u, 3u, 7u, 1'000u}) {
    EXPECT_EQ(co_await listed(ctx, t, "", "", page), expected(all, "", "")) << page;
  }
}

Task<> lists_by_prefix_and_after_any_point(Context& ctx, StoreUnderTest t) {
  const auto all = co_await fill(ctx, t);
  const std::vector<std::string> points = {
      "",       "a",        "a-b",   "a/",   "a/b",   "a/b-",  "a0",        "ab", "b",
      "b/",     "b/1",      "b/1/",  "b/1-", "b/1/2", "b/1/9", "c",         "c/", "c/x/y",
      "data/p", "data/p/1", "data/", "d",    "zz",    "\xff",  "none/below"};
  for (const auto& prefix : points) {
    for (const auto& after : points) {
      EXPECT_EQ(co_await listed(ctx, t, prefix, after, 2), expected(all, prefix, after))
          << "prefix '" << prefix << "' after '" << after << "'";
    }
  }
}

Task<> an_empty_namespace_lists_nothing(Context& ctx, StoreUnderTest t) {
  const auto page = co_await t.store.list(ctx, t.space, "", "", 10);
  EXPECT_TRUE(page.objects.empty());
  EXPECT_FALSE(page.more);
}

Task<> does_not_list_the_neighbours(Context& ctx, StoreUnderTest t) {
  co_await put_text(ctx, t.store, {t.space + "2", "x", AddressType::relative}, "x");
  co_await put_text(ctx, t.store, t.ref("y"), "y");
  EXPECT_EQ(co_await listed(ctx, t, "", "", 10), std::vector<std::string>{"y"});
}

Task<> says_more_only_if_there_is_more(Context& ctx, StoreUnderTest t) {
  co_await put_text(ctx, t.store, t.ref("a/1"), "x");
  co_await put_text(ctx, t.store, t.ref("a/2"), "x");
  EXPECT_TRUE((co_await t.store.list(ctx, t.space, "", "", 1)).more);
  EXPECT_FALSE((co_await t.store.list(ctx, t.space, "", "", 2)).more);
  EXPECT_FALSE((co_await t.store.list(ctx, t.space, "", "a/1", 1)).more);
}

Task<> a_prefix_with_dots_matches_nothing(Context& ctx, StoreUnderTest t) {
  co_await put_text(ctx, t.store, t.ref("x"), "x");
  for (const char* prefix : {"../", "..", "a/../", "/", "//", "./", "x/"}) {
    EXPECT_EQ((co_await t.store.list(ctx, t.space, prefix, "", 10)).objects.size(), 0u) << prefix;
  }
}

}  // namespace

void append_list_cases(std::vector<StoreCase>& cases) {
  cases.insert(cases.end(),
               {{"ListsInByteOrderInAnyPageSize", lists_in_byte_order_in_any_page_size},
                {"ListsByPrefixAndAfterAnyPoint", lists_by_prefix_and_after_any_point},
                {"AnEmptyNamespaceListsNothing", an_empty_namespace_lists_nothing},
                {"DoesNotListTheNeighbours", does_not_list_the_neighbours},
                {"SaysMoreOnlyIfThereIsMore", says_more_only_if_there_is_more},
                {"APrefixWithDotsMatchesNothing", a_prefix_with_dots_matches_nothing}});
}

}  // namespace tarn::block::testing
