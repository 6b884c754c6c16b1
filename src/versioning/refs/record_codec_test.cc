#include "versioning/refs/record_codec.h"

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/error.h"
#include "versioning/testing/records.h"

namespace tarn::versioning {
namespace {

using testing::commit_id;
using testing::make_branch;
using testing::make_commit;
using testing::make_repository;

template <class F>
std::optional<ErrorCode> code_of(F f) {
  try {
    f();
  } catch (const Error& error) {
    return error.code();
  }
  return std::nullopt;
}

TEST(RecordCodec, KeepsRepositories) {
  Repository repository = make_repository();
  repository.state = RepositoryState::in_deletion;
  repository.read_only = true;
  repository.storage_id = "cold";
  const Repository read = decode_repository(encode_repository(repository));
  EXPECT_EQ(read.id, repository.id);
  EXPECT_EQ(read.storage_namespace, repository.storage_namespace);
  EXPECT_EQ(read.default_branch, repository.default_branch);
  EXPECT_EQ(read.creation_date, repository.creation_date);
  EXPECT_EQ(read.state, repository.state);
  EXPECT_EQ(read.instance_uid, repository.instance_uid);
  EXPECT_TRUE(read.read_only);
  EXPECT_EQ(read.storage_id, "cold");
}

TEST(RecordCodec, KeepsBranchesAndTheOrderOfSealedTokens) {
  Branch branch = make_branch("main", "t3");
  branch.sealed_tokens = {"t2", "t1"};
  branch.hidden = true;
  const Branch read = decode_branch(encode_branch(branch));
  EXPECT_EQ(read.id, branch.id);
  EXPECT_EQ(read.commit_id, branch.commit_id);
  EXPECT_EQ(read.staging_token, "t3");
  EXPECT_EQ(read.sealed_tokens, branch.sealed_tokens);
  EXPECT_TRUE(read.hidden);
}

TEST(RecordCodec, KeepsCommitsWithNanosecondsAndYearOne) {
  Commit commit = make_commit("c", {.parents = {"p1", "p2"}, .generation = 7});
  commit.creation_date = {.seconds = -62'135'596'800, .nanos = 999'999'999};
  commit.metadata = {{"b", "2"}, {"a", "1"}};
  commit.version = 0;
  const Commit read = decode_commit(encode_commit(commit));
  EXPECT_EQ(read.id, commit.id);
  EXPECT_EQ(read.creation_date, commit.creation_date);
  EXPECT_EQ(read.metadata, commit.metadata);
  EXPECT_EQ(read.parents, commit.parents);
  EXPECT_EQ(read.version, 0);
  EXPECT_EQ(read.generation, 7);
}

TEST(RecordCodec, WritesMapsInKeyOrder) {
  EXPECT_EQ(to_hex(encode_repo_metadata({{"b", "2"}, {"a", "1"}})),
            "0a060a016112013"
            "10a060a0162120132");
}

TEST(RecordCodec, WritesFieldsAsTheReferenceDoes) {
  // Field 1 id, field 2 commit id; defaults left out.
  EXPECT_EQ(to_hex(encode_tag(
                {.id = TagId::from_stored("v1"), .commit_id = CommitId::from_stored("ab")})),
            "0a02763112026162");
  // Actions packed, staging write first.
  EXPECT_EQ(to_hex(encode_protection_rules(
                {{{"main", {BlockedAction::staging_write, BlockedAction::commit}}}})),
            "0a0c0a046d61696e12040a020001");
}

TEST(RecordCodec, KeepsProtectionRules) {
  const ProtectionRules rules{
      {{"main", {BlockedAction::staging_write, BlockedAction::commit}}, {"x*", {}}}};
  EXPECT_EQ(decode_protection_rules(encode_protection_rules(rules)).rules, rules.rules);
  EXPECT_TRUE(decode_protection_rules("").rules.empty());
}

TEST(RecordCodec, RefusesInvalidUtf8BeforeWriting) {
  Commit commit = make_commit("c", {});
  commit.message = "\xff";
  EXPECT_EQ(code_of([&] { encode_commit(commit); }), ErrorCode::invalid_argument);
  EXPECT_EQ(code_of([] { encode_repo_metadata({{"k", "\xc3"}}); }), ErrorCode::invalid_argument);
  EXPECT_EQ(code_of([] { encode_repo_metadata({{"\xc3", "v"}}); }), ErrorCode::invalid_argument);
}

TEST(RecordCodec, ReportsCorruptRecords) {
  EXPECT_EQ(code_of([] { decode_branch("\x0a\x7f"); }), ErrorCode::corrupt);
  EXPECT_EQ(code_of([] { decode_commit("\x0a\x01\xff"); }), ErrorCode::corrupt);  // not UTF-8
  EXPECT_EQ(code_of([] { decode_repository(from_hex("2807").value()); }), ErrorCode::corrupt);
  EXPECT_EQ(code_of([] { decode_commit(from_hex("22061080ffffff0f").value()); }),
            ErrorCode::corrupt);
  EXPECT_EQ(code_of([] { decode_protection_rules(from_hex("0a080a016d12030a0105").value()); }),
            ErrorCode::corrupt);
}

}  // namespace
}  // namespace tarn::versioning
