// Trees the reference wrote: read whole, and reached again by the same commits and merges with the
// same ids. Skipped where the fixture is not at hand.
#include <cstdlib>
#include <filesystem>

#include <gtest/gtest.h>

#include "block/fs/fs_object_store.h"
#include "testing/co_test.h"
#include "testing/temp_dir.h"
#include "versioning/committed/tree_test_support.h"

namespace tarn::versioning {
namespace {

struct CommitRow {
  const char* repository;
  const char* base;
  const char* result;
};

constexpr CommitRow kCommits[] = {
    {"big", "414d9bcf68a090cdecd0f047bf59c68fdc4c3d8a94da307f35fea8ad2865c531",
     "5f9788f5d3dcf2aaec5040a43b3a4ef07f067303f539e1947ef6f2fba8f63b13"},
    {"big", "414d9bcf68a090cdecd0f047bf59c68fdc4c3d8a94da307f35fea8ad2865c531",
     "a2ae5483037033bb87d6c1956f99f6d8734edc30ecface8df77406475e3d232e"},
    {"quick", "", "16c673919e1fed125928006efb585c78210b0541dd46e8cf07f99ea733424011"},
    {"quick", "16c673919e1fed125928006efb585c78210b0541dd46e8cf07f99ea733424011",
     "638023c0b6635a9ed05f7468c46ad4c96f02599056f7cd6f080b37a56d6eadc9"},
    {"quick", "16c673919e1fed125928006efb585c78210b0541dd46e8cf07f99ea733424011",
     "9c6f11846b9fa634268b934ab021bf770836326f129cbdbf006d51adad010379"},
    {"quick", "16c673919e1fed125928006efb585c78210b0541dd46e8cf07f99ea733424011",
     "63e231ac229612ed0d7145d5b8481d7800935c8c9b96960dff550833450eb054"},
    {"quick", "16c673919e1fed125928006efb585c78210b0541dd46e8cf07f99ea733424011",
     "0b2b1a21e976a4dffef0dea39390bd773f5a5419ab27e868d498c59d6aac57dd"},
    {"quick", "16c673919e1fed125928006efb585c78210b0541dd46e8cf07f99ea733424011",
     "638023c0b6635a9ed05f7468c46ad4c96f02599056f7cd6f080b37a56d6eadc9"},
    {"quick", "0b2b1a21e976a4dffef0dea39390bd773f5a5419ab27e868d498c59d6aac57dd",
     "c8f590fdc4113af1e5e72f3056e76575686c97c4fac50372a005d2ae0b917ff8"},
    {"quick", "638023c0b6635a9ed05f7468c46ad4c96f02599056f7cd6f080b37a56d6eadc9",
     "638023c0b6635a9ed05f7468c46ad4c96f02599056f7cd6f080b37a56d6eadc9"},
    {"quick", "c8f590fdc4113af1e5e72f3056e76575686c97c4fac50372a005d2ae0b917ff8",
     "9f8d46117556ebb333d5dbe8e222b017ba65d0ff29811c8353336d5677652451"},
    {"quick", "223136461e50c389f4d9e77c61e99935a04505efeba542bea8b62dd78387cf9e",
     "f34b6c99cfca5a0dcfad9f70415b4e60e963e68dcf93145a4d7c51919dc4e300"},
    {"quick", "f34b6c99cfca5a0dcfad9f70415b4e60e963e68dcf93145a4d7c51919dc4e300",
     "cfe6ef68058d1c7cf55ec34f3c77899921e14f7ccdb1c99c3ce045f3b2f98922"},
    {"quick", "c7b421343b43543d5a92b26202a593a537c74b46fe5aeb1ce7b1caacff47ee49",
     "3ae3c6f83a535d7d0664a1c292d35ecb6551ed946619cf551aeebdae19c6f7b7"},
    {"quick", "c7b421343b43543d5a92b26202a593a537c74b46fe5aeb1ce7b1caacff47ee49",
     "e8a66683981baa4e2d5fcbf2611e872ca5288fc11d5b3aa392f982f0c02d51d3"},
    {"quick", "e8a66683981baa4e2d5fcbf2611e872ca5288fc11d5b3aa392f982f0c02d51d3",
     "1e46bc49cddd6d8076172653424d155b08a91f9a9926cb6b0c738edb2dc70553"},
    {"quick", "1e46bc49cddd6d8076172653424d155b08a91f9a9926cb6b0c738edb2dc70553",
     "d53ddd50a2d52ff065fbb73a4393883aa995e1248ac04ba729c3ddd89e93f58c"},
    {"imported", "8df81d30e6c401b485bccf79bd909c1097bd347e326045e38f44c2477ed96748",
     "619cec000abea1661de280a6f8f6fd0122e0f7eef9eb024ec6ab3a6e9f2f036d"},
};

struct MergeRow {
  const char* repository;
  const char* destination;
  const char* source;
  const char* base;
  MergeStrategy strategy;
  const char* result;
};

constexpr MergeRow kMerges[] = {
    {"big", "a2ae5483037033bb87d6c1956f99f6d8734edc30ecface8df77406475e3d232e",
     "5f9788f5d3dcf2aaec5040a43b3a4ef07f067303f539e1947ef6f2fba8f63b13",
     "414d9bcf68a090cdecd0f047bf59c68fdc4c3d8a94da307f35fea8ad2865c531", MergeStrategy::none,
     "a17a81f35ed124c07c0e0981a6f1756a35c169fc9c46b4af5c82418d7c5620e4"},
    {"quick", "9c6f11846b9fa634268b934ab021bf770836326f129cbdbf006d51adad010379",
     "638023c0b6635a9ed05f7468c46ad4c96f02599056f7cd6f080b37a56d6eadc9",
     "16c673919e1fed125928006efb585c78210b0541dd46e8cf07f99ea733424011", MergeStrategy::none,
     "223136461e50c389f4d9e77c61e99935a04505efeba542bea8b62dd78387cf9e"},
    {"quick", "223136461e50c389f4d9e77c61e99935a04505efeba542bea8b62dd78387cf9e",
     "9f8d46117556ebb333d5dbe8e222b017ba65d0ff29811c8353336d5677652451",
     "16c673919e1fed125928006efb585c78210b0541dd46e8cf07f99ea733424011", MergeStrategy::none,
     "f34b6c99cfca5a0dcfad9f70415b4e60e963e68dcf93145a4d7c51919dc4e300"},
    {"quick", "cfe6ef68058d1c7cf55ec34f3c77899921e14f7ccdb1c99c3ce045f3b2f98922",
     "63e231ac229612ed0d7145d5b8481d7800935c8c9b96960dff550833450eb054",
     "16c673919e1fed125928006efb585c78210b0541dd46e8cf07f99ea733424011", MergeStrategy::source_wins,
     "c7b421343b43543d5a92b26202a593a537c74b46fe5aeb1ce7b1caacff47ee49"},
    {"quick", "3ae3c6f83a535d7d0664a1c292d35ecb6551ed946619cf551aeebdae19c6f7b7",
     "c7b421343b43543d5a92b26202a593a537c74b46fe5aeb1ce7b1caacff47ee49",
     "3ae3c6f83a535d7d0664a1c292d35ecb6551ed946619cf551aeebdae19c6f7b7", MergeStrategy::none,
     "c7b421343b43543d5a92b26202a593a537c74b46fe5aeb1ce7b1caacff47ee49"},
};

struct TreeRow {
  const char* repository;
  const char* id;
  int count;
};

constexpr TreeRow kTrees[] = {
    {"big", "", 0},
    {"big", "5f9788f5d3dcf2aaec5040a43b3a4ef07f067303f539e1947ef6f2fba8f63b13", 200001},
    {"big", "414d9bcf68a090cdecd0f047bf59c68fdc4c3d8a94da307f35fea8ad2865c531", 200000},
    {"big", "a17a81f35ed124c07c0e0981a6f1756a35c169fc9c46b4af5c82418d7c5620e4", 200002},
    {"big", "a2ae5483037033bb87d6c1956f99f6d8734edc30ecface8df77406475e3d232e", 200001},
    {"quick", "1e46bc49cddd6d8076172653424d155b08a91f9a9926cb6b0c738edb2dc70553", 27},
    {"quick", "cfe6ef68058d1c7cf55ec34f3c77899921e14f7ccdb1c99c3ce045f3b2f98922", 22},
    {"quick", "d53ddd50a2d52ff065fbb73a4393883aa995e1248ac04ba729c3ddd89e93f58c", 28},
    {"quick", "c8f590fdc4113af1e5e72f3056e76575686c97c4fac50372a005d2ae0b917ff8", 20},
    {"quick", "223136461e50c389f4d9e77c61e99935a04505efeba542bea8b62dd78387cf9e", 19},
    {"quick", "9c6f11846b9fa634268b934ab021bf770836326f129cbdbf006d51adad010379", 19},
    {"quick", "f34b6c99cfca5a0dcfad9f70415b4e60e963e68dcf93145a4d7c51919dc4e300", 22},
    {"quick", "16c673919e1fed125928006efb585c78210b0541dd46e8cf07f99ea733424011", 18},
    {"quick", "c7b421343b43543d5a92b26202a593a537c74b46fe5aeb1ce7b1caacff47ee49", 22},
    {"quick", "638023c0b6635a9ed05f7468c46ad4c96f02599056f7cd6f080b37a56d6eadc9", 18},
    {"quick", "63e231ac229612ed0d7145d5b8481d7800935c8c9b96960dff550833450eb054", 18},
    {"quick", "0b2b1a21e976a4dffef0dea39390bd773f5a5419ab27e868d498c59d6aac57dd", 19},
    {"quick", "3ae3c6f83a535d7d0664a1c292d35ecb6551ed946619cf551aeebdae19c6f7b7", 23},
    {"quick", "e8a66683981baa4e2d5fcbf2611e872ca5288fc11d5b3aa392f982f0c02d51d3", 26},
    {"quick", "9f8d46117556ebb333d5dbe8e222b017ba65d0ff29811c8353336d5677652451", 21},
    {"imported", "619cec000abea1661de280a6f8f6fd0122e0f7eef9eb024ec6ab3a6e9f2f036d", 3},
    {"imported", "8df81d30e6c401b485bccf79bd909c1097bd347e326045e38f44c2477ed96748", 3},
};

std::filesystem::path archive() {
  const char* shared = std::getenv("TARN_SHARED");
  const std::filesystem::path root = shared != nullptr ? shared : "../shared";
  return root / "fixtures/lakefs-1.84-postgres/blocks.tar.xz";
}

/// The fixture's block store, unpacked, and a Committed over it.
class FixtureTrees : public ::testing::Test {
 public:
  void SetUp() override {
    if (!std::filesystem::exists(archive())) {
      GTEST_SKIP() << "no fixture at " << archive() << "; set TARN_SHARED";
    }
    const std::string command = "tar -xJf '" + archive().string() + "' -C '" + dir.str() +
                                "' ./big/_lakefs ./quick/_lakefs ./imported/_lakefs";
    ASSERT_EQ(std::system(command.c_str()), 0);
    objects = ::tarn::testing::run_co([this](Context& ctx) {
      return block::FsObjectStore::open(ctx, {.root = dir.str(), .sync = false}, pool);
    });
    committed = std::make_unique<Committed>(*objects, pool, CommittedConfig{});
  }

  void TearDown() override {
    if (objects) ::tarn::testing::run_co([this] { return objects->close(); });
  }

  ::tarn::testing::TempDir dir;
  io::BlockingPool pool{{.name = "test", .threads = 2}};
  std::unique_ptr<block::FsObjectStore> objects;
  std::unique_ptr<Committed> committed;
};

std::string space_of(const char* repository) {
  return std::string("local://") + repository;
}

/// A diff as the changes that make its right side of its left.
class DiffAsChanges final : public RecordStream {
 public:
  explicit DiffAsChanges(std::unique_ptr<DiffStream> diff) : diff_(std::move(diff)) {}

  bool next() override { return diff_->next() && take(); }

  Task<bool> fill(Context& ctx) override { co_return co_await diff_->fill(ctx) && take(); }

  void seek(std::string_view key) override { diff_->seek(key); }

  const RecordView& record() const override { return record_; }

 private:
  bool take() {
    const Difference& d = diff_->difference();
    record_ = {.key = d.key,
               .identity = d.value.identity,
               .data = d.value.data,
               .tombstone = d.type == DiffType::removed};
    return true;
  }

  std::unique_ptr<DiffStream> diff_;
  RecordView record_;
};

CO_TEST_F(FixtureTrees, AreReadWhole) {
  for (const TreeRow& row : kTrees) {
    const auto stream = self.committed->open(space_of(row.repository), row.id);
    int count = 0;
    std::string last;
    while (stream->next() || co_await stream->fill(ctx)) {
      if (count++ > 0 && stream->record().key <= last) break;
      last = stream->record().key;
    }
    EXPECT_EQ(count, row.count) << row.id;
  }
}

CO_TEST_F(FixtureTrees, AreReachedByTheSameCommits) {
  for (const CommitRow& row : kCommits) {
    const std::string space = space_of(row.repository);
    DiffAsChanges changes(self.committed->diff(space, row.base, row.result));
    const ApplyResult result = co_await self.committed->apply(ctx, space, row.base, changes);
    EXPECT_EQ(result.id, row.result) << "on " << row.base;
  }
}

CO_TEST_F(FixtureTrees, AreReachedByTheSameMerges) {
  for (const MergeRow& row : kMerges) {
    const TreeMergeResult result = co_await self.committed->merge(
        ctx, space_of(row.repository), row.destination, row.source, row.base, row.strategy);
    EXPECT_EQ(result.id, row.result) << row.source << " into " << row.destination;
  }
}

}  // namespace
}  // namespace tarn::versioning
