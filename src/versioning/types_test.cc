#include "versioning/types.h"

#include <gtest/gtest.h>

namespace tarn::versioning {
namespace {

Commit commit_of(std::string committer, std::string message, std::string metarange,
                 std::int64_t seconds, Metadata metadata, std::vector<std::string> parents) {
  Commit commit{.id = CommitId::from_stored(""),
                .committer = std::move(committer),
                .message = std::move(message),
                .creation_date = {.seconds = seconds, .nanos = 0},
                .meta_range_id = std::move(metarange),
                .metadata = std::move(metadata)};
  for (std::string& parent : parents) {
    commit.parents.push_back(CommitId::from_stored(std::move(parent)));
  }
  return commit;
}

std::string last_of_chain(std::int64_t step_seconds, int length) {
  std::vector<std::string> parents;
  for (int i = 0; i < length; ++i) {
    const Commit commit = commit_of("user1", "message1", "deadbeef123",
                                    1'606'834'800 + i * step_seconds, {{"foo", "bar"}}, parents);
    parents = {compute_commit_id(commit).str()};
  }
  return parents.front();
}

// storage-format.md 9.2
TEST(CommitIds, FollowFromContentAsInTheFormat) {
  EXPECT_EQ(compute_commit_id(commit_of("some-committer", "I just committed", "123456789987654321",
                                        1'611'501'012,
                                        {{"sdkafjnb", "1234"}, {"sdkjvcnbkjndsc", "asnjkdl"}},
                                        {"132456987153687sdfsdf", "1324569csfvdkjhcsdkjc"}))
                .str(),
            "f1a106bbeb12d3eb54418d6000f4507501d289d0d0879dcce6f4d31425587df1");
  EXPECT_EQ(compute_commit_id(commit_of("user1", "message1", "deadbeef123", -62'135'596'800,
                                        {{"foo", "bar"}}, {"deadbeef1", "deadbeef12"}))
                .str(),
            "2277b5abd2d3ba6b4d35c48a0e358b0c4bcf5cd6d891c67437fb4c4af0d2fd4b");
  EXPECT_EQ(compute_commit_id(commit_of("Committer", "message", "metarangeId", 1'000'000'000,
                                        {{"key", "value"}}, {"parent1", "parent2"}))
                .str(),
            "0c5f9d6fde638a6aa82840caf2485bdbe6ad0fc3f220ea88884df9ed99d7cf19");
  EXPECT_EQ(compute_commit_id(commit_of("", "Repository created", "", 1'700'000'000, {}, {})).str(),
            "e7720703b5e19f0c37c665b0bf14fc291522d882cd951d854edb8b1f1c33689d");
}

TEST(CommitIds, ChainAsInTheFormat) {
  EXPECT_EQ(last_of_chain(1, 1),
            "fac53a04432b2e6e7185f3ac8314a874c556b2557adf3aa8d5b1df985cf96566");
  EXPECT_EQ(last_of_chain(1, 20),
            "663b7520a2a05aaeed17de6136fa80eb5cd8417982011eb551230571ee412f2f");
  EXPECT_EQ(last_of_chain(60, 20),
            "de85cde9a3871433ed0afad67d6505aef3b3a779223916be237b44bbdc1b65ed");
}

TEST(CommitIds, IgnoreNanosecondsVersionAndGeneration) {
  Commit commit = commit_of("a", "b", "c", 7, {}, {});
  const CommitId id = compute_commit_id(commit);
  commit.creation_date.nanos = 123;
  commit.version = 0;
  commit.generation = 9;
  EXPECT_EQ(compute_commit_id(commit), id);
}

}  // namespace
}  // namespace tarn::versioning
