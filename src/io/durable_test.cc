#include "io/durable.h"

#include <filesystem>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "base/error.h"
#include "testing/temp_dir.h"

namespace tarn::io {
namespace {

std::string text_of(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

ErrorCode failure_of(const std::string& directory) {
  try {
    make_directory_durable(directory);
  } catch (const Error& error) {
    return error.code();
  }
  return ErrorCode::internal;
}

TEST(Durable, MakesWhatIsMissingAndTakesWhatIsThere) {
  const testing::TempDir dir;
  for (const char* name : {"a", "b/c/d", "b/c/", "b/../e", "."}) {
    make_directory_durable(dir.file(name));
    EXPECT_TRUE(std::filesystem::is_directory(dir.file(name))) << name;
  }
}

TEST(Durable, RefusesADirectoryWhereAFileIs) {
  const testing::TempDir dir;
  write_file_durable(dir.file("a"), "x");
  EXPECT_EQ(failure_of(dir.file("a")), ErrorCode::unavailable);
  EXPECT_EQ(failure_of(dir.file("a/b")), ErrorCode::unavailable);
}

TEST(Durable, ReplacesAFileAndLeavesNoOther) {
  const testing::TempDir dir;
  write_file_durable(dir.file("a"), "a longer text");
  write_file_durable(dir.file("a"), "short");
  EXPECT_EQ(text_of(dir.file("a")), "short");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(dir.path()), {}), 1);
  using std::filesystem::perms;
  EXPECT_EQ(std::filesystem::status(dir.file("a")).permissions(),
            perms::owner_read | perms::owner_write);
}

TEST(Durable, SaysWhereAFileCannotBeWritten) {
  const testing::TempDir dir;
  try {
    write_file_durable(dir.file("none/a"), "x");
    ADD_FAILURE() << "was written";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::unavailable);
    EXPECT_NE(error.message().find("none/a"), std::string::npos);
  }
}

}  // namespace
}  // namespace tarn::io
