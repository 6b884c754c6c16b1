#include "kv/postgres/connection_string.h"

#include <gtest/gtest.h>

namespace tarn::kv {
namespace {

TEST(ConnectionString, IsLeftAloneWhenLibpqKnowsEverything) {
  for (const char* text : {"postgres://u:p@h:5432/db?sslmode=disable", "host=h dbname=db",
                           "postgresql:///db?host=/run/pg&application_name=x", "postgres://h"}) {
    EXPECT_EQ(libpq_connection_string(text), text);
  }
}

TEST(ConnectionString, ServerParametersBecomeOptions) {
  EXPECT_EQ(libpq_connection_string("postgres://h/db?search_path=lake&sslmode=require"),
            "postgres://h/db?sslmode=require&options=-c%20search_path%3Dlake");
  EXPECT_EQ(libpq_connection_string("postgres://h/db?options=-c%20a%3D1&work_mem=8%20MB"),
            "postgres://h/db?options=-c%20a%3D1%20-c%20work_mem%3D8%5C%20MB");
}

TEST(ConnectionString, SettingsOfTheReferencesDriverAreDropped) {
  EXPECT_EQ(libpq_connection_string("postgres://h/db?pool_max_conns=4&statement_cache_mode=x"),
            "postgres://h/db");
}

TEST(ConnectionString, SessionsKeepNothingWhereTheReferencesDriverIsToldSo) {
  for (const char* text : {"postgres://h/db", "host=h", "postgres://h/db?sslmode=require",
                           "postgres://h/db?default_query_exec_mode=cache_statement",
                           "postgres://h/db?statement_cache_capacity=100"}) {
    EXPECT_TRUE(prepares_statements(text)) << text;
  }
  for (const char* text : {"postgres://h/db?default_query_exec_mode=exec",
                           "postgres://h/db?a=b&default_query_exec_mode=simple_protocol",
                           "postgres://h/db?statement_cache_mode=describe&sslmode=disable",
                           "postgres://h/db?statement_cache_capacity=0"}) {
    EXPECT_FALSE(prepares_statements(text)) << text;
  }
}

TEST(ConnectionString, IsDescribedWithoutSecrets) {
  EXPECT_EQ(describe_connection("postgres://bob:secret@db.example:5433/lake"),
            "database 'lake' on db.example");
  EXPECT_EQ(describe_connection("postgres://%zz"), "");
}

}  // namespace
}  // namespace tarn::kv
