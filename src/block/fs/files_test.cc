#include "block/fs/files.h"

#include <cerrno>
#include <filesystem>
#include <fstream>

#include <fcntl.h>

#include <gtest/gtest.h>

#include "testing/temp_dir.h"

namespace tarn::block::fs {
namespace {

/// open() by openat2 and without it must agree on what is refused.
class OpenBeneath : public ::testing::TestWithParam<bool> {
 public:
  OpenBeneath() {
    std::filesystem::create_directories(dir.file("root/a/b"));
    std::ofstream(dir.file("root/a/b/file")) << "x";
    std::ofstream(dir.file("secret")) << "x";
    std::filesystem::create_symlink(dir.file("secret"), dir.file("root/a/link"));
    std::filesystem::create_directory_symlink("b", dir.file("root/a/dirlink"));
    std::filesystem::create_directory_symlink(dir.path(), dir.file("root/up"));
    root = Fd(::open(dir.file("root").c_str(), O_RDONLY | O_DIRECTORY));
  }

  bool opens(const std::string& path, int flags) const {
    const Fd fd(GetParam() ? system_files().open(root.get(), path, flags)
                           : open_stepwise(root.get(), path, flags, 0));
    return static_cast<bool>(fd);
  }

  tarn::testing::TempDir dir;
  Fd root;
};

TEST_P(OpenBeneath, OpensWhatIsBelow) {
  EXPECT_TRUE(opens("a/b/file", O_RDONLY));
  EXPECT_TRUE(opens("a/b/file", O_PATH));
  EXPECT_TRUE(opens("a/b", O_RDONLY | O_DIRECTORY));
  EXPECT_FALSE(opens("a/b/none", O_RDONLY));
  EXPECT_FALSE(opens("a/b/file/x", O_RDONLY));
}

TEST_P(OpenBeneath, FollowsNoLinkAndNoWayUp) {
  for (const int flags : {O_RDONLY, O_PATH}) {
    for (const char* path : {"a/link", "a/dirlink/file", "a/dirlink", "up/secret",
                             "up/root/a/b/file", "../secret", "a/../../secret", "a/.."}) {
      if (std::string_view(path) == "a/.." && GetParam()) continue;  // stays inside: allowed
      EXPECT_FALSE(opens(path, flags)) << path;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Ways, OpenBeneath, ::testing::Values(true, false),
                         [](const auto& info) { return info.param ? "Openat2" : "Stepwise"; });

TEST(ThrowErrno, SortsTheFailuresAClientCanActOn) {
  const auto code_of = [](int error) {
    try {
      throw_errno(error, "test");
    } catch (const Error& thrown) {
      return thrown.code();
    }
  };
  EXPECT_EQ(code_of(ENOSPC), ErrorCode::storage_full);
  EXPECT_EQ(code_of(EDQUOT), ErrorCode::storage_full);
  EXPECT_EQ(code_of(EROFS), ErrorCode::unavailable);
  EXPECT_EQ(code_of(ENAMETOOLONG), ErrorCode::invalid_argument);
  EXPECT_EQ(code_of(ELOOP), ErrorCode::invalid_argument);
  EXPECT_EQ(code_of(EMFILE), ErrorCode::unavailable);
  EXPECT_EQ(code_of(EIO), ErrorCode::internal);
}

}  // namespace
}  // namespace tarn::block::fs
