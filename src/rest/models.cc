#include "rest/models.h"

namespace tarn::rest {

api::Repository to_model(const versioning::Repository& repository) {
  return {.id = repository.id.str(),
          .creation_date = repository.creation_date.seconds,
          .default_branch = repository.default_branch.str(),
          .storage_id = repository.storage_id,
          .storage_namespace = repository.storage_namespace,
          .read_only = repository.read_only};
}

api::Ref to_model(const versioning::Branch& branch) {
  return {.id = branch.id.str(), .commit_id = branch.commit_id.str()};
}

api::Ref to_model(const versioning::Tag& tag) {
  return {.id = tag.id.str(), .commit_id = tag.commit_id.str()};
}

api::Commit to_model(const versioning::Commit& commit) {
  api::Commit model{.id = commit.id.str(),
                    .committer = commit.committer,
                    .message = commit.message,
                    .creation_date = commit.creation_date.seconds,
                    .meta_range_id = commit.meta_range_id,
                    .metadata = commit.metadata,
                    .generation = commit.generation,
                    .version = commit.version};
  model.parents.reserve(commit.parents.size());
  for (const CommitId& parent : commit.parents)
    model.parents.push_back(parent.str());
  return model;
}

api::User to_model(const auth::User& user) {
  return {.id = user.username,
          .creation_date = user.created_at.seconds,
          .friendly_name = user.friendly_name,
          .email = user.email};
}

api::Credentials to_model(const auth::Credential& credential) {
  return {.access_key_id = credential.access_key_id,
          .creation_date = credential.issued_date.seconds};
}

api::CredentialsWithSecret to_model(const auth::CredentialSecret& secret) {
  return {.access_key_id = secret.credential.access_key_id,
          .creation_date = secret.credential.issued_date.seconds,
          .secret_access_key = secret.secret_access_key};
}

std::string_view shown_content_type(const catalog::EntryView& entry) {
  return entry.content_type.empty() ? catalog::kDefaultContentType : entry.content_type;
}

std::string_view shown_content_type(const catalog::Entry& entry) {
  return entry.content_type.empty() ? catalog::kDefaultContentType : entry.content_type;
}

api::ObjectStats to_model(std::string_view path, const catalog::Entry& entry, std::string address) {
  return {.path = std::string(path),
          .path_type = api::PathType::object,
          .physical_address = std::move(address),
          .checksum = entry.etag,
          .mtime = entry.last_modified.seconds,
          .size_bytes = static_cast<std::int64_t>(entry.size),
          .content_type = std::string(shown_content_type(entry)),
          .metadata = entry.metadata};
}

}  // namespace tarn::rest
