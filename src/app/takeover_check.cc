#include "app/takeover_check.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "app/blocking_wait.h"
#include "app/stores.h"
#include "auth/auth_codec.h"
#include "auth/secret_box.h"
#include "base/error.h"
#include "base/format.h"
#include "base/time.h"
#include "io/blocking_pool.h"
#include "io/loops.h"
#include "versioning/refs/record_codec.h"

namespace tarn::app {

namespace {

constexpr std::string_view kServedSchema = "4";

Task<std::uint64_t> count(Context& ctx, kv::Store& kv, std::string partition, std::string prefix) {
  auto cursor = kv.scan(partition, {.prefix = std::move(prefix)});
  std::uint64_t rows = 0;
  while (cursor->next() || co_await cursor->fill(ctx))
    ++rows;
  co_return rows;
}

Task<std::string> text_of(Context& ctx, kv::Store& kv, std::string_view partition,
                          std::string_view key) {
  co_return (co_await kv.get(ctx, partition, key)).value_or("");
}

class Check {
 public:
  Check(kv::Store& kv, const Config& config) : kv_(kv), config_(config) {}

  Task<TakeoverReport> run(Context& ctx) {
    co_await look_at_installation(ctx);
    co_await look_at_access(ctx);
    auto cursor = kv_.scan("graveler", {.prefix = "repos/"});
    while (cursor->next() || co_await cursor->fill(ctx))
      co_await look_at_repository(ctx, std::string(cursor->key()), std::string(cursor->value()));
    report_.uploads = co_await count(ctx, kv_, "multiparts", "");
    report_.runs = co_await count_runs(ctx);
    report_.cleanups = co_await count(ctx, kv_, "cleanup-tokens", "");
    if (report_.runs > 0) note("runs of actions can be read; action files are not executed yet");
    co_return std::move(report_);
  }

 private:
  void note(std::string text) { report_.notes.push_back(std::move(text)); }

  void problem(std::string text) { report_.problems.push_back(std::move(text)); }

  Task<> look_at_installation(Context& ctx) {
    report_.schema_version =
        co_await text_of(ctx, kv_, "kv-internal-metadata", "kv/schema/version");
    report_.installation_id = co_await text_of(ctx, kv_, "auth", "installation_id");
    report_.set_up_at = co_await text_of(ctx, kv_, "auth", "installation_metadata/setup_timestamp");
    if (report_.schema_version.empty()) {
      problem("no schema version is recorded: this is no installation, or one never set up");
    } else if (report_.schema_version != kServedSchema) {
      problem(
          format("schema version {} is not served ({} is): migrate with the program that wrote it",
                 report_.schema_version, kServedSchema));
    }
  }

  Task<> look_at_access(Context& ctx) {
    const auto user = co_await kv_.get(ctx, "basicAuth", "users/superAdmin");
    const std::uint64_t others = co_await count(ctx, kv_, "auth", "users/");
    std::string_view partition = "basicAuth";
    std::string prefix = "uCredentials/superAdmin/credentials/";
    if (user) {
      report_.administrator = auth::decode_user(*user).username;
      if (others > 0)
        note(format("{} users of another authentication mode are left alone", others));
    } else if (others == 1) {
      auto cursor = kv_.scan("auth", {.prefix = "users/"});
      if (co_await cursor->fill(ctx))
        report_.administrator = auth::decode_user(cursor->value()).username;
      partition = "auth";
      prefix = format("uCredentials/{}/credentials/", report_.administrator);
      note("the one user becomes the built-in administrator at the first start");
    } else {
      problem(format("there is no built-in administrator, and {} users of another mode", others));
      co_return;
    }
    auto cursor = kv_.scan(partition, {.prefix = std::move(prefix)});
    while (cursor->next() || co_await cursor->fill(ctx)) {
      const auto stored = auth::decode_credential(cursor->value());
      report_.access_keys.push_back(stored.credential.access_key_id);
      if (!auth::open_secret(config_.auth.secret_key, stored.sealed_secret)) {
        problem(format("the secret of key {} does not open: auth.encrypt.secret_key is another",
                       stored.credential.access_key_id));
      }
    }
    if (report_.access_keys.empty()) problem("the administrator has no key");
  }

  Task<> look_at_repository(Context& ctx, std::string key, std::string record) {
    try {
      const versioning::Repository repository = versioning::decode_repository(record);
      RepositoryCounts counts{
          .name = repository.id.str(),
          .storage_namespace = repository.storage_namespace,
          .read_only = repository.read_only,
          .in_deletion = repository.state == versioning::RepositoryState::in_deletion};
      if (!repository.storage_id.empty()) {
        problem(format("{}: belongs to the block store '{}'; several block stores are not served",
                       counts.name, repository.storage_id));
      }
      look_at_namespace(counts);
      co_await count_records(ctx, repository.partition(), counts);
      report_.repositories.push_back(std::move(counts));
    } catch (const Error& error) {
      if (error.code() != ErrorCode::corrupt) throw;
      problem(format("{}: {}", key, error.message()));
    }
  }

  void look_at_namespace(const RepositoryCounts& counts) {
    const std::string_view place = counts.storage_namespace;
    constexpr std::string_view kLocal = "local://";
    if (config_.blockstore != BlockstoreType::local) return;
    if (!place.starts_with(kLocal)) {
      problem(format("{}: {} is not in the configured block store", counts.name, place));
      return;
    }
    std::error_code ignored;
    const auto folder = config_.blockstore_path / place.substr(kLocal.size());
    if (!std::filesystem::is_directory(folder, ignored)) {
      note(format("{}: there is no folder {}", counts.name, folder.string()));
    }
  }

  Task<> count_records(Context& ctx, std::string partition, RepositoryCounts& counts) {
    auto branches = kv_.scan(partition, {.prefix = "branches/"});
    while (branches->next() || co_await branches->fill(ctx)) {
      const versioning::Branch branch = versioning::decode_branch(branches->value());
      ++counts.branches;
      counts.sealed_tokens += branch.sealed_tokens.size();
      if (!branch.staging_token.empty())
        counts.staged += co_await count(ctx, kv_, branch.staging_token, "");
      for (const std::string& token : branch.sealed_tokens)
        counts.staged += co_await count(ctx, kv_, token, "");
    }
    auto commits = kv_.scan(partition, {.prefix = "commits/"});
    std::uint64_t old = 0;
    while (commits->next() || co_await commits->fill(ctx)) {
      ++counts.commits;
      if (versioning::decode_commit(commits->value()).version < 1) ++old;
    }
    if (old > 0) note(format("{}: {} commits in the oldest format", counts.name, old));
    counts.tags = co_await count(ctx, kv_, partition, "tags/");
    counts.pulls = co_await count(ctx, kv_, partition, "pulls/");
    counts.imports = co_await count(ctx, kv_, partition, "imports/");
    counts.tasks = co_await count(ctx, kv_, partition, "tasks/");
    if (counts.pulls > 0)
      note(format("{}: pull requests can be read, not changed yet", counts.name));
    if (counts.in_deletion) note(format("{}: its deletion was begun and not ended", counts.name));
  }

  Task<std::uint64_t> count_runs(Context& ctx) {
    std::uint64_t runs = 0;
    auto cursor = kv_.scan("actions", {.prefix = "repos/"});
    while (cursor->next() || co_await cursor->fill(ctx)) {
      if (cursor->key().find("/runs/") != std::string_view::npos) ++runs;
    }
    co_return runs;
  }

  kv::Store& kv_;
  const Config& config_;
  TakeoverReport report_;
};

std::string one_repository(const RepositoryCounts& r) {
  std::string text =
      format("  {} ({}){}{}: {} branches, {} tags, {} commits, {} staged entries", r.name,
             r.storage_namespace, r.read_only ? ", read-only" : "",
             r.in_deletion ? ", being deleted" : "", r.branches, r.tags, r.commits, r.staged);
  if (r.sealed_tokens > 0) append_format(text, ", {} sealed staging areas", r.sealed_tokens);
  if (r.pulls > 0) append_format(text, ", {} pull requests", r.pulls);
  if (r.imports > 0) append_format(text, ", {} imports", r.imports);
  if (r.tasks > 0) append_format(text, ", {} tasks", r.tasks);
  return text + "\n";
}

}  // namespace

Task<TakeoverReport> check_takeover(Context& ctx, kv::Store& kv, const Config& config) {
  Check check(kv, config);
  co_return co_await check.run(ctx);
}

std::string to_text(const TakeoverReport& report) {
  std::string text = format("installation {}, schema version {}, set up {}\n",
                            report.installation_id, report.schema_version, report.set_up_at);
  append_format(text, "administrator {}, keys:", report.administrator);
  for (const std::string& key : report.access_keys)
    text += " " + key;
  append_format(text, "\n{} repositories\n", report.repositories.size());
  std::uint64_t commits = 0;
  std::uint64_t staged = 0;
  for (const RepositoryCounts& repository : report.repositories) {
    text += one_repository(repository);
    commits += repository.commits;
    staged += repository.staged;
  }
  append_format(text,
                "in all {} commits, {} staged entries, {} open uploads, {} runs of actions, {} "
                "staging areas to be cleaned up\n",
                commits, staged, report.uploads, report.runs, report.cleanups);
  for (const std::string& note : report.notes)
    append_format(text, "note: {}\n", note);
  for (const std::string& problem : report.problems)
    append_format(text, "problem: {}\n", problem);
  text += report.good() ? "can be taken over: start tarn with this configuration\n"
                        : "cannot be taken over as it is\n";
  return text;
}

int run_takeover_check(const Config& config) {
  Config reading = config;
  reading.postgres.create_table = false;
  reading.dynamodb.store.create_table = false;
  switch (config.database) {
    case DatabaseType::postgres:
    case DatabaseType::dynamodb: break;
    case DatabaseType::local:
      if (!holds_reference_database(config.database_path) &&
          std::filesystem::exists(config.database_path / "CURRENT")) {
        throw Error(ErrorCode::invalid_argument,
                    format("{} is an embedded store of tarn itself: there is nothing to take over, "
                           "start it with tarn run",
                           config.database_path.string()));
      }
      throw Error(ErrorCode::invalid_argument, embedded_reference_refusal(config.database_path));
    case DatabaseType::mem:
      throw Error(ErrorCode::invalid_argument,
                  "database.type is mem: nothing outlives its server, so there is nothing to read");
  }
  io::Loops loops(1);
  io::BlockingPool pool({.name = "metadata"});
  const SystemClock clock;
  const auto kv = open_kv(reading, {.loops = loops, .pool = pool, .clock = clock});
  Context ctx;
  const TakeoverReport report = wait_for(loops.any(), check_takeover(ctx, *kv, config));
  wait_for(loops.any(), kv->close());
  std::fputs(to_text(report).c_str(), stdout);
  return report.good() ? 0 : 1;
}

}  // namespace tarn::app
