#include "versioning/refs/record_codec.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include "base/bytes.h"
#include "base/error.h"
#include "graveler.pb.h"

namespace tarn::versioning {
namespace {

namespace pb = io::treeverse::lakefs::graveler;

const std::string& text(const char* field, const std::string& value) {
  if (!is_valid_utf8(value)) {
    throw Error(ErrorCode::invalid_argument,
                std::string(field) + ": invalid UTF-8: validation error");
  }
  return value;
}

std::string serialize(const google::protobuf::MessageLite& message) {
  std::string out;
  {
    google::protobuf::io::StringOutputStream stream(&out);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);
    message.SerializeToCodedStream(&coded);
  }
  return out;
}

/// Refuses invalid UTF-8 in string fields too, as protobuf does for proto3.
template <class Message>
Message parse(std::string_view stored) {
  Message message;
  if (!message.ParseFromArray(stored.data(), static_cast<int>(stored.size()))) {
    throw Error(ErrorCode::corrupt, "stored " + message.GetTypeName() + " does not parse");
  }
  return message;
}

void write_time(Timestamp from, google::protobuf::Timestamp* to) {
  to->set_seconds(from.seconds);
  to->set_nanos(from.nanos);
}

Timestamp read_time(const google::protobuf::Timestamp& from) {
  if (from.nanos() < 0 || from.nanos() > 999'999'999) {
    throw Error(ErrorCode::corrupt, "stored timestamp is out of range");
  }
  return {.seconds = from.seconds(), .nanos = from.nanos()};
}

template <class Map>
void write_metadata(const Metadata& from, Map* to) {
  for (const auto& [key, value] : from) {
    (*to)[text("metadata key", key)] = text("metadata value", value);
  }
}

template <class Map>
Metadata read_metadata(const Map& from) {
  return {from.begin(), from.end()};
}

}  // namespace

std::string encode_repository(const Repository& repository) {
  pb::RepositoryData data;
  data.set_id(text("repository", repository.id.str()));
  data.set_storage_namespace(text("storage namespace", repository.storage_namespace));
  data.set_default_branch_id(text("default branch", repository.default_branch.str()));
  write_time(repository.creation_date, data.mutable_creation_date());
  data.set_state(repository.state == RepositoryState::active ? pb::ACTIVE : pb::IN_DELETION);
  data.set_instance_uid(text("instance uid", repository.instance_uid));
  data.set_read_only(repository.read_only);
  data.set_storage_id(text("storage id", repository.storage_id));
  return serialize(data);
}

Repository decode_repository(std::string_view stored) {
  auto data = parse<pb::RepositoryData>(stored);
  if (data.state() != pb::ACTIVE && data.state() != pb::IN_DELETION) {
    throw Error(ErrorCode::corrupt, "stored repository has an unknown state");
  }
  return {
      .id = RepositoryId::from_stored(std::move(*data.mutable_id())),
      .storage_namespace = std::move(*data.mutable_storage_namespace()),
      .default_branch = BranchId::from_stored(std::move(*data.mutable_default_branch_id())),
      .creation_date = read_time(data.creation_date()),
      .state = data.state() == pb::ACTIVE ? RepositoryState::active : RepositoryState::in_deletion,
      .instance_uid = std::move(*data.mutable_instance_uid()),
      .read_only = data.read_only(),
      .storage_id = std::move(*data.mutable_storage_id())};
}

std::string encode_branch(const Branch& branch) {
  pb::BranchData data;
  data.set_id(text("branch", branch.id.str()));
  data.set_commit_id(text("commit", branch.commit_id.str()));
  data.set_staging_token(text("staging token", branch.staging_token));
  for (const std::string& token : branch.sealed_tokens) {
    data.add_sealed_tokens(text("sealed token", token));
  }
  data.set_hidden(branch.hidden);
  return serialize(data);
}

Branch decode_branch(std::string_view stored) {
  auto data = parse<pb::BranchData>(stored);
  Branch branch{.id = BranchId::from_stored(std::move(*data.mutable_id())),
                .commit_id = CommitId::from_stored(std::move(*data.mutable_commit_id())),
                .staging_token = std::move(*data.mutable_staging_token()),
                .sealed_tokens = {},
                .hidden = data.hidden()};
  for (std::string& token : *data.mutable_sealed_tokens()) {
    branch.sealed_tokens.push_back(std::move(token));
  }
  return branch;
}

std::string encode_tag(const Tag& tag) {
  pb::TagData data;
  data.set_id(text("tag", tag.id.str()));
  data.set_commit_id(text("commit", tag.commit_id.str()));
  return serialize(data);
}

Tag decode_tag(std::string_view stored) {
  auto data = parse<pb::TagData>(stored);
  return {.id = TagId::from_stored(std::move(*data.mutable_id())),
          .commit_id = CommitId::from_stored(std::move(*data.mutable_commit_id()))};
}

std::string encode_commit(const Commit& commit) {
  pb::CommitData data;
  data.set_id(text("commit", commit.id.str()));
  data.set_committer(text("committer", commit.committer));
  data.set_message(text("message", commit.message));
  write_time(commit.creation_date, data.mutable_creation_date());
  data.set_meta_range_id(text("metarange", commit.meta_range_id));
  write_metadata(commit.metadata, data.mutable_metadata());
  for (const CommitId& parent : commit.parents)
    data.add_parents(text("parent", parent.str()));
  data.set_version(commit.version);
  data.set_generation(commit.generation);
  return serialize(data);
}

Commit decode_commit(std::string_view stored) {
  auto data = parse<pb::CommitData>(stored);
  Commit commit{.id = CommitId::from_stored(std::move(*data.mutable_id())),
                .committer = std::move(*data.mutable_committer()),
                .message = std::move(*data.mutable_message()),
                .creation_date = read_time(data.creation_date()),
                .meta_range_id = std::move(*data.mutable_meta_range_id()),
                .metadata = read_metadata(data.metadata()),
                .parents = {},
                .version = data.version(),
                .generation = data.generation()};
  for (std::string& parent : *data.mutable_parents()) {
    commit.parents.push_back(CommitId::from_stored(std::move(parent)));
  }
  return commit;
}

std::string encode_repo_metadata(const Metadata& metadata) {
  pb::RepoMetadata data;
  write_metadata(metadata, data.mutable_metadata());
  return serialize(data);
}

Metadata decode_repo_metadata(std::string_view stored) {
  return read_metadata(parse<pb::RepoMetadata>(stored).metadata());
}

std::string encode_protection_rules(const ProtectionRules& rules) {
  pb::BranchProtectionRules data;
  for (const auto& [pattern, actions] : rules.rules) {
    auto& blocked = (*data.mutable_branch_pattern_to_blocked_actions())[text("pattern", pattern)];
    for (const BlockedAction action : actions) {
      blocked.add_value(action == BlockedAction::staging_write ? pb::STAGING_WRITE : pb::COMMIT);
    }
  }
  return serialize(data);
}

ProtectionRules decode_protection_rules(std::string_view stored) {
  const auto data = parse<pb::BranchProtectionRules>(stored);
  ProtectionRules rules;
  for (const auto& [pattern, blocked] : data.branch_pattern_to_blocked_actions()) {
    auto& actions = rules.rules[pattern];
    for (const int action : blocked.value()) {
      if (action != pb::STAGING_WRITE && action != pb::COMMIT) {
        throw Error(ErrorCode::corrupt, "stored protection rule blocks an unknown action");
      }
      actions.push_back(action == pb::COMMIT ? BlockedAction::commit
                                             : BlockedAction::staging_write);
    }
  }
  return rules;
}

}  // namespace tarn::versioning
