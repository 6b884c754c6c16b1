#include "app/protobuf_log.h"

#include <algorithm>
#include <fstream>
#include <iterator>

#include <google/protobuf/stubs/logging.h>
#include <gtest/gtest.h>

#include "base/log.h"
#include "testing/temp_dir.h"

namespace tarn::app {
namespace {

TEST(ProtobufLog, GoesToOurLogWithoutItsWordsAndNotOften) {
  const tarn::testing::TempDir dir;
  const std::string path = dir.file("log");
  log::configure({.output = path});
  redirect_protobuf_log();
  for (int i = 0; i < 100; ++i)
    GOOGLE_LOG(ERROR) << "field 'name' holds secret";
  log::configure({});
  std::ifstream file(path);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  EXPECT_NE(text.find("protobuf refused a record"), std::string::npos);
  EXPECT_NE(text.find(" warn "), std::string::npos);
  EXPECT_EQ(text.find("secret"), std::string::npos);
  EXPECT_LE(std::ranges::count(text, '\n'), 2);
}

}  // namespace
}  // namespace tarn::app
