#include "app/backup_set.h"

#include <filesystem>
#include <fstream>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "testing/temp_dir.h"

namespace tarn::app {
namespace {

namespace stdfs = std::filesystem;

const std::string kHash = to_hex(sha256("x"));

std::string without_newline(std::string text) {
  text.pop_back();
  return text;
}

TEST(BackupSums, LinesComeBackWhateverTheName) {
  for (const char* path : {"objects/a b", "objects/line\nbreak", "objects/back\\slash\\n", "a"}) {
    const auto parsed = parse_sum(without_newline(encode_sum({.sha256 = kHash, .path = path})));
    ASSERT_TRUE(parsed.has_value()) << path;
    EXPECT_EQ(parsed->path, path);
    EXPECT_EQ(parsed->sha256, kHash);
  }
  EXPECT_EQ(encode_sum({.sha256 = kHash, .path = "plain"}), kHash + "  plain\n");
  EXPECT_EQ(encode_sum({.sha256 = kHash, .path = "a\nb"}), "\\" + kHash + "  a\\nb\n");
}

TEST(BackupSums, PathsThatLeaveTheBackupAreRefused) {
  for (const char* path :
       {"", "/etc/passwd", "..", "objects/../../x", "./x", "objects/.", "a//../b"}) {
    EXPECT_FALSE(parse_sum(kHash + "  " + path).has_value()) << path;
  }
  for (const std::string& line :
       {std::string(), kHash, kHash + " x", kHash.substr(1) + "   x", "\\" + kHash + "  a\\x",
        "\\" + kHash + "  a\\", std::string(64, 'G') + "  x"}) {
    EXPECT_FALSE(parse_sum(line).has_value()) << line;
  }
}

TEST(BackupManifest, ComesBackAndRefusesDamage) {
  const Manifest manifest{.created = "2026-11-21T10:00:00Z",
                          .version = "0.1.0",
                          .objects = true,
                          .secret = false,
                          .files = 3,
                          .bytes = 4'000'000'000,
                          .sums_sha256 = kHash};
  const std::string text = encode_manifest(manifest);
  const auto parsed = parse_manifest(text);
  ASSERT_TRUE(parsed.has_value());
  EXPECT_TRUE(*parsed == manifest);
  EXPECT_FALSE(parse_manifest("").has_value());
  EXPECT_FALSE(parse_manifest("tarn backup 2\n" + text.substr(text.find('\n') + 1)).has_value());
  EXPECT_FALSE(parse_manifest(text.substr(0, text.size() - 10)).has_value());
}

TEST(BackupFiles, CopiesHashesAndKeepsTimes) {
  const testing::TempDir dir;
  const std::string bytes(700'000, 'b');
  std::ofstream(dir.file("from")) << bytes;
  const auto long_ago = stdfs::file_time_type::clock::now() - std::chrono::hours(100);
  stdfs::last_write_time(dir.file("from"), long_ago);
  const auto copied = copy_hashed(dir.file("from"), dir.path() / "deep" / "er" / "to");
  ASSERT_TRUE(copied.has_value());
  EXPECT_EQ(copied->bytes, bytes.size());
  EXPECT_EQ(copied->sha256, to_hex(sha256(bytes)));
  EXPECT_EQ(hash_file(dir.path() / "deep" / "er" / "to").sha256, copied->sha256);
  EXPECT_EQ(stdfs::last_write_time(dir.path() / "deep" / "er" / "to"), long_ago);
  EXPECT_FALSE(copy_hashed(dir.file("gone"), dir.file("x")).has_value());
  EXPECT_THROW(copy_hashed(dir.file("from"), dir.path() / "deep" / "er" / "to"), Error);
}

TEST(BackupFiles, WalkSkipsWhatItIsToldAndWhatIsNoFile) {
  const testing::TempDir dir;
  stdfs::create_directories(dir.path() / ".tarn" / "tmp");
  stdfs::create_directories(dir.path() / "a" / ".tarn");
  for (const char* name : {".tarn/tmp/half", "a/.tarn/x", "b"})
    std::ofstream(dir.path() / name) << "x";
  stdfs::create_symlink("/etc/passwd", dir.path() / "link");
  std::set<std::string> seen;
  for_each_file(dir.path(), ".tarn", [&](const stdfs::path& path) { seen.insert(path.string()); });
  EXPECT_EQ(seen, (std::set<std::string>{"a/.tarn/x", "b"}));
}

}  // namespace
}  // namespace tarn::app
