// Commits.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/json_reader.h"
#include "api/json_writer.h"

namespace tarn::api {

struct Commit {
  std::string id;
  std::vector<std::string> parents;
  std::string committer, message;
  std::int64_t creation_date = 0;  // Unix seconds
  std::string meta_range_id;
  std::map<std::string, std::string> metadata;
  std::int64_t generation = 0;
  std::int64_t version = 0;
};

/// The same for who has the parts elsewhere: written without a copy of any.
struct CommitView {
  std::string_view id;
  std::span<const std::string_view> parents;
  std::string_view committer, message;
  std::int64_t creation_date = 0;
  std::string_view meta_range_id;
  const std::map<std::string, std::string>& metadata;
  std::int64_t generation = 0;
  std::int64_t version = 0;
};

struct CommitCreation {
  std::string message;
  std::map<std::string, std::string> metadata;
  std::optional<std::int64_t> date;
  bool allow_empty = false;
  bool force = false;
};

struct CommitRecordCreation {
  std::string commit_id;
  std::int64_t version = 0;
  std::string committer, message, metarange_id;
  std::int64_t creation_date = 0;
  std::vector<std::string> parents;
  std::map<std::string, std::string> metadata;
  std::int64_t generation = 0;
  bool force = false;
};

void write(JsonWriter& out, const Commit& commit);
void write(JsonWriter& out, const CommitView& commit);

CommitCreation decode_commit_creation(JsonView body);
CommitRecordCreation decode_commit_record_creation(JsonView body);

}  // namespace tarn::api
