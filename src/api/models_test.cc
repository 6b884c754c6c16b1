// Every model against the contract's schema of its name: what is written is valid, no member is
// unknown to the contract, no required one is missing.
#include <functional>

#include <gtest/gtest.h>

#include "api/auth_models.h"
#include "api/branch_models.h"
#include "api/commit_models.h"
#include "api/config_models.h"
#include "api/contract.h"
#include "api/diff_models.h"
#include "api/error_models.h"
#include "api/merge_models.h"
#include "api/object_models.h"
#include "api/openapi.h"
#include "api/pagination.h"
#include "api/repository_models.h"
#include "api/retention_models.h"
#include "api/setup_models.h"
#include "api/staging_models.h"

namespace tarn::api {
namespace {

const Contract& contract() {
  static const Contract the_contract(openapi_document());
  return the_contract;
}

/// Members `schema` does not know, by path.
void find_unknown(const Schema& schema, JsonView value, const std::string& path,
                  std::vector<std::string>& unknown) {
  if (schema.type == Schema::Type::array && schema.items != nullptr) {
    for (const JsonView item : value.items()) {
      find_unknown(*schema.items, item, path + "[]", unknown);
    }
  }
  if (schema.type != Schema::Type::object) return;
  for (const auto& [name, member] : value.members()) {
    const auto known = schema.properties.find(name);
    if (known != schema.properties.end()) {
      find_unknown(*known->second, member, path + "/" + name, unknown);
    } else if (schema.additional == nullptr) {
      unknown.push_back(path + "/" + name);
    }
  }
}

template <class T>
void expect_conforms(std::string_view component, const T& model) {
  const Schema* schema = contract().find_schema(component);
  ASSERT_NE(schema, nullptr) << component;
  const std::string text = to_json(model);
  EXPECT_TRUE(text.ends_with("\n")) << component;
  const auto document = JsonDocument::parse(text);
  ASSERT_TRUE(document.has_value()) << text;
  EXPECT_EQ(find_violation(*schema, document->root()), std::nullopt) << text;
  std::vector<std::string> unknown;
  find_unknown(*schema, document->root(), "", unknown);
  EXPECT_EQ(unknown, std::vector<std::string>()) << component;
}

template <class T>
PageOf<T> page_of(T item) {
  return {.pagination = {.results = 1}, .results = {std::move(item)}};
}

TEST(Models, OfRepositoriesConform) {
  expect_conforms("Repository", Repository{.id = "r"});
  expect_conforms("RepositoryList", page_of(Repository{}));
  expect_conforms("RepositoryMetadata", RepositoryMetadata{{{"a", "b"}}});
  expect_conforms("BranchProtectionRule", BranchProtectionRule{.pattern = "main"});
  expect_conforms("GarbageCollectionRules",
                  GarbageCollectionRules{.branches = {{.branch_id = "main"}}});
}

TEST(Models, OfRefsAndCommitsConform) {
  expect_conforms("Ref", Ref{});
  expect_conforms("RefList", page_of(Ref{}));
  expect_conforms("Commit", Commit{.parents = {"a"}, .metadata = {{"k", "v"}}, .version = 1});
  expect_conforms("CommitList", page_of(Commit{}));
  expect_conforms("MergeResult", MergeResult{});
  expect_conforms("FindMergeBaseResult", FindMergeBaseResult{});
}

TEST(Models, OfObjectsConform) {
  const std::map<std::string, std::string> metadata = {{"k", "v"}};
  expect_conforms("ObjectStats",
                  ObjectStats{.size_bytes = 5, .content_type = "a/b", .metadata = metadata});
  expect_conforms("ObjectStatsList", page_of(ObjectStats{.path_type = PathType::common_prefix}));
  expect_conforms(
      "Diff",
      Diff{.type = "added", .size_bytes = 1, .right = DiffObjectStat{.metadata = metadata}});
  expect_conforms("DiffList", page_of(Diff{.type = "prefix_changed"}));
  expect_conforms("UnderlyingObjectProperties", UnderlyingObjectProperties{});
  expect_conforms("UnderlyingObjectProperties", UnderlyingObjectProperties{"STANDARD"});
  expect_conforms("StagingLocation", StagingLocation{});
  expect_conforms("StagingLocation",
                  StagingLocation{.presigned_url = "http://x", .presigned_url_expiry = 7});
  expect_conforms("ObjectStats", ObjectStats{.physical_address_expiry = 7});
  expect_conforms("PresignMultipartUpload", PresignMultipartUpload{});
  expect_conforms("PresignMultipartUpload",
                  PresignMultipartUpload{.presigned_urls = {"http://x", "http://y"}});
  expect_conforms("UploadTo", UploadTo{"http://x"});
  expect_conforms("ObjectErrorList", ObjectErrorList{{{.path = "p", .status_code = 403}}});
  expect_conforms("Error", Error{});
}

TEST(Models, OfUsersConform) {
  expect_conforms("CurrentUser", CurrentUser{{.friendly_name = "", .email = ""}});
  expect_conforms("UserList", page_of(User{}));
  expect_conforms("Credentials", Credentials{});
  expect_conforms("CredentialsList", page_of(Credentials{}));
  expect_conforms("CredentialsWithSecret", CredentialsWithSecret{});
  expect_conforms("AuthenticationToken", AuthenticationToken{});
  expect_conforms("AuthCapabilities", AuthCapabilities{});
  expect_conforms("SetupState", SetupState{});
}

TEST(Models, OfConfigurationConform) {
  expect_conforms("Config", Config{});
  expect_conforms("StorageConfig", StorageConfig{});
  expect_conforms("VersionConfig", VersionConfig{});
  expect_conforms("GarbageCollectionConfig", GarbageCollectionConfig{});
  expect_conforms("InstallationUsageReport", InstallationUsageReport{});
}

TEST(Models, WriteAbsentAndNullAsClientsExpect) {
  EXPECT_EQ(
      to_json(ObjectStats{.path = "d/", .path_type = PathType::common_prefix}),
      R"({"path":"d/","path_type":"common_prefix","physical_address":"","checksum":"","mtime":0})"
      "\n");
  EXPECT_EQ(to_json(StagingLocation{.physical_address = "mem://a"}),
            "{\"physical_address\":\"mem://a\",\"presigned_url\":null}\n");
  EXPECT_EQ(to_json(UnderlyingObjectProperties{}), "{\"storage_class\":null}\n");
  EXPECT_EQ(to_json(CurrentUser{}), "{\"user\":{\"id\":\"\",\"creation_date\":0}}\n");
}

TEST(Models, APageWrittenItemByItemIsTheSamePage) {
  const std::map<std::string, std::string> metadata = {{"k", "v\n"}, {"", "\xff"}};
  std::vector<ObjectStats> items;
  items.push_back({.path = "a \"b\"/c",
                   .physical_address = "local://x",
                   .checksum = "e",
                   .mtime = -1,
                   .size_bytes = 5,
                   .content_type = "t/p",
                   .metadata = metadata});
  items.push_back({.path = "d/", .path_type = PathType::common_prefix});
  items.push_back({.path = "\xc3\xa9\x01", .size_bytes = 0, .content_type = ""});
  for (std::size_t count = 0; count <= items.size(); ++count) {
    for (const bool has_more : {false, true}) {
      PageWriter writer(count);
      PageOf<ObjectStats> page;
      for (std::size_t i = 0; i < count; ++i) {
        const ObjectStats& item = items[i];
        writer.add(ObjectStatsView{.path = item.path,
                                   .path_type = item.path_type,
                                   .physical_address = item.physical_address,
                                   .checksum = item.checksum,
                                   .mtime = item.mtime,
                                   .size_bytes = item.size_bytes,
                                   .content_type = item.content_type,
                                   .metadata = item.metadata ? &*item.metadata : nullptr});
        page.results.push_back(item);
      }
      const std::string last = count > 0 ? items[count - 1].path : "";
      page.pagination = {.has_more = has_more,
                         .next_offset = has_more ? last : "",
                         .results = static_cast<std::int64_t>(count)};
      EXPECT_EQ(writer.finish(has_more, last), to_json(page));
    }
  }
}

JsonDocument parse(std::string_view text) {
  auto document = JsonDocument::parse(text);
  EXPECT_TRUE(document.has_value()) << text;
  return *std::move(document);
}

TEST(Decoders, FillEveryMember) {
  const auto commit = parse(R"({"message":"m","metadata":{"a":"b"},"date":-7,"allow_empty":true,
                                "force":true})");
  const CommitCreation creation = decode_commit_creation(commit.root());
  EXPECT_EQ(creation.message, "m");
  EXPECT_EQ(creation.metadata.at("a"), "b");
  EXPECT_EQ(creation.date, -7);
  EXPECT_TRUE(creation.allow_empty && creation.force);

  const auto revert = parse(R"({"ref":"r","parent_number":2,"allow_empty":true,
                                "commit_overrides":{"message":"","metadata":{"k":"v"}}})");
  const RevertCreation undone = decode_revert_creation(revert.root());
  EXPECT_EQ(undone.parent_number, 2);
  EXPECT_EQ(undone.commit_overrides.message, "");
  EXPECT_EQ(undone.commit_overrides.metadata->at("k"), "v");

  const auto staged = parse(R"({"staging":{"physical_address":"p"},"checksum":"c","size_bytes":9,
                                "user_metadata":{"u":"v"},"content_type":"t","mtime":3})");
  const StagingMetadata linked = decode_staging_metadata(staged.root());
  EXPECT_EQ(linked.physical_address, "p");
  EXPECT_EQ(linked.size_bytes, 9);
  EXPECT_EQ(linked.mtime, 3);

  const auto setup = parse(R"({"username":"u","firstName":"F",
                               "key":{"access_key_id":"a","secret_access_key":"s"}})");
  EXPECT_EQ(decode_setup(setup.root()).key->second, "s");
  EXPECT_EQ(decode_setup(setup.root()).prefs.first_name, "F");
}

TEST(Decoders, TakeAbsentMembersForDefaults) {
  const auto empty = parse("{}");
  EXPECT_FALSE(decode_merge(empty.root()).squash_merge);
  EXPECT_EQ(decode_cherry_pick_creation(empty.root()).parent_number, std::nullopt);
  EXPECT_EQ(decode_object_copy_creation(empty.root()).src_ref, std::nullopt);
  EXPECT_TRUE(decode_path_list(empty.root()).empty());
}

}  // namespace
}  // namespace tarn::api
