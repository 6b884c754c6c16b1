#include "api/commit_models.h"

namespace tarn::api {

namespace {

std::map<std::string, std::string> metadata_of(JsonView body) {
  return body.map_of("metadata").value_or(std::map<std::string, std::string>());
}

}  // namespace

void write(JsonWriter& out, const Commit& commit) {
  const std::vector<std::string_view> parents(commit.parents.begin(), commit.parents.end());
  write(out, CommitView{.id = commit.id,
                        .parents = parents,
                        .committer = commit.committer,
                        .message = commit.message,
                        .creation_date = commit.creation_date,
                        .meta_range_id = commit.meta_range_id,
                        .metadata = commit.metadata,
                        .generation = commit.generation,
                        .version = commit.version});
}

void write(JsonWriter& out, const CommitView& commit) {
  out.begin_object();
  out.member("id", commit.id);
  out.member("parents", commit.parents);
  out.member("committer", commit.committer);
  out.member("message", commit.message);
  out.member("creation_date", commit.creation_date);
  out.member("meta_range_id", commit.meta_range_id);
  out.member("metadata", commit.metadata);
  out.member("generation", commit.generation);
  out.member("version", commit.version);
  out.end_object();
}

CommitCreation decode_commit_creation(JsonView body) {
  return {.message = body.text_of("message").value_or(""),
          .metadata = metadata_of(body),
          .date = body.integer_of("date"),
          .allow_empty = body.flag_of("allow_empty"),
          .force = body.flag_of("force")};
}

CommitRecordCreation decode_commit_record_creation(JsonView body) {
  return {.commit_id = body.text_of("commit_id").value_or(""),
          .version = body.integer_of("version").value_or(0),
          .committer = body.text_of("committer").value_or(""),
          .message = body.text_of("message").value_or(""),
          .metarange_id = body.text_of("metarange_id").value_or(""),
          .creation_date = body.integer_of("creation_date").value_or(0),
          .parents = body.texts_of("parents"),
          .metadata = metadata_of(body),
          .generation = body.integer_of("generation").value_or(0),
          .force = body.flag_of("force")};
}

}  // namespace tarn::api
