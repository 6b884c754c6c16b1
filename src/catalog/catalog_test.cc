#include "catalog/catalog.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "catalog/test_catalog.h"
#include "testing/co_test.h"

namespace tarn::catalog {
namespace {

using Paths = std::vector<std::string>;

template <class T>
Task<std::string> message_of(Task<T> task, ErrorCode code) {
  try {
    co_await std::move(task);
  } catch (const Error& error) {
    EXPECT_EQ(to_string(error.code()), to_string(code)) << error.message();
    co_return error.message();
  }
  ADD_FAILURE() << "did not throw";
  co_return std::string();
}

CO_TEST(Catalog, StoresAnObjectUnderAFreshAddress) {
  TestCatalog t;
  const auto repo = co_await t.repository(ctx);
  const auto first = co_await t.upload(ctx, repo, "a/b.txt", "hello");
  EXPECT_EQ(first.entry.etag, "5d41402abc4b2a76b9719d911017c592");
  EXPECT_EQ(first.entry.size, 5U);
  EXPECT_EQ(first.entry.content_type, kDefaultContentType);
  EXPECT_TRUE(first.entry.address.starts_with("data/"));
  const auto second = co_await t.upload(ctx, repo, "a/b.txt", "bye");
  EXPECT_NE(first.entry.address, second.entry.address);
  EXPECT_EQ(co_await t.read(ctx, repo, "main", "a/b.txt"), "bye");
}

CO_TEST(Catalog, RefusesPathsThatCannotBeStored) {
  TestCatalog t;
  const auto repo = co_await t.repository(ctx);
  EXPECT_EQ(co_await message_of(t.upload(ctx, repo, "", "x"), ErrorCode::invalid_argument),
            "missing path: required value: validation error");
  EXPECT_EQ(co_await message_of(t.upload(ctx, repo, std::string(1'025, 'x'), "x"),
                                ErrorCode::invalid_argument),
            "argument path: invalid value: validation error: 1025 is above maximum length (1024)");
  co_await message_of(t.upload(ctx, repo, "\xff", "x"), ErrorCode::invalid_argument);
  EXPECT_EQ(co_await t.stored_objects(ctx, repo), 0U);
  co_await t.upload(ctx, repo, std::string(1'024, 'x'), "fits");
}

CO_TEST(Catalog, AConditionStopsAnUploadBeforeAndAfterItsBody) {
  TestCatalog t;
  const auto repo = co_await t.repository(ctx);
  co_await t.upload(ctx, repo, "k", "1", {.condition = only_if_absent()});
  EXPECT_EQ(co_await message_of(t.upload(ctx, repo, "k", "2", {.condition = only_if_absent()}),
                                ErrorCode::precondition_failed),
            "path already exists");
  // Passes when asked first, and refuses once the body is in: somebody else was faster.
  int calls = 0;
  const Condition late = [&](const std::optional<Entry>&) {
    if (++calls > 1) throw Error(ErrorCode::precondition_failed, "late");
  };
  EXPECT_EQ(co_await message_of(t.upload(ctx, repo, "k", "3", {.condition = late}),
                                ErrorCode::precondition_failed),
            "late");
  EXPECT_EQ(co_await t.read(ctx, repo, "main", "k"), "1");
  EXPECT_EQ(co_await t.stored_objects(ctx, repo), 1U);
}

CO_TEST(Catalog, AWrongChecksumStoresNothing) {
  TestCatalog t;
  const auto repo = co_await t.repository(ctx);
  const auto refuse = [](const block::Digests::Values& values) {
    EXPECT_EQ(values.sha256.size(), 32U);
    throw Error(ErrorCode::precondition_failed, "bad digest");
  };
  co_await message_of(
      t.upload(ctx, repo, "k", "x", {.digests = {.sha256 = true}, .verify = refuse}),
      ErrorCode::precondition_failed);
  EXPECT_EQ(co_await t.read(ctx, repo, "main", "k"), "(none)");
  EXPECT_EQ(co_await t.stored_objects(ctx, repo), 0U);
}

CO_TEST(Catalog, FoldsListingsByDelimiterAndPagesThroughThem) {
  TestCatalog t;
  const auto repo = co_await t.repository(ctx);
  for (const char* path : {"a", "b/1", "b/2", "b-", "c/d/1", "c/e", "z"}) {
    co_await t.upload(ctx, repo, path, path);
  }
  EXPECT_EQ(co_await t.list(ctx, repo, {.delimiter = "/"}), (Paths{"a", "b-", "b/", "c/", "z"}));
  EXPECT_EQ(co_await t.list(ctx, repo, {.prefix = "c/", .delimiter = "/"}), (Paths{"c/d/", "c/e"}));
  EXPECT_EQ(co_await t.list(ctx, repo, {.delimiter = "/", .amount = 2}), (Paths{"a", "b-", "..."}));
  EXPECT_EQ(co_await t.list(ctx, repo, {.delimiter = "/", .after = "b-", .amount = 2}),
            (Paths{"b/", "c/", "..."}));
  EXPECT_EQ(co_await t.list(ctx, repo, {.delimiter = "/", .after = "b/"}), (Paths{"c/", "z"}));
  EXPECT_EQ(co_await t.list(ctx, repo, {.delimiter = "/", .after = "b/1"}),
            (Paths{"b/", "c/", "z"}));
  EXPECT_EQ(co_await t.list(ctx, repo, {.prefix = "b"}), (Paths{"b-", "b/1", "b/2"}));
  EXPECT_EQ(co_await t.list(ctx, repo, {.prefix = "nothing"}), Paths{});
}

CO_TEST(Catalog, ListingsSkipStagedDeletes) {
  TestCatalog t;
  const auto repo = co_await t.repository(ctx);
  for (const char* path : {"d/1", "d/2", "e"})
    co_await t.upload(ctx, repo, path, path);
  co_await t.engine.commit(ctx, repo, t.main, {.committer = "c", .message = "m"});
  co_await t.catalog.remove(ctx, repo, t.main, {"d/1", "d/2"}, {});
  EXPECT_EQ(co_await t.list(ctx, repo, {.delimiter = "/"}), Paths{"e"});
  const auto diff = co_await t.engine.diff_uncommitted(ctx, repo, t.main);
  const auto page = co_await t.catalog.page_of(ctx, *diff, {.delimiter = "/"});
  CO_ASSERT_EQ(page.items.size(), 1U);
  EXPECT_EQ(page.items[0].path, "d/");
  EXPECT_TRUE(page.items[0].is_prefix);
}

CO_TEST(Catalog, CopiesBytesAndKeepsMetadata) {
  TestCatalog t;
  const auto repo = co_await t.repository(ctx);
  const auto source = co_await t.upload(ctx, repo, "from", "text",
                                        {.content_type = "text/plain", .metadata = {{"k", "v"}}});
  const CopySource from{.repository = repo.id, .ref = "main", .path = "from"};
  const Entry copied = co_await t.catalog.copy(ctx, from, repo, t.main, "to", {});
  EXPECT_NE(copied.address, source.entry.address);
  EXPECT_EQ(copied.metadata, source.entry.metadata);
  EXPECT_EQ(copied.content_type, "text/plain");
  EXPECT_EQ(co_await t.read(ctx, repo, "main", "to"), "text");
  const Entry replaced = co_await t.catalog.copy(
      ctx, from, repo, t.main, "to", {.metadata = versioning::Metadata{}, .content_type = "a/b"});
  EXPECT_TRUE(replaced.metadata.empty());
  EXPECT_EQ(replaced.content_type, "a/b");
  const CopySource missing{.repository = repo.id, .ref = "main", .path = "none"};
  co_await message_of(t.catalog.copy(ctx, missing, repo, t.main, "to", {}),
                      ErrorCode::object_not_found);
}

CO_TEST(Catalog, LinksOnlyAddressesItIssuedForThatPath) {
  TestCatalog t;
  const auto repo = co_await t.repository(ctx);
  const auto issued = t.catalog.issue_address(repo, t.main, "k");
  const ExternalObject object{
      .physical_address = issued.physical_address, .checksum = "\"abc\"", .size = 3};
  const Entry linked = co_await t.catalog.link(ctx, repo, t.main, "k", object, {}, false);
  EXPECT_EQ(linked.etag, "abc");
  EXPECT_EQ(linked.address_type, block::AddressType::relative);
  EXPECT_EQ(co_await message_of(t.catalog.link(ctx, repo, t.main, "other", object, {}, false),
                                ErrorCode::invalid_argument),
            "invalid address signature: invalid address");
  ExternalObject unsigned_object = object;
  unsigned_object.physical_address = "mem://repo/data/x/y";
  EXPECT_EQ(co_await message_of(t.catalog.link(ctx, repo, t.main, "k", unsigned_object, {}, false),
                                ErrorCode::invalid_argument),
            "address is not signed: link address invalid");
}

CO_TEST(Catalog, ReplacesUserMetadataOfACommittedObject) {
  TestCatalog t;
  const auto repo = co_await t.repository(ctx);
  const auto uploaded = co_await t.upload(ctx, repo, "k", "x", {.metadata = {{"a", "1"}}});
  co_await t.engine.commit(ctx, repo, t.main, {.committer = "c", .message = "m"});
  co_await t.catalog.set_metadata(ctx, repo, t.main, "k", {{"b", "2"}}, {});
  const auto entry = co_await t.catalog.find(ctx, repo, "main", "k");
  CO_ASSERT_TRUE(entry.has_value());
  EXPECT_EQ(entry->metadata, (versioning::Metadata{{"b", "2"}}));
  EXPECT_EQ(entry->address, uploaded.entry.address);
  EXPECT_EQ(co_await message_of(t.catalog.set_metadata(ctx, repo, t.main, "none", {}, {}),
                                ErrorCode::object_not_found),
            "update user metadata on repo/main/none: not found");
}

CO_TEST(Catalog, CreatesARepositoryOnlyInAFreshNamespace) {
  TestCatalog t;
  co_await t.repository(ctx);
  const auto create = [&](std::string name, std::string space) {
    return t.catalog.create_repository(ctx, {.name = name, .storage_namespace = space});
  };
  EXPECT_EQ(co_await message_of(create("repo", "mem://x"), ErrorCode::already_exists),
            "error creating repository: not unique");
  EXPECT_EQ(co_await message_of(create("other", "mem://repo"), ErrorCode::invalid_argument),
            "failed to create repository: found lakeFS objects in the storage (:mem://repo) "
            "key(_lakefs/dummy): storage namespace already in use");
  EXPECT_EQ(co_await message_of(create("other", "s3://x"), ErrorCode::invalid_argument),
            "failed to match required regex ^mem://: invalid namespace");
  co_await message_of(create("x", "mem://x"), ErrorCode::invalid_argument);
  const auto made = co_await create("other", "mem://other");
  EXPECT_EQ(made.default_branch.str(), "main");
}

CO_TEST(Catalog, KeepsRetentionRulesUntilTheyAreRemoved) {
  TestCatalog t;
  auto repo = co_await t.repository(ctx);
  EXPECT_FALSE(co_await t.catalog.retention_rules(ctx, repo));
  co_await t.catalog.set_retention_rules(
      ctx, repo, RetentionRules{.default_days = 21, .branch_days = {{"dev", 0}, {"main", -1}}});
  const auto rules = co_await t.catalog.retention_rules(ctx, repo);
  CO_ASSERT_TRUE(rules.has_value());
  EXPECT_EQ(rules->default_days, 21);
  EXPECT_EQ(rules->branch_days, (std::map<std::string, std::int32_t>{{"dev", 0}, {"main", -1}}));
  co_await t.catalog.set_retention_rules(ctx, repo, std::nullopt);
  EXPECT_FALSE(co_await t.catalog.retention_rules(ctx, repo));
  repo.read_only = true;
  co_await message_of(t.catalog.set_retention_rules(ctx, repo, RetentionRules{}),
                      ErrorCode::read_only);
}

CO_TEST(Catalog, SaysWhenTheBytesAreGone) {
  TestCatalog t;
  const auto repo = co_await t.repository(ctx);
  const auto uploaded = co_await t.upload(ctx, repo, "k", "x");
  co_await t.objects.remove(
      ctx, {.storage_namespace = repo.storage_namespace, .address = uploaded.entry.address});
  EXPECT_EQ(co_await message_of(t.catalog.open(ctx, repo, uploaded.entry), ErrorCode::data_missing),
            "No data");
}

}  // namespace
}  // namespace tarn::catalog
