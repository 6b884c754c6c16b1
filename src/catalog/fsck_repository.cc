#include <utility>

#include "base/error.h"
#include "base/format.h"
#include "catalog/fsck_parts.h"
#include "io/sync.h"
#include "versioning/refs/keys.h"
#include "versioning/refs/record_codec.h"
#include "versioning/staging/staged_codec.h"
#include "versioning/staging/staging.h"

namespace tarn::catalog {

namespace keys = versioning::keys;
using versioning::Branch;
using versioning::Commit;
using versioning::Repository;

namespace {

constexpr std::size_t kRecordsBetweenYields = 500;
constexpr std::size_t kMissingParentsMax = kProblemsKept;

/// The record, or what is wrong with it.
template <class T>
std::optional<T> decode(T (*decoder)(std::string_view), std::string_view stored,
                        std::string& fault) {
  try {
    return decoder(stored);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::corrupt) throw;
    fault = error.message();
    return std::nullopt;
  }
}

std::string_view id_of(std::string_view key, std::string_view folder) {
  return key.substr(folder.size());
}

}  // namespace

Problem RepositoryChecks::problem(Finding finding, std::string where, std::string detail) const {
  return {.finding = finding,
          .repository = repository_->id.str(),
          .where = std::move(where),
          .detail = std::move(detail)};
}

Task<> RepositoryChecks::check(const Repository& repository) {
  ++run_.report.repositories;
  repository_ = &repository;
  graph_.clear();
  bad_commits_.clear();
  trees_.start(repository);
  co_await load_commits();
  co_await check_parents();
  co_await check_branches();
  co_await check_tags();
  // What refs reach comes first: an old commit nobody refers to may have lost its objects to a
  // garbage collector, and shares ranges with others.
  co_await check_trees(true);
  co_await check_trees(false);
  if (!run_.findings.empty()) co_await attribute();
  run_.findings.flush();
}

Task<> RepositoryChecks::load_commits() {
  const auto cursor =
      run_.stores.kv.scan(repository_->partition(), {.prefix = std::string(keys::kCommits)});
  while (cursor->next() || co_await cursor->fill(run_.ctx)) {
    if (++run_.report.commits % kRecordsBetweenYields == 0) co_await io::yield();
    const std::string id(id_of(cursor->key(), keys::kCommits));
    const std::string where = "commit " + id;
    std::string fault;
    const auto commit = decode(versioning::decode_commit, cursor->value(), fault);
    FindingBits bits = 0;
    if (!commit) {
      bits = run_.add(problem(Finding::commit_unreadable, where, std::move(fault)));
    } else if (commit->id.str() != id || versioning::compute_commit_id(*commit).str() != id) {
      bits = run_.add(problem(Finding::commit_id_mismatch, where,
                              format("the record's content has the id {}",
                                     versioning::compute_commit_id(*commit).str())));
    }
    if (bits != 0) bad_commits_[short_name(id)] |= bits;
    if (CommitIdRule::matches(id)) {
      graph_.add(id, commit ? commit->parents : std::vector<CommitId>());
    }
  }
}

Task<std::string> RepositoryChecks::commit_id(std::uint64_t name) {
  const auto cursor =
      run_.stores.kv.scan(repository_->partition(),
                          {.prefix = format("{}{:016x}", keys::kCommits, name), .page_keys = 1});
  if (!co_await cursor->fill(run_.ctx)) co_return format("{:016x}…", name);
  co_return std::string(id_of(cursor->key(), keys::kCommits));
}

Task<> RepositoryChecks::check_parents() {
  for (const auto& missing : graph_.link(kMissingParentsMax)) {
    const std::string child = co_await commit_id(graph_.name(missing.child));
    const auto stored = co_await run_.stores.kv.get(run_.ctx, repository_->partition(),
                                                    keys::join(keys::kCommits, child));
    std::string parent = format("{:016x}…", missing.parent);
    if (stored) {
      for (const CommitId& id : versioning::decode_commit(*stored).parents) {
        if (short_name(id.str()) == missing.parent) parent = id.str();
      }
    }
    bad_commits_[short_name(child)] |=
        run_.add(problem(Finding::commit_parent_missing, "commit " + child,
                         format("there is no commit {}", parent)));
  }
}

Task<> RepositoryChecks::check_branches() {
  bool has_branches = false;
  bool has_default = false;
  const auto cursor =
      run_.stores.kv.scan(repository_->partition(), {.prefix = std::string(keys::kBranches)});
  while (cursor->next() || co_await cursor->fill(run_.ctx)) {
    ++run_.report.branches;
    has_branches = true;
    const std::string_view id = id_of(cursor->key(), keys::kBranches);
    has_default = has_default || id == repository_->default_branch.str();
    std::string fault;
    auto branch = decode(versioning::decode_branch, cursor->value(), fault);
    if (branch && branch->id.str() != id) fault = "the record is that of another branch";
    if (!fault.empty()) {
      run_.add(problem(Finding::branch_unreadable, format("branch {}", id), std::move(fault)));
      continue;
    }
    co_await check_branch(*std::move(branch), std::string(cursor->value()));
  }
  // A bare repository, waiting for a restore, has none at all.
  if (has_branches && !has_default) {
    run_.add(problem(Finding::default_branch_missing, "branch " + repository_->default_branch.str(),
                     "there is no such branch"));
  }
}

Task<> RepositoryChecks::check_branch(Branch branch, std::string stored) {
  const std::string where = "branch " + branch.id.str();
  if (const auto head = graph_.find(branch.commit_id.str())) {
    graph_.reach(*head);
  } else {
    Problem found = problem(Finding::branch_to_nowhere, where,
                            format("there is no commit {}", branch.commit_id.str()));
    found.heads.add(where);
    if (branch.id != repository_->default_branch) {
      found.repair_kind = RepairKind::refs;
      found.repair = "delete the branch; what is staged on it is then found as leaked";
      found.repair_ops.push_back(kv::Op::erase(repository_->partition(), keys::branch(branch.id)));
    } else {
      found.repair = format("choose a commit with --point {}/{}=COMMIT", repository_->id.str(),
                            branch.id.str());
    }
    run_.add(std::move(found));
  }
  co_await check_staging(branch, std::move(stored));
}

Task<> RepositoryChecks::check_staging(const Branch& branch, std::string stored) {
  const std::string where = "branch " + branch.id.str();
  Branch without = branch;
  without.sealed_tokens.clear();
  for (const std::string& token : versioning::staging_tokens(branch)) {
    if (!tokens_.insert(short_name(token))) {
      run_.add(problem(Finding::staging_token_shared, where,
                       format("another branch has the staging token {}, too", token)));
    }
    if (co_await run_.stores.kv.get(run_.ctx, keys::kCleanupPartition, token)) {
      Problem found = problem(Finding::staging_token_condemned, where,
                              format("the clean-up will erase what is staged under {}", token));
      found.heads.add(where);
      found.repair_kind = RepairKind::safe;
      found.repair = "take the token off the clean-up's list";
      found.repair_ops.push_back(kv::Op::erase(std::string(keys::kCleanupPartition), token));
      run_.add(std::move(found));
    }
    const bool holds_something = co_await check_token(branch, token) > 0;
    if (token != branch.staging_token && holds_something) without.sealed_tokens.push_back(token);
  }
  const std::size_t dangling = branch.sealed_tokens.size() - without.sealed_tokens.size();
  if (dangling == 0) co_return;
  Problem found = problem(Finding::sealed_token_dangling, where,
                          format("{} sealed tokens hold nothing", dangling));
  found.repair_kind = RepairKind::safe;
  found.repair = "drop these tokens from the branch's record";
  found.repair_ops.push_back(kv::Op::set_if(repository_->partition(), keys::branch(branch.id),
                                            versioning::encode_branch(without),
                                            kv::Expect::value(std::move(stored))));
  run_.add(std::move(found));
}

Task<std::uint64_t> RepositoryChecks::check_token(const Branch& branch, const std::string& token) {
  std::uint64_t records = 0;
  FindingBits hit = 0;
  const auto cursor = run_.stores.kv.scan(token, {});
  while (cursor->next() || co_await cursor->fill(run_.ctx)) {
    ++run_.report.staged;
    if (++records % kRecordsBetweenYields == 0) co_await io::yield();
    co_await check_staged(branch, token, cursor->key(), cursor->value());
  }
  co_await trees_.objects().flush(hit);
  run_.findings.for_each(hit,
                         [&](Problem& found) { found.heads.add("branch " + branch.id.str()); });
  co_return records;
}

Task<> RepositoryChecks::check_staged(const Branch& branch, const std::string& token,
                                      std::string_view key, std::string_view stored) {
  const std::string where = "branch " + branch.id.str();
  std::string fault;
  try {
    const auto record = versioning::decode_staged(stored);
    if (record.key != key) fault = "it is stored under another key";
    if (fault.empty() && !record.tombstone) {
      const Entry entry = decode_entry(record.data);
      if (!run_.options.check_objects ||
          !trees_.objects().add(entry, key, where + ", uncommitted")) {
        co_return;
      }
    }
  } catch (const Error& error) {
    if (error.code() != ErrorCode::corrupt) throw;
    fault = error.message();
  }
  if (fault.empty()) {
    FindingBits hit = 0;
    co_await trees_.objects().flush(hit);
    run_.findings.for_each(hit, [&](Problem& found) { found.heads.add(where); });
    co_return;
  }
  Problem found = problem(Finding::staged_entry_unreadable, where,
                          format("{} under {}: {}", key, token, fault));
  found.paths.add(std::string(key));
  found.heads.add(where);
  found.repair_kind = RepairKind::staged;
  found.repair = "drop the record: this uncommitted write is lost";
  found.repair_ops.push_back(kv::Op::erase(token, std::string(key)));
  run_.add(std::move(found));
}

Task<> RepositoryChecks::check_tags() {
  const auto cursor =
      run_.stores.kv.scan(repository_->partition(), {.prefix = std::string(keys::kTags)});
  while (cursor->next() || co_await cursor->fill(run_.ctx)) {
    ++run_.report.tags;
    const std::string id(id_of(cursor->key(), keys::kTags));
    const std::string where = "tag " + id;
    std::string fault;
    const auto tag = decode(versioning::decode_tag, cursor->value(), fault);
    if (tag && tag->id.str() != id) fault = "the record is that of another tag";
    if (!fault.empty()) {
      run_.add(problem(Finding::tag_unreadable, where, std::move(fault)));
      continue;
    }
    if (const auto commit = graph_.find(tag->commit_id.str())) {
      graph_.reach(*commit);
      continue;
    }
    Problem found = problem(Finding::tag_to_nowhere, where,
                            format("there is no commit {}", tag->commit_id.str()));
    found.heads.add(where);
    found.repair_kind = RepairKind::refs;
    found.repair = "delete the tag";
    found.repair_ops.push_back(kv::Op::erase(repository_->partition(), std::string(cursor->key())));
    run_.add(std::move(found));
  }
}

Task<> RepositoryChecks::check_trees(bool reached) {
  const auto cursor =
      run_.stores.kv.scan(repository_->partition(), {.prefix = std::string(keys::kCommits)});
  while (cursor->next() || co_await cursor->fill(run_.ctx)) {
    const auto node = graph_.find(id_of(cursor->key(), keys::kCommits));
    if (!node || graph_.reached(*node) != reached) continue;
    std::string fault;
    const auto commit = decode(versioning::decode_commit, cursor->value(), fault);
    if (commit) co_await trees_.check(*commit, reached && run_.options.check_objects);
  }
}

/// Which commits, and through them which refs, the findings hit.
Task<> RepositoryChecks::attribute() {
  const auto cursor =
      run_.stores.kv.scan(repository_->partition(), {.prefix = std::string(keys::kCommits)});
  while (cursor->next() || co_await cursor->fill(run_.ctx)) {
    const std::string_view id = id_of(cursor->key(), keys::kCommits);
    const auto node = graph_.find(id);
    if (!node) continue;
    std::string fault;
    const auto commit = decode(versioning::decode_commit, cursor->value(), fault);
    FindingBits bits = commit ? co_await trees_.hits(commit->meta_range_id) : 0;
    if (const auto bad = bad_commits_.find(graph_.name(*node)); bad != bad_commits_.end()) {
      bits |= bad->second;
    }
    if (bits == 0) continue;
    graph_.hit(*node, bits);
    run_.findings.for_each(bits, [&](Problem& found) { found.commits.add(std::string(id)); });
  }
  graph_.spread();
  co_await attribute_refs(keys::kBranches, "branch");
  co_await attribute_refs(keys::kTags, "tag");
}

Task<> RepositoryChecks::attribute_refs(std::string_view folder, std::string_view kind) {
  const auto cursor =
      run_.stores.kv.scan(repository_->partition(), {.prefix = std::string(folder)});
  while (cursor->next() || co_await cursor->fill(run_.ctx)) {
    const std::string name = format("{} {}", kind, id_of(cursor->key(), folder));
    std::string fault;
    std::optional<std::string> target;
    if (folder == keys::kBranches) {
      if (const auto branch = decode(versioning::decode_branch, cursor->value(), fault)) {
        target = branch->commit_id.str();
      }
    } else if (const auto tag = decode(versioning::decode_tag, cursor->value(), fault)) {
      target = tag->commit_id.str();
    }
    const auto head = target ? graph_.find(*target) : std::nullopt;
    if (!head) continue;
    const FindingBits now = graph_.hits(*head);
    run_.findings.for_each(now, [&](Problem& found) { found.heads.add(name); });
    run_.findings.for_each(graph_.hits_in_history(*head) & ~now,
                           [&](Problem& found) { found.history.add(name); });
  }
}

}  // namespace tarn::catalog
