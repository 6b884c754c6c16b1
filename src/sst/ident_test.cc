#include "sst/ident.h"

#include <gtest/gtest.h>

#include "base/bytes.h"

namespace tarn::sst {
namespace {

using Map = std::map<std::string, std::string>;
using List = std::vector<std::string>;

std::string hex(const IdentEncoder& encoder) {
  return to_hex(encoder.bytes());
}

TEST(IdentEncoder, EncodesEveryKindAsTheReferenceDoes) {
  EXPECT_EQ(hex(IdentEncoder().add_int64(1)), "02080000000000000001");
  EXPECT_EQ(hex(IdentEncoder().add_int64(-1)), "0208ffffffffffffffff");
  EXPECT_EQ(hex(IdentEncoder().add_bytes("\xff")), "0002080000000000000001ff");
  EXPECT_EQ(hex(IdentEncoder().add_string("a")), "010208000000000000000161");
  EXPECT_EQ(hex(IdentEncoder().add_string_list(List{"a", "b"})),
            "0302080000000000000002010208000000000000000161010208000000000000000162");
  EXPECT_EQ(hex(IdentEncoder().add_string_list(List{})), "0302080000000000000000");
  EXPECT_EQ(hex(IdentEncoder().add_string_map(Map{{"k", "v"}})),
            "040208000000000000000101020800000000000000016b010208000000000000000176");
  EXPECT_EQ(hex(IdentEncoder().add_string_map(Map{})), "0402080000000000000000");
}

TEST(IdentEncoder, DigestsAnEmptyListToTheIdentityOfNoParents) {
  EXPECT_EQ(IdentEncoder().add_string_list(List{}).hex_digest(),
            "c05d0ae027f29a4a5776bafad29a3b776473f1da64ad40219803783b75286a6d");
}

TEST(IdentEncoder, GivesTheReferenceIdOfACommit) {
  const std::string parents = IdentEncoder().add_string_list(List{"parent1", "parent2"}).digest();
  IdentEncoder commit;
  commit.add_string("stale").clear();
  commit.add_string("commit:v1").add_string("Committer").add_string("message");
  commit.add_string("metarangeId").add_int64(1'000'000'000).add_string_map(Map{{"key", "value"}});
  EXPECT_EQ(commit.add_embedded(parents).hex_digest(),
            "0c5f9d6fde638a6aa82840caf2485bdbe6ad0fc3f220ea88884df9ed99d7cf19");
}

TEST(IdentEncoder, GivesTheReferenceIdentitiesOfEntries) {
  EXPECT_EQ(IdentEncoder()
                .add_int64(4)
                .add_string("eb4585ad9fe0426781ed7c49252f8225")
                .add_string_map(Map{})
                .hex_digest(),
            "6039b184d29379328b5364bb041b9926b4b388dbc326b7dd57f70cefd77b961e");
  EXPECT_EQ(IdentEncoder()
                .add_int64(99)
                .add_string("123456789")
                .add_string_map(Map{{"key9", "value9"}, {"key1", "value1"}})
                .add_string("text/plain")
                .hex_digest(),
            "0ceaaa05d67ce9fd4e6ac0cc5248e7a72e99dfbea7fad11b93f97cc62b2ffaa4");
}

}  // namespace
}  // namespace tarn::sst
