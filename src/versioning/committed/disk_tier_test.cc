#include "versioning/committed/disk_tier.h"

#include <fstream>

#include <gtest/gtest.h>

#include "testing/temp_dir.h"

namespace tarn::versioning {
namespace {

namespace fs = std::filesystem;

void keep(DiskTier& tier, const std::string& name, std::string_view bytes) {
  DiskTier::Draft draft = tier.create_blocking(name);
  draft.write_blocking(bytes);
  tier.keep_blocking(std::move(draft));
}

TEST(DiskTier, ReadsWhatWasKept) {
  ::tarn::testing::TempDir dir;
  const auto tier = DiskTier::open_blocking(dir.path(), 1000);
  keep(*tier, "a", "hello world");
  EXPECT_TRUE(tier->contains("a"));
  EXPECT_EQ(tier->size("a"), 11U);
  EXPECT_EQ(tier->read_blocking("a", 6, 5), "world");
  EXPECT_EQ(tier->read_blocking("a", 6, 6), std::nullopt);
  EXPECT_EQ(tier->read_blocking("b", 0, 1), std::nullopt);
}

TEST(DiskTier, DropsTheLeastRecentlyReadWhenFull) {
  ::tarn::testing::TempDir dir;
  const auto tier = DiskTier::open_blocking(dir.path(), 25);
  keep(*tier, "a", "0123456789");
  keep(*tier, "b", "0123456789");
  EXPECT_TRUE(tier->read_blocking("a", 0, 1));
  keep(*tier, "c", "0123456789");
  EXPECT_FALSE(tier->contains("b"));
  EXPECT_TRUE(tier->contains("a"));
  EXPECT_LE(tier->bytes(), 25U);
  EXPECT_FALSE(fs::exists(dir.path() / "files" / "b"));
}

TEST(DiskTier, ForgetsADraftThatIsNotKept) {
  ::tarn::testing::TempDir dir;
  const auto tier = DiskTier::open_blocking(dir.path(), 1000);
  {
    DiskTier::Draft draft = tier->create_blocking("a");
    draft.write_blocking("half");
  }
  EXPECT_FALSE(tier->contains("a"));
  EXPECT_TRUE(fs::is_empty(dir.path() / "tmp"));
}

TEST(DiskTier, TakesOverWholeFilesAndWipesHalfWrittenOnes) {
  ::tarn::testing::TempDir dir;
  {
    const auto tier = DiskTier::open_blocking(dir.path(), 1000);
    keep(*tier, "a", "hello");
  }
  std::ofstream(dir.path() / "tmp" / "left-over") << "half";
  const auto tier = DiskTier::open_blocking(dir.path(), 1000);
  EXPECT_EQ(tier->read_blocking("a", 0, 5), "hello");
  EXPECT_EQ(tier->bytes(), 5U);
  EXPECT_TRUE(fs::is_empty(dir.path() / "tmp"));
}

TEST(DiskTier, GivesNothingForAFileThatVanished) {
  ::tarn::testing::TempDir dir;
  const auto tier = DiskTier::open_blocking(dir.path(), 1000);
  keep(*tier, "a", "hello");
  fs::remove(dir.path() / "files" / "a");
  EXPECT_EQ(tier->read_blocking("a", 0, 5), std::nullopt);
}

TEST(DiskTier, NamesDifferByNamespaceAndStayInTheDirectory) {
  EXPECT_NE(DiskTier::name_of("local://a", "id"), DiskTier::name_of("local://b", "id"));
  EXPECT_EQ(DiskTier::name_of("local://../../x", "id").find('/'), std::string::npos);
}

}  // namespace
}  // namespace tarn::versioning
