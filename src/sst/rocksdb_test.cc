// RocksDB's own reader as a second opinion on the files we write.
#include <algorithm>
#include <fstream>

#include <gtest/gtest.h>
#include <rocksdb/options.h>
#include <rocksdb/sst_file_reader.h>
#include <rocksdb/table_properties.h>

#include "sst/table_testing.h"
#include "testing/temp_dir.h"

namespace tarn::sst {
namespace {

using testing::Records;

void expect_rocksdb_reads(const Records& records) {
  const tarn::testing::TempDir dir;
  const TableResult table = testing::write_table(records);
  const std::string path = dir.file("table.sst");
  std::ofstream(path, std::ios::binary) << table.bytes;
  rocksdb::SstFileReader reader{rocksdb::Options()};
  ASSERT_TRUE(reader.Open(path).ok());
  const rocksdb::Status verified = reader.VerifyChecksum();
  ASSERT_TRUE(verified.ok()) << verified.ToString();
  const auto properties = reader.GetTableProperties();
  EXPECT_EQ(properties->num_entries, records.size());
  EXPECT_EQ(properties->user_collected_properties.at("type"), "ranges");
  EXPECT_EQ(properties->user_collected_properties.at("count"), std::to_string(records.size()));

  const std::unique_ptr<rocksdb::Iterator> at(reader.NewIterator(rocksdb::ReadOptions()));
  at->SeekToFirst();
  for (const auto& [key, value] : records) {
    ASSERT_TRUE(at->Valid());
    ASSERT_TRUE(at->key() == key);
    ASSERT_TRUE(at->value() == value);
    at->Next();
  }
  EXPECT_FALSE(at->Valid());
  EXPECT_TRUE(at->status().ok()) << at->status().ToString();
  for (std::size_t i = 0; i < records.size(); i += 1 + records.size() / 200) {
    at->Seek(records[i].first);
    ASSERT_TRUE(at->Valid());
    ASSERT_TRUE(at->key() == records[i].first);
  }
}

TEST(RocksDb, ReadsAnEmptyTable) {
  expect_rocksdb_reads({});
}

TEST(RocksDb, ReadsTablesOfMixedRecords) {
  for (std::uint64_t seed = 0; seed < 10; ++seed)
    expect_rocksdb_reads(testing::random_records(seed, 1 + seed * 200, 3'000));
}

TEST(RocksDb, ReadsATwoLevelIndex) {
  expect_rocksdb_reads(testing::random_records(11, 10'000, 3'000));
}

// What the fixture does not reach (storage-format.md 9.12).
TEST(RocksDb, ReadsLongKeys) {
  Records records;
  for (int i = 0; i < 2'000; ++i)
    records.emplace_back(std::string(120 + i % 3, 'k') + std::to_string(10'000 + i), "value");
  std::ranges::sort(records);
  expect_rocksdb_reads(records);
}

TEST(RocksDb, ReadsRecordsAroundTheBlockThreshold) {
  for (const std::size_t size : {380U, 400U, 409U, 1'800U, 3'600U, 3'687U, 4'070U, 4'096U}) {
    Records records;
    for (int i = 0; i < 60; ++i)
      records.emplace_back("k" + std::to_string(100 + i), std::string(size + i % 7, 'v'));
    expect_rocksdb_reads(records);
  }
}

TEST(RocksDb, ReadsValuesOverSnappyChunks) {
  Records records = testing::random_records(12, 20, 200'000);
  records.emplace_back(std::string(400, '\xff'), std::string(70'000, 'z'));
  expect_rocksdb_reads(records);
}

}  // namespace
}  // namespace tarn::sst
