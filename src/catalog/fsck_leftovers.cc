#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/format.h"
#include "catalog/fsck_parts.h"
#include "catalog/upload_records.h"
#include "multipart.pb.h"
#include "versioning/refs/keys.h"
#include "versioning/refs/record_codec.h"
#include "versioning/staging/cleanup.h"
#include "versioning/staging/staging.h"

namespace tarn::catalog {

namespace keys = versioning::keys;
namespace pb = ::io::treeverse::lakefs::multipart;

namespace {

/// "…:<uuid>": the form both servers give a staging token. Anything else is never taken for one.
bool is_staging_token(std::string_view partition) {
  constexpr std::size_t kUuidBytes = 36;
  if (partition.size() <= kUuidBytes || partition[partition.size() - kUuidBytes - 1] != ':') {
    return false;
  }
  const std::string_view uuid = partition.substr(partition.size() - kUuidBytes);
  for (std::size_t i = 0; i < uuid.size(); ++i) {
    const char c = uuid[i];
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? c != '-' : !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return false;
  }
  return true;
}

/// Walks the names of all partitions, one short read each.
class Partitions {
 public:
  explicit Partitions(kv::Store& kv) : kv_(kv) {}

  Task<bool> next(Context& ctx) {
    auto rows = co_await kv_.read_rows(ctx, std::move(after_), 1);
    if (rows.empty()) co_return false;
    name_ = rows.front().address.partition;
    after_ = kv::Address{name_, std::string(kv::kAddressBytesMax, '\xff')};
    co_return true;
  }

  const std::string& name() const { return name_; }

 private:
  kv::Store& kv_;
  std::optional<kv::Address> after_;
  std::string name_;
};

struct LiveTokens {
  NameSet names;
  bool complete = true;  // no branch record was unreadable
};

/// Of every branch there is, in partitions without a repository, too.
Task<> add_live_tokens(FsckRun& run, const std::string& partition, LiveTokens& live) {
  const auto cursor = run.stores.kv.scan(partition, {.prefix = std::string(keys::kBranches)});
  while (cursor->next() || co_await cursor->fill(run.ctx)) {
    try {
      const auto branch = versioning::decode_branch(cursor->value());
      for (const std::string& token : versioning::staging_tokens(branch))
        live.names.insert(short_name(token));
    } catch (const Error& error) {
      if (error.code() != ErrorCode::corrupt) throw;
      live.complete = false;
    }
  }
}

Task<> report_leaked(FsckRun& run, const std::string& token, bool certain) {
  if (co_await run.stores.kv.get(run.ctx, keys::kCleanupPartition, token)) co_return;
  Problem found{.finding = Finding::staging_token_leaked,
                .repository = {},
                .where = "staging token " + token,
                .detail = {}};
  const auto cursor = run.stores.kv.scan(token, {});
  while (cursor->next() || co_await cursor->fill(run.ctx))
    found.paths.add(std::string(cursor->key()));
  found.detail = format("no branch has it; {} staged records", found.paths.count);
  if (certain) {
    found.repair_kind = RepairKind::safe;
    found.repair = "hand the token to the server's clean-up, which erases its records";
    found.repair_ops.push_back(versioning::Cleanup::enqueue_op(token));
  } else {
    found.repair = "none while there are branch records that cannot be read: it may be theirs";
  }
  run.add(std::move(found));
}

Task<> walk_partitions(FsckRun& run) {
  LiveTokens live;
  for (Partitions partitions(run.stores.kv); co_await partitions.next(run.ctx);) {
    if (!is_staging_token(partitions.name())) {
      co_await add_live_tokens(run, partitions.name(), live);
    }
  }
  for (Partitions partitions(run.stores.kv); co_await partitions.next(run.ctx);) {
    const std::string& name = partitions.name();
    if (is_staging_token(name) && live.names.insert(short_name(name))) {
      co_await report_leaked(run, name, live.complete);
    }
  }
}

class UploadChecks {
 public:
  explicit UploadChecks(FsckRun& run) : run_(run) {}

  Task<> check() {
    co_await load_repositories();
    co_await check_details();
    co_await check_records();
    run_.findings.flush();
  }

 private:
  static constexpr std::string_view kRecords = "multiparts";
  static constexpr std::string_view kDetails = "tarn/uploads";

  Task<> load_repositories();
  Task<> check_details();
  Task<> check_records();
  /// Whether the store has it, as far as can be told.
  Task<bool> exists(const std::string& storage_namespace, const std::string& id,
                    const std::string& stored);
  void report(std::string repository, const std::string& id, std::string path, std::string detail,
              std::vector<kv::Op> repair);

  FsckRun& run_;
  std::map<std::string, std::pair<std::string, std::string>> namespaces_;  // by partition: id, ns
  NameSet with_details_;
};

Task<> UploadChecks::load_repositories() {
  const auto cursor = run_.stores.kv.scan(keys::kRepositoriesPartition,
                                          {.prefix = std::string(keys::kRepositories)});
  while (cursor->next() || co_await cursor->fill(run_.ctx)) {
    try {
      auto repository = versioning::decode_repository(cursor->value());
      namespaces_[repository.partition()] = {repository.id.str(), repository.storage_namespace};
    } catch (const Error& error) {
      if (error.code() != ErrorCode::corrupt) throw;
    }
  }
}

void UploadChecks::report(std::string repository, const std::string& id, std::string path,
                          std::string detail, std::vector<kv::Op> repair) {
  Problem found{.finding = Finding::upload_record_dangling,
                .repository = std::move(repository),
                .where = "upload " + id,
                .detail = std::move(detail),
                .repair_kind = RepairKind::safe,
                .repair = "remove the record",
                .repair_ops = std::move(repair)};
  if (!path.empty()) found.paths.add(std::move(path));
  run_.add(std::move(found));
}

Task<bool> UploadChecks::exists(const std::string& storage_namespace, const std::string& id,
                                const std::string& stored) {
  pb::UploadData data;
  if (!data.ParseFromString(stored)) co_return false;
  const block::ObjectRef ref{.storage_namespace = storage_namespace,
                             .address = data.physical_address(),
                             .type = block::AddressType::relative};
  try {
    co_await run_.stores.objects.list_parts(run_.ctx, ref, id, 0, 1);
    co_return true;
  } catch (const Error& error) {
    // Not resolvable in this namespace: then it isn't there.
    if (error.code() != ErrorCode::upload_not_found &&
        error.code() != ErrorCode::invalid_argument) {
      throw;
    }
    co_return false;
  }
}

Task<> UploadChecks::check_details() {
  const auto cursor = run_.stores.kv.scan(kDetails, {});
  while (cursor->next() || co_await cursor->fill(run_.ctx)) {
    const std::string key(cursor->key());
    const std::size_t slash = std::min(key.rfind('/'), key.size() - 1);
    const std::string id = key.substr(slash + 1);
    pb::UploadDetail detail;
    const bool parsed = detail.ParseFromString(std::string(cursor->value()));
    const auto home = namespaces_.find(key.substr(0, slash));
    const auto record = co_await run_.stores.kv.get(run_.ctx, kRecords, id);
    with_details_.insert(short_name(id));
    ++run_.report.uploads;
    std::string fault;
    if (!parsed || !record) {
      fault = parsed ? "its main record is gone" : "it does not parse";
    } else if (home == namespaces_.end()) {
      fault = "its repository is gone";
    } else if (!co_await exists(home->second.second, id, *record)) {
      fault = "the object store does not know the upload";
    }
    if (fault.empty()) continue;
    std::vector<kv::Op> ops;
    ops.push_back(kv::Op::erase(std::string(kDetails), key));
    if (record) ops.push_back(kv::Op::erase(std::string(kRecords), id));
    report(home == namespaces_.end() ? "" : home->second.first, id, detail.path(), std::move(fault),
           std::move(ops));
  }
}

/// Those of the reference say nothing about their repository: any may be it.
Task<> UploadChecks::check_records() {
  const auto cursor = run_.stores.kv.scan(kRecords, {});
  while (cursor->next() || co_await cursor->fill(run_.ctx)) {
    const std::string id(cursor->key());
    const std::string stored(cursor->value());
    if (!with_details_.insert(short_name(id))) continue;
    ++run_.report.uploads;
    bool known = false;
    for (auto home = namespaces_.begin(); !known && home != namespaces_.end(); ++home)
      known = co_await exists(home->second.second, id, stored);
    if (known) continue;
    pb::UploadData data;
    std::vector<kv::Op> ops;
    ops.push_back(kv::Op::erase(std::string(kRecords), id));
    const bool parsed = data.ParseFromString(stored);
    report("", id, parsed ? data.path() : "",
           parsed ? "the object store does not know the upload" : "it does not parse",
           std::move(ops));
  }
}

}  // namespace

Task<> check_leaked_tokens(FsckRun& run) {
  try {
    co_await walk_partitions(run);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::not_implemented) throw;
    run.report.partitions_listed = false;
  }
  run.findings.flush();
}

Task<> check_uploads(FsckRun& run) {
  UploadChecks checks(run);
  co_await checks.check();
}

}  // namespace tarn::catalog
