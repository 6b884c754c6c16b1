// Listings over branches, against a naive oracle.
#include "s3gw/object_page.h"

#include <random>
#include <set>

#include <gtest/gtest.h>

#include "s3gw/testing/gateway_fixture.h"
#include "testing/co_test.h"

namespace tarn::s3gw {

namespace {

class ObjectPages : public testing::GatewayTest {
 public:
  void put_object(const std::string& branch, const std::string& path) {
    ::tarn::testing::run_co([&](Context& ctx) -> Task<> {
      co_await engine.set(ctx, *repository, BranchId::require(branch), path,
                          catalog::encode_entry({.address = "x", .size = 1, .etag = "e"}), {});
    });
    keys.insert(branch + '/' + path);
  }

  /// Every result as one text, "|" and "..." for more.
  std::string list(PageQuery query) {
    const ObjectPage page = ::tarn::testing::run_co(
        [&](Context& ctx) { return list_page(ctx, catalog, *repository, query); });
    std::string out;
    for (const PageItem& item : page.items)
      out += item.key + (item.is_prefix ? "*|" : "|");
    return out + (page.has_more ? "..." : "");
  }

  /// A6.3 to the letter, over all keys.
  std::string expect(const PageQuery& query) const {
    std::set<std::pair<std::string, bool>> results;
    std::set<std::string> all = keys;
    if (query.delimiter == "/") {
      // Whole branches are listed whether or not they hold anything.
      for (const std::string& branch : branches) {
        if (branch.starts_with(query.prefix) && branch + '/' > query.after) {
          results.insert({branch + '/', true});
        }
      }
    }
    for (const std::string& key : all) {
      if (!key.starts_with(query.prefix) || key <= query.after) continue;
      const auto at = query.delimiter.empty() ? std::string::npos
                                              : key.find(query.delimiter, query.prefix.size());
      if (at == std::string::npos) {
        results.insert({key, false});
        continue;
      }
      const std::string folded = key.substr(0, at + query.delimiter.size());
      if (folded != query.after) results.insert({folded, true});
    }
    std::string out;
    std::size_t count = 0;
    for (const auto& [key, is_prefix] : results) {
      if (count++ == query.amount) return out + "...";
      out += key + (is_prefix ? "*|" : "|");
    }
    return out;
  }

  std::set<std::string> keys;
  std::set<std::string> branches = {"main"};
};

TEST_F(ObjectPages, PutBranchesInTheOrderOfTheirKeys) {
  for (const char* name : {"a", "a-b", "a0"}) {
    create_branch(name);
    put_object(name, "k");
  }
  create_branch("hidden", true);
  EXPECT_EQ(list({.delimiter = "/"}), "a-b/*|a/*|a0/*|main/*|");
  EXPECT_EQ(list({}), "a-b/k|a/k|a0/k|");
  EXPECT_EQ(list({.after = "a-b/k"}), "a/k|a0/k|");
  EXPECT_EQ(list({.delimiter = "/", .after = "a/"}), "a0/*|main/*|");
  EXPECT_EQ(list({.delimiter = "-"}), "a-*|a/k|a0/k|");
}

TEST_F(ObjectPages, AgreeWithAScanOfAllKeys) {
  std::mt19937 random(20'261'121);
  const auto pick = [&](const std::vector<std::string>& from) {
    return from[random() % from.size()];
  };
  const std::vector<std::string> names = {"a", "a-", "a-b", "a-b-c", "a_", "a0", "b", "ab", "m-x"};
  const std::vector<std::string> bits = {"a", "b", "-", "/", "x", "/x", "a/", "\x01", "é"};
  for (const std::string& name : names) {
    if (random() % 4 == 0) continue;
    create_branch(name);
    branches.insert(name);
    for (auto n = random() % 12; n > 0; --n) {
      std::string path;
      for (auto k = 1 + random() % 4; k > 0; --k)
        path += pick(bits);
      put_object(name, path);
    }
  }
  const std::vector<std::string> delimiters = {"", "/", "-", "x", "/x", "a/", "b/a", "//", "é"};
  for (int round = 0; round < 1'500; ++round) {
    const auto any_text = [&] {
      std::string text;
      if (random() % 3 == 0) return text;
      if (random() % 2 == 0 && !keys.empty()) {
        text = *std::next(keys.begin(), static_cast<std::ptrdiff_t>(random() % keys.size()));
        return text.substr(0, random() % (text.size() + 1));
      }
      for (auto k = random() % 4; k > 0; --k)
        text += pick(bits);
      return text;
    };
    PageQuery query{.prefix = any_text(),
                    .delimiter = pick(delimiters),
                    .after = any_text(),
                    .amount = 1 + random() % 12};
    const bool one_reference = query.prefix.find('/') != std::string::npos;
    if (one_reference && query.delimiter == "/") {
      // The oracle's whole branches are of the root.
      const auto saved = std::exchange(branches, {});
      EXPECT_EQ(list(query), expect(query))
          << "prefix " << query.prefix << " after " << query.after;
      branches = saved;
      continue;
    }
    ASSERT_EQ(list(query), expect(query))
        << "prefix '" << query.prefix << "' delimiter '" << query.delimiter << "' after '"
        << query.after << "' amount " << query.amount;
  }
}

TEST_F(ObjectPages, FollowEachOtherWithoutGapOrRepetition) {
  for (const char* name : {"a", "a-b", "b"}) {
    create_branch(name);
    for (const char* path : {"x/1", "x/2", "x", "y/1", "z"})
      put_object(name, path);
  }
  for (const std::string delimiter : {"", "/", "x", "/x"}) {
    const std::string whole = list({.delimiter = delimiter, .amount = 1'000});
    for (const std::size_t amount : {1U, 2U, 3U}) {
      std::string joined;
      std::string after;
      while (true) {
        std::string page = list({.delimiter = delimiter, .after = after, .amount = amount});
        const bool more = page.ends_with("...");
        if (more) page.resize(page.size() - 3);
        joined += page;
        if (!more) break;
        const auto end = page.size() - 1;
        const auto begin = page.rfind('|', end - 1);
        after = page.substr(begin == std::string::npos ? 0 : begin + 1);
        after.resize(after.find_first_of("*|"));
      }
      EXPECT_EQ(joined, whole) << "'" << delimiter << "' by " << amount;
    }
  }
}

}  // namespace

}  // namespace tarn::s3gw
