#include "kv/paged_cursor.h"

#include <string>
#include <utility>
#include <vector>

#include "testing/co_test.h"

namespace tarn::kv {
namespace {

/// A partition of one-letter keys that remembers what it was asked for.
class LetterCursor final : public PagedCursor {
 public:
  LetterCursor(std::string letters, ScanOptions options)
      : PagedCursor(std::move(options)), letters_(std::move(letters)) {}

  std::vector<std::string> asked;
  std::vector<std::uint32_t> rows_asked;

 protected:
  Task<Page> fetch(Context&, PageRequest request) override {
    asked.push_back(request.from);
    rows_asked.push_back(request.rows_max);
    Page page;
    for (const char letter : letters_) {
      const std::string key(1, letter);
      if (key < request.from) continue;
      if (page.full(request.rows_max)) co_return page;
      page.add(key, "v" + key);
    }
    page.mark_last();
    co_return page;
  }

 private:
  std::string letters_;
};

Task<> read_rows(Context& ctx, Cursor& cursor, int rows) {
  for (; rows > 0; --rows)
    EXPECT_TRUE(cursor.next() || co_await cursor.fill(ctx));
}

std::string many_letters() {
  std::string letters;
  for (int letter = 1; letter < 256; ++letter)
    letters += static_cast<char>(letter);
  return letters;
}

TEST(AfterPrefix, IsTheSmallestKeyAboveEveryKeyWithThePrefix) {
  EXPECT_EQ(after_prefix("a"), "b");
  EXPECT_EQ(after_prefix("a\xff"), "b");
  EXPECT_EQ(after_prefix("a\x7f"), "a\x80");
  EXPECT_EQ(after_prefix("\xff\xff"), "");
  EXPECT_EQ(after_prefix(""), "");
}

CO_TEST(PagedCursor, FetchesNothingBeforeTheFirstFill) {
  LetterCursor cursor("abc", {});
  EXPECT_FALSE(cursor.next());
  EXPECT_TRUE(cursor.asked.empty());
  EXPECT_TRUE(co_await cursor.fill(ctx));
  EXPECT_EQ(cursor.key(), "a");
  EXPECT_EQ(cursor.value(), "va");
}

CO_TEST(PagedCursor, NextPageStartsRightAfterTheLastKey) {
  LetterCursor cursor("abcd", {.page_keys = 2});
  while (cursor.next() || co_await cursor.fill(ctx)) {
  }
  const std::vector<std::string> expected = {"", std::string("b\0", 2)};
  EXPECT_EQ(cursor.asked, expected);
}

CO_TEST(PagedCursor, PagesGrowWhileReadingInOrderAndStartSmallAfterASeek) {
  LetterCursor cursor(many_letters(), {.page_keys = 150});
  co_await read_rows(ctx, cursor, 255);
  cursor.seek("\x03");
  co_await read_rows(ctx, cursor, 33);
  using Asked = std::vector<std::uint32_t>;
  EXPECT_EQ(cursor.rows_asked, (Asked{32, 128, 150, 32, 128}));
}

CO_TEST(PagedCursor, FirstPageHasWhatTheReaderLikelyWants) {
  using Asked = std::vector<std::uint32_t>;
  LetterCursor one(many_letters(), {.likely_keys = 1});
  co_await read_rows(ctx, one, 6);
  EXPECT_EQ(one.rows_asked, (Asked{1, 4, 16}));
  LetterCursor many(many_letters(), {.page_keys = 110, .likely_keys = 101});
  co_await read_rows(ctx, many, 102);
  many.seek("\x03");
  co_await read_rows(ctx, many, 101);
  EXPECT_EQ(many.rows_asked, (Asked{101, 110, 101}));
}

CO_TEST(PagedCursor, SeekWithinThePageFetchesNothing) {
  LetterCursor cursor("abcdefgh", {.from = "b", .page_keys = 4});
  EXPECT_TRUE(co_await cursor.fill(ctx));
  for (const char* key : {"e", "b", "c", "d"}) {
    cursor.seek(key);
    EXPECT_TRUE(cursor.next());
    EXPECT_EQ(cursor.key(), key);
  }
  EXPECT_EQ(cursor.asked.size(), 1u);
  cursor.seek("a");
  EXPECT_FALSE(cursor.next());
  EXPECT_TRUE(co_await cursor.fill(ctx));
  EXPECT_EQ(cursor.key(), "a");
  EXPECT_EQ(cursor.asked.size(), 2u);
}

CO_TEST(PagedCursor, SeekPastTheLastPageKnowsTheEndWithoutFetching) {
  LetterCursor cursor("abc", {});
  EXPECT_TRUE(co_await cursor.fill(ctx));
  cursor.seek("x");
  EXPECT_FALSE(cursor.next());
  EXPECT_FALSE(co_await cursor.fill(ctx));
  EXPECT_EQ(cursor.asked.size(), 1u);
}

CO_TEST(PagedCursor, FillBeforeThePageIsReadSkipsNoRow) {
  LetterCursor cursor("abc", {});
  EXPECT_TRUE(co_await cursor.fill(ctx));
  EXPECT_TRUE(co_await cursor.fill(ctx));
  EXPECT_EQ(cursor.key(), "b");
}

}  // namespace
}  // namespace tarn::kv
