#include "app/store_location.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "testing/temp_dir.h"

namespace tarn::app {
namespace {

using Overrides = std::map<std::string, std::string>;

TEST(StoreLocation, UrisBecomeConfigurationKeys) {
  const auto rocks = find_store("rocksdb:/var/lib/tarn/../tarn/metadata");
  ASSERT_TRUE(rocks.has_value());
  EXPECT_EQ(rocks->name, "rocksdb:/var/lib/tarn/metadata");
  EXPECT_EQ(rocks->overrides.at("database.local.path"), "/var/lib/tarn/metadata");
  EXPECT_EQ(find_store("rocksdb:///var/x")->name, "rocksdb:/var/x");

  const auto dynamo =
      find_store("dynamodb:kvstore?region=eu-west-1&endpoint=http://localhost:8000");
  ASSERT_TRUE(dynamo.has_value());
  const Overrides expected = {{"database.type", "dynamodb"},
                              {"database.dynamodb.table_name", "kvstore"},
                              {"database.dynamodb.aws_region", "eu-west-1"},
                              {"database.dynamodb.endpoint", "http://localhost:8000"}};
  EXPECT_EQ(dynamo->overrides, expected);
  EXPECT_EQ(dynamo->name, "dynamodb:kvstore region=eu-west-1 endpoint=http://localhost:8000");
}

TEST(StoreLocation, NamesHoldNoPassword) {
  const auto with_login = find_store("postgres://user:p@ss/w@host:5432/db?sslmode=disable");
  ASSERT_TRUE(with_login.has_value());
  EXPECT_EQ(with_login->name.find("p@ss"), std::string::npos) << with_login->name;
  EXPECT_EQ(find_store("postgres://user:pass@host:5432/db?sslmode=disable&password=x")->name,
            "postgres://host:5432/db");
  EXPECT_EQ(find_store("postgresql://host/db")->name, "postgresql://host/db");
  EXPECT_EQ(find_store("postgres://u:secret@host")->name, "postgres://host");
}

TEST(StoreLocation, DirectoriesAndFilesAreToldApart) {
  const testing::TempDir dir;
  EXPECT_FALSE(find_store(dir.str()).has_value());
  std::filesystem::create_directories(dir.path() / "metadata");
  std::ofstream(dir.path() / "metadata" / "CURRENT") << "x";
  EXPECT_EQ(find_store(dir.str())->name, "rocksdb:" + dir.file("metadata"));
  std::ofstream(dir.path() / "tarn.yaml") << "{}";
  EXPECT_EQ(find_store(dir.file("tarn.yaml"))->file, dir.path() / "tarn.yaml");
}

TEST(StoreLocation, RefusesWhatNamesNoStore) {
  for (const char* text : {"", "/no/such/file", "mysql://host/db", "rocksdb:", "dynamodb:",
                           "dynamodb:t?colour=blue", "dynamodb:?region=x"}) {
    EXPECT_FALSE(find_store(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace tarn::app
