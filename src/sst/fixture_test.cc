// Every range and metarange a lakeFS installation wrote reads, and rewrites to the same bytes under
// the same name. The files: ../shared/fixtures beside the project, or $TARN_SHARED/fixtures; or a
// folder tree of any installation's files in $TARN_SST_FILES.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

#include "base/format.h"
#include "sst/table_testing.h"
#include "sst/value.h"
#include "testing/temp_dir.h"

namespace tarn::sst {
namespace {

namespace fs = std::filesystem;

std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

bool is_table_name(const std::string& name) {
  return name.size() == 64 && name.find_first_not_of("0123456789abcdef") == std::string::npos;
}

void expect_rewrites_to_itself(const fs::path& path) {
  SCOPED_TRACE(path.string());
  const std::string file = read_file(path);
  const TableView view(file);
  EXPECT_EQ(compute_table_id(view), path.filename().string());
  const Properties& properties = view.index().properties();
  TableWriter full({.properties = hashed_properties(properties)});
  TableWriter offered({.properties = hashed_properties(properties)});
  for (TableView::Iterator at(view); at.next();) {
    full.add(at.key(), at.value());
    offered.add(at.key(), at.value());
    if (at.at_block_end()) {
      offered.offer_stored_block(at.block_payload(), view.stored_block(at.block()));
    }
    const ValueView value = decode_value(at.value());
    if (view.index().property("type") == kTypeMetaranges) {
      EXPECT_EQ(value.identity.size(), 64U);
      const RangeData range = decode_range_data(value.data);
      EXPECT_EQ(range.max_key, at.key());
      EXPECT_EQ(encode_value(value.identity, encode_range_data(range)), at.value());
    } else {
      EXPECT_EQ(value.identity.size(), 32U);
    }
  }
  const TableResult written = full.finish();
  EXPECT_EQ(written.id, path.filename().string());
  EXPECT_EQ(std::to_string(written.estimated_size), view.index().property("estimated_size_bytes"));
  EXPECT_TRUE(written.bytes == file);
  EXPECT_TRUE(offered.finish().bytes == file);
}

int rewrite_all(const fs::path& root) {
  int files = 0;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(root)) {
    if (!entry.is_regular_file() || !is_table_name(entry.path().filename().string())) continue;
    expect_rewrites_to_itself(entry.path());
    ++files;
  }
  return files;
}

TEST(Fixture, RewritesEveryFileOfAnInstallationToTheSameBytes) {
  const char* shared = std::getenv("TARN_SHARED");
  const fs::path archive = fs::path(shared == nullptr ? "../shared" : shared) /
                           "fixtures/lakefs-1.84-postgres/blocks.tar.xz";
  if (!fs::exists(archive)) {
    GTEST_SKIP() << "no fixture at " << archive << ": set TARN_SHARED";
  }
  const tarn::testing::TempDir dir;
  const std::string command = format("tar -xJf '{}' -C '{}'", archive.string(), dir.str());
  ASSERT_EQ(std::system(command.c_str()), 0) << command;
  EXPECT_EQ(rewrite_all(dir.path()), 48);
}

TEST(Fixture, RewritesTheFilesItIsGiven) {
  const char* root = std::getenv("TARN_SST_FILES");
  if (root == nullptr) GTEST_SKIP() << "set TARN_SST_FILES to a folder of range files";
  EXPECT_GT(rewrite_all(root), 0);
}

}  // namespace
}  // namespace tarn::sst
