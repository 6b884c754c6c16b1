#include "catalog/fsck.h"

#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "base/format.h"
#include "base/hash.h"
#include "catalog/entry.h"
#include "versioning/staging/staging.h"

namespace tarn::catalog {

namespace {

using versioning::Branch;
using versioning::Commit;
using versioning::Repository;

constexpr std::size_t kPage = 1'000;

class Fsck {
 public:
  Fsck(Context& ctx, kv::Store& kv, block::ObjectStore& objects, versioning::Engine& engine,
       versioning::Committed& committed, FsckOptions options,
       std::function<void(const Problem&)> on_problem)
      : ctx_(ctx),
        kv_(kv),
        objects_(objects),
        engine_(engine),
        committed_(committed),
        options_(std::move(options)),
        on_problem_(std::move(on_problem)) {}

  Task<FsckReport> run();

 private:
  Task<> check_repository(const Repository& repository);
  Task<> check_branches(const Repository& repository);
  Task<> check_branch(const Repository& repository, const Branch& branch);
  Task<> check_tags(const Repository& repository);
  Task<> check_history(const Repository& repository, CommitId start, const std::string& from);
  Task<> check_tree(const Repository& repository, const Commit& commit);
  Task<> check_range(const Repository& repository, const Commit& commit,
                     const versioning::RangeInfo& range);
  Task<> check_staging(const Repository& repository, const Branch& branch,
                       const std::string& token);
  Task<> check_value(const Repository& repository, std::string_view key, std::string_view data,
                     const std::string& where);
  Task<> check_object(const Repository& repository, const Entry& entry, std::string_view key,
                      const std::string& where);
  Task<std::string> content_md5(const block::ObjectRef& ref);
  void problem(std::string kind, std::string where, std::string detail);

  Context& ctx_;
  kv::Store& kv_;
  block::ObjectStore& objects_;
  versioning::Engine& engine_;
  versioning::Committed& committed_;
  const FsckOptions options_;
  const std::function<void(const Problem&)> on_problem_;
  FsckReport report_;
  // What one repository has already shown to be whole. Objects by hash of their address: a
  // collision, one in 2^64 per pair, would skip one check.
  std::unordered_set<std::string> commits_, trees_, ranges_;
  std::unordered_set<std::uint64_t> addresses_;
};

void Fsck::problem(std::string kind, std::string where, std::string detail) {
  ++report_.problems;
  on_problem_({std::move(kind), std::move(where), std::move(detail)});
}

Task<FsckReport> Fsck::run() {
  std::string after;
  for (bool more = true; more;) {
    const auto page = co_await engine_.list_repositories(
        ctx_, {.prefix = options_.repository, .after = after, .amount = kPage});
    for (const Repository& repository : page.items) {
      if (!options_.repository.empty() && repository.id.str() != options_.repository) continue;
      co_await check_repository(repository);
    }
    more = page.has_more;
    if (more) after = page.items.back().id.str();
  }
  co_return report_;
}

Task<> Fsck::check_repository(const Repository& repository) {
  ++report_.repositories;
  commits_.clear();
  trees_.clear();
  ranges_.clear();
  addresses_.clear();
  co_await check_branches(repository);
  co_await check_tags(repository);
}

Task<> Fsck::check_branches(const Repository& repository) {
  bool has_branches = false;
  bool has_default = false;
  std::string after;
  for (bool more = true; more;) {
    const auto page = co_await engine_.list_branches(
        ctx_, repository, {.prefix = {}, .after = after, .amount = kPage}, true);
    for (const Branch& branch : page.items) {
      has_branches = true;
      has_default = has_default || branch.id == repository.default_branch;
      co_await check_branch(repository, branch);
    }
    more = page.has_more;
    if (more) after = page.items.back().id.str();
  }
  // A bare repository, waiting for a restore, has none at all.
  if (has_branches && !has_default) {
    problem("default branch missing", repository.id.str(), repository.default_branch.str());
  }
}

Task<> Fsck::check_branch(const Repository& repository, const Branch& branch) {
  ++report_.branches;
  co_await check_history(repository, branch.commit_id,
                         repository.id.str() + "/branch " + branch.id.str());
  for (const std::string& token : versioning::staging_tokens(branch)) {
    co_await check_staging(repository, branch, token);
  }
}

Task<> Fsck::check_tags(const Repository& repository) {
  std::string after;
  for (bool more = true; more;) {
    const auto page = co_await engine_.list_tags(ctx_, repository,
                                                 {.prefix = {}, .after = after, .amount = kPage});
    for (const auto& tag : page.items) {
      ++report_.tags;
      co_await check_history(repository, tag.commit_id,
                             repository.id.str() + "/tag " + tag.id.str());
    }
    more = page.has_more;
    if (more) after = page.items.back().id.str();
  }
}

Task<> Fsck::check_history(const Repository& repository, CommitId start, const std::string& from) {
  struct Step {
    CommitId id;
    std::string from;
  };

  std::vector<Step> pending;
  pending.push_back({std::move(start), from});
  while (!pending.empty()) {
    Step step = std::move(pending.back());
    pending.pop_back();
    if (!commits_.insert(step.id.str()).second) continue;
    ++report_.commits;
    const std::string where = repository.id.str() + "/commit " + step.id.str();
    std::shared_ptr<const Commit> commit;
    try {
      commit = co_await engine_.get_commit(ctx_, repository, step.id);
    } catch (const Error& error) {
      problem(error.code() == ErrorCode::commit_not_found ? "commit missing" : "commit unreadable",
              step.from, step.id.str() + ": " + error.message());
      continue;
    }
    if (versioning::compute_commit_id(*commit) != commit->id || commit->id != step.id) {
      problem("commit id mismatch", where, "the record's content has another id");
    }
    co_await check_tree(repository, *commit);
    for (const CommitId& parent : commit->parents)
      pending.push_back({parent, where});
  }
}

Task<> Fsck::check_tree(const Repository& repository, const Commit& commit) {
  if (commit.meta_range_id.empty() || !trees_.insert(commit.meta_range_id).second) co_return;
  std::vector<versioning::RangeInfo> ranges;
  try {
    ranges = co_await committed_.ranges(ctx_, repository.storage_namespace, commit.meta_range_id);
  } catch (const Error& error) {
    problem(error.code() == ErrorCode::corrupt ? "metarange corrupt" : "metarange missing",
            repository.id.str() + "/commit " + commit.id.str(),
            commit.meta_range_id + ": " + error.message());
    co_return;
  }
  for (const auto& range : ranges) {
    if (ranges_.insert(range.id).second) co_await check_range(repository, commit, range);
  }
}

Task<> Fsck::check_range(const Repository& repository, const Commit& commit,
                         const versioning::RangeInfo& range) {
  ++report_.ranges;
  const std::string where =
      repository.id.str() + "/commit " + commit.id.str() + "/range " + range.id;
  std::int64_t count = 0;
  std::string last;
  try {
    const auto records = committed_.open(repository.storage_namespace, commit.meta_range_id);
    records->seek(range.min_key);
    while (records->next() || co_await records->fill(ctx_)) {
      const auto& record = records->record();
      if (record.key > range.max_key) break;
      if (count == 0 && record.key != range.min_key) {
        problem("range bounds mismatch", where, "its first key is not the recorded one");
      }
      ++count;
      last = record.key;
      ++report_.entries;
      co_await check_value(repository, record.key, record.data, where);
    }
  } catch (const Error& error) {
    const bool missing =
        error.code() == ErrorCode::data_missing || error.code() == ErrorCode::not_found;
    problem(missing ? "range missing" : "range corrupt", where, error.message());
    co_return;
  }
  if (count != range.count || last != range.max_key) {
    problem("range bounds mismatch", where,
            format("holds {} entries, recorded are {}", count, range.count));
  }
}

Task<> Fsck::check_staging(const Repository& repository, const Branch& branch,
                           const std::string& token) {
  const std::string where =
      repository.id.str() + "/branch " + branch.id.str() + "/staging " + token;
  try {
    const auto records = versioning::Staging(kv_).open(token);
    while (records->next() || co_await records->fill(ctx_)) {
      ++report_.staged;
      const auto& record = records->record();
      if (!record.tombstone) co_await check_value(repository, record.key, record.data, where);
    }
  } catch (const Error& error) {
    if (error.code() != ErrorCode::corrupt) throw;
    problem("staged record unreadable", where, error.message());
  }
}

Task<> Fsck::check_value(const Repository& repository, std::string_view key, std::string_view data,
                         const std::string& where) {
  Entry entry;
  try {
    entry = decode_entry(data);
  } catch (const Error& error) {
    problem("entry unreadable", where, format("{}: {}", key, error.message()));
    co_return;
  }
  if (options_.check_objects) co_await check_object(repository, entry, key, where);
}

Task<> Fsck::check_object(const Repository& repository, const Entry& entry, std::string_view key,
                          const std::string& where) {
  if (!addresses_.insert(fnv1a_64(entry.address)).second) co_return;
  ++report_.objects;
  const block::ObjectRef ref{.storage_namespace = repository.storage_namespace,
                             .address = entry.address,
                             .type = entry.address_type};
  const auto info = co_await objects_.head(ctx_, ref);
  if (!info) {
    problem("object missing", where, format("{} at {}", key, entry.address));
    co_return;
  }
  if (info->size != entry.size) {
    problem(
        "object size mismatch", where,
        format("{} at {}: {} bytes, recorded are {}", key, entry.address, info->size, entry.size));
    co_return;
  }
  // Only a plain MD5 can be recomputed; a multipart ETag ("…-3") cannot.
  if (options_.read_objects && entry.etag.size() == 32 && from_hex(entry.etag) &&
      co_await content_md5(ref) != entry.etag) {
    problem("object content mismatch", where, format("{} at {}", key, entry.address));
  }
}

Task<std::string> Fsck::content_md5(const block::ObjectRef& ref) {
  Hasher hasher(Hasher::Kind::md5);
  const auto source = co_await objects_.get(ctx_, ref);
  if (source == nullptr) co_return std::string();
  for (;;) {
    const std::string_view piece = co_await source->read(ctx_);
    if (piece.empty()) break;
    hasher.update(piece);
  }
  co_return to_hex(hasher.finish());
}

}  // namespace

Task<FsckReport> run_fsck(Context& ctx, kv::Store& kv, block::ObjectStore& objects,
                          versioning::Engine& engine, versioning::Committed& committed,
                          FsckOptions options, std::function<void(const Problem&)> on_problem) {
  Fsck fsck(ctx, kv, objects, engine, committed, std::move(options), std::move(on_problem));
  co_return co_await fsck.run();
}

}  // namespace tarn::catalog
