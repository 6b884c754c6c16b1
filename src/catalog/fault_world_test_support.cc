#include "catalog/fault_world_test_support.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "aws/credentials/credentials.h"
#include "base/error.h"
#include "base/format.h"
#include "base/metrics.h"
#include "block/s3/testing/moto.h"
#include "block/testing/bodies.h"
#include "catalog/fsck.h"
#include "io/byte_source.h"
#include "io/sync.h"

namespace tarn::catalog::faults {

using block::testing::make_s3_store;
using block::testing::TroubledService;
using versioning::Repository;

namespace {

metrics::Gauge& http_connections() {
  return metrics::gauge("tarn_http_connections", "");
}

metrics::Gauge& http_requests() {
  return metrics::gauge("tarn_http_requests_in_flight", "");
}

}  // namespace

std::string to_string(StoreKinds kinds) {
  constexpr std::string_view kKvs[] = {"mem", "rocks", "postgres", "dynamo"};
  constexpr std::string_view kObjects[] = {"fs", "s3", "moto"};
  return format("{}_{}", kKvs[static_cast<std::size_t>(kinds.kv)],
                kObjects[static_cast<std::size_t>(kinds.objects)]);
}

// --- Ground ---

Ground::Postgres::Postgres() : trouble(testing::PostgresCluster::shared()) {
  // One table instead of a hundred: as right (some engines want it so), and much faster to empty.
  execute(
      "CREATE TABLE IF NOT EXISTS kv (partition_key bytea NOT NULL, key bytea NOT NULL, "
      "value bytea NOT NULL, PRIMARY KEY (partition_key, key))");
  direct = kv::PostgresStore::open(
      {.connection_string = session_config.connection_string, .connections_max = 2}, loops, pool);
}

void Ground::Postgres::execute(const std::string& sql) {
  session.allow(std::chrono::minutes(1));
  session.execute(sql);
}

std::unique_ptr<kv::PostgresStore> Ground::Postgres::open(bool gives_up_soon) {
  kv::PostgresConfig config{.connection_string = trouble.connection_string(), .connections_max = 2};
  if (gives_up_soon) config.unreachable_after = std::chrono::milliseconds(100);
  return kv::PostgresStore::open(std::move(config), loops, pool);
}

Ground::Dynamo::Dynamo()
    : trouble(
          [this](Context& ctx, http::testing::ServiceRequest request) {
            return fake.serve(ctx, std::move(request));
          },
          kv::testing::FakeDynamo::throttled()) {}

Task<std::unique_ptr<kv::DynamoStore>> Ground::Dynamo::open(Context& ctx,
                                                            std::string endpoint) const {
  co_return co_await kv::DynamoStore::open(
      ctx,
      {.endpoint = std::move(endpoint),
       .max_attempts = kAttempts,
       .backoff_first = std::chrono::milliseconds(1),
       .backoff_max = std::chrono::milliseconds(4)},
      {.client = std::make_unique<http::Client>(),
       .credentials = std::make_unique<aws::FixedCredentials>(
           aws::Credentials{.access_key = "AKIATEST", .secret_key = "secret"})},
      clock);
}

Ground::S3::S3(ObjectKind kind)
    : service(kind == ObjectKind::moto
                  ? TroubledService::forward_to(*block::testing::moto_endpoint())
                  : [this](Context& ctx,
                           block::testing::ServiceRequest
                               request) { return fake.serve(ctx, std::move(request)); }),
      calm(service),
      trouble(service) {}

std::unique_ptr<block::S3ObjectStore> Ground::S3::open(const TroubledService& through,
                                                       io::BlockingPool& pool) const {
  block::S3Config config = block::testing::s3_test_config(through.endpoint());
  config.part_bytes = kLarge / 2 - 1;
  config.max_retries = kRetries;
  return make_s3_store(std::move(config), pool);
}

Ground::Ground(StoreKinds the_kinds) : kinds(the_kinds) {
  if (kinds.kv == KvKind::postgres) postgres.emplace();
  if (kinds.kv == KvKind::dynamo) dynamo.emplace();
  if (kinds.objects != ObjectKind::fs) s3.emplace(kinds.objects);
}

Ground::~Ground() = default;

Task<std::string> Ground::S3::ask(Context& ctx, std::string method, std::string target) const {
  auto answer = co_await service(ctx, {.method = std::move(method), .target = std::move(target)});
  EXPECT_EQ(answer.status, 200);
  co_return std::move(answer.body);
}

Task<> Ground::clear(Context& ctx) {
  if (postgres) {
    postgres->execute("TRUNCATE kv");
    postgres->trouble.heal();
  }
  if (dynamo) {
    dynamo->trouble.heal();
    dynamo->fake.clear();
  }
  if (!s3) co_return;
  s3->trouble.heal();
  s3->fake.clear();
  if (kinds.objects == ObjectKind::moto) co_await s3->ask(ctx, "POST", "/moto-api/reset");
  co_await s3->ask(ctx, "PUT", format("/{}", S3::kBucket));
}

// --- World ---

CatalogOn::CatalogOn(kv::Store& kv, block::ObjectStore& objects, io::BlockingPool& pool,
                     std::size_t cache_bytes)
    : committed(objects, pool, {.range_raggedness_entries = 4, .memory_cache_bytes = cache_bytes}),
      engine({.kv = kv, .committed = committed, .clock = clock, .loops = nullptr},
             {.repository_cache_age = {},
              .protection_cache_age = {},
              .branch_update_backoff = std::chrono::milliseconds(1)}),
      catalog({.kv = kv, .objects = objects, .engine = engine, .clock = clock}, {}) {}

Task<> World::open_stores(Context& ctx) {
  const auto& [kv_kind, object_kind] = ground.kinds;
  if (kv_kind == KvKind::rocks || object_kind == ObjectKind::fs) dir_.emplace();
  switch (kv_kind) {
    case KvKind::mem: own_kv_ = std::make_unique<kv::MemStore>(); break;
    case KvKind::rocks:
      own_kv_ = kv::RocksStore::open({.directory = dir_->file("kv"), .sync = false}, pool_);
      break;
    case KvKind::postgres: break;
    case KvKind::dynamo:
      own_kv_ = co_await ground.dynamo->open(ctx, ground.dynamo->fake.url());
      break;
  }
  kv_ = own_kv_ ? own_kv_.get() : ground.postgres->direct.get();
  if (object_kind != ObjectKind::fs) {
    own_objects_ = ground.s3->open(ground.s3->calm, pool_);
  } else {
    own_objects_ = co_await block::FsObjectStore::open(
        ctx, {.root = dir_->file("blocks"), .sync = false}, pool_);
  }
}

Task<> World::build(Context& ctx) {
  co_await ground.clear(ctx);
  co_await open_stores(ctx);
  co_await reopen(ctx, Wire::none);
  repo = co_await server->catalog.create_repository(
      ctx, {.name = "repo", .storage_namespace = space("repo"), .default_branch = "main"});
  for (int i = 0; i < 3; ++i)
    co_await put(ctx, main, format("a{}", i), "text");
  co_await put(ctx, main, "large", block::testing::patterned(kLarge));
  co_await commit(ctx, main);
}

Task<> World::reopen(Context& ctx, Wire wire) {
  co_await close_server();
  kv::Store* kv = kv_;
  block::ObjectStore* objects = own_objects_.get();
  if (wire != Wire::none && ground.postgres) wire_kv_ = ground.postgres->open(wire == Wire::dies);
  if (wire != Wire::none && ground.dynamo)
    wire_kv_ = co_await ground.dynamo->open(ctx, ground.dynamo->trouble.endpoint());
  if (wire_kv_) kv = wire_kv_.get();
  if (wire != Wire::none && ground.s3) {
    wire_objects_ = ground.s3->open(ground.s3->trouble, pool_);
    objects = wire_objects_.get();
  }
  faulty_kv.emplace(*kv);
  faulty_objects.emplace(*objects);
  server = std::make_unique<CatalogOn>(*faulty_kv, *faulty_objects, pool_, 1);
}

Task<> World::close_server() {
  if (!server) co_return;
  co_await server->engine.stop();
  co_await server->committed.close();
  server.reset();
  if (wire_kv_) co_await wire_kv_->close();
  if (wire_objects_) co_await wire_objects_->close();
  wire_kv_.reset();
  wire_objects_.reset();
}

Task<> World::close(Context&) {
  co_await close_server();
  if (own_objects_) co_await own_objects_->close();
  if (own_kv_) co_await own_kv_->close();
  own_objects_.reset();
}

std::string World::space(std::string_view name) const {
  return ground.s3 ? format("s3://{}/{}", Ground::S3::kBucket, name) : format("local://{}", name);
}

Task<> World::put(Context& ctx, const BranchId& to, std::string path, std::string text,
                  UploadParams params) {
  block::testing::PiecesSource body({std::move(text)});
  co_await server->catalog.upload(ctx, *repo, to, path, body, std::move(params));
}

Task<> World::commit(Context& ctx, const BranchId& on) {
  server->clock.advance(std::chrono::seconds(1));
  co_await server->engine.commit(ctx, *repo, on, {.committer = "c", .message = "m"});
}

Task<MultipartUpload> World::upload(Context& ctx) {
  return server->catalog.get_upload(ctx, *repo, main, "joined", upload_id);
}

Task<> World::look(Context& ctx) {
  copy_.emplace();
  std::optional<kv::Address> after;
  for (;;) {
    auto rows = co_await kv_->read_rows(ctx, after, kv::kPageKeysMax);
    if (rows.empty()) break;
    after = rows.back().address;
    std::vector<kv::Op> ops;
    for (kv::Row& row : rows) {
      ops.push_back(kv::Op::set(std::move(row.address.partition), std::move(row.address.key),
                                std::move(row.value)));
    }
    co_await copy_->run(ctx, std::move(ops));
  }
}

Task<Rows> World::state(Context& ctx) {
  co_await look(ctx);
  CatalogOn reader(*copy_, *own_objects_, pool_, 1 << 20);
  Rows rows;
  const auto repositories = co_await reader.engine.list_repositories(ctx, {});
  for (const Repository& found : repositories.items) {
    rows.push_back("repository " + found.id.str());
    const auto branches = co_await reader.engine.list_branches(ctx, found, {}, true);
    std::map<std::string, std::size_t> sizes;
    for (const auto& at : branches.items) {
      for (const std::string& ref : {at.id.str(), at.id.str() + "@"})
        co_await list(ctx, reader, found, ref, sizes, rows);
    }
    std::set<std::string> paths;
    const auto uploads = co_await reader.catalog.list_uploads(ctx, found, "", "", "", 100);
    for (const auto& one : uploads.uploads)
      paths.insert("upload of " + one.path);
    rows.insert(rows.end(), paths.begin(), paths.end());
  }
  if (repo && !upload_id.empty()) co_await list_parts(ctx, reader, rows);
  co_await reader.engine.stop();
  co_await reader.committed.close();
  co_return rows;
}

Task<> World::list(Context& ctx, CatalogOn& reader, const Repository& found, std::string ref,
                   std::map<std::string, std::size_t>& sizes, Rows& rows) {
  const auto listing = co_await reader.catalog.list(ctx, found, ref, {.amount = 1'000});
  for (const ListItem& item : listing.items) {
    if (!sizes.contains(item.entry.address)) {
      const auto source = co_await reader.catalog.open(ctx, found, item.entry);
      const auto bytes = co_await io::read_all(ctx, *source, 10 * kLarge);
      sizes[item.entry.address] = bytes.size();
    }
    std::string row =
        format("{}: {} {} {} bytes", ref, item.path, item.entry.etag, sizes[item.entry.address]);
    for (const auto& [name, value] : item.entry.metadata)
      row += format(" {}={}", name, value);
    rows.push_back(std::move(row));
  }
}

Task<> World::list_parts(Context& ctx, CatalogOn& reader, Rows& rows) {
  try {
    const auto found = co_await reader.catalog.get_upload(ctx, *repo, main, "joined", upload_id);
    for (const auto& part : co_await reader.catalog.list_parts(ctx, *repo, found, 0, 100))
      rows.push_back(format("part {} {}", part.info.number, part.info.etag));
  } catch (const Error& error) {
    if (error.code() != ErrorCode::upload_not_found) throw;
  }
}

Task<> World::check(Context& ctx) {
  versioning::Committed committed(*own_objects_, pool_, {});
  std::string problems;
  const auto report = co_await run_fsck(
      ctx, {.kv = *copy_, .objects = *own_objects_, .committed = committed},
      {.read_objects = !ground.s3}, [&](const Problem& problem) {
        if (severity_of(problem.finding) == Severity::damage)
          problems += format("{} {}; ", to_string(problem.finding), problem.where);
      });
  EXPECT_EQ(problems, "");
  EXPECT_TRUE(report.clean());
  co_await committed.close();
  if (ground.s3) co_return;
  std::size_t files = 0;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(dir_->file("blocks/.tarn/tmp"))) {
    if (!entry.is_directory()) ++files;
  }
  EXPECT_EQ(files, 0u) << "temporary files";
}

Task<std::size_t> World::leaked_uploads(Context& ctx) {
  if (!ground.s3) co_return 0;
  CatalogOn reader(*copy_, *own_objects_, pool_, 1);
  std::size_t leaked = 0;
  const auto uploads = co_await reader.catalog.list_uploads(ctx, *repo, "", "", "", 100);
  std::string open =
      co_await ground.s3->ask(ctx, "GET", format("/{}?uploads=", Ground::S3::kBucket));
  for (const std::string& id : block::testing::upload_ids(open)) {
    if (std::ranges::find(uploads.uploads, id, &MultipartUpload::id) == uploads.uploads.end())
      ++leaked;
  }
  co_await reader.engine.stop();
  co_await reader.committed.close();
  co_return leaked;
}

Task<bool> World::is_quiet() {
  const auto quiet = [this] {
    if (ground.postgres && ground.postgres->trouble.connections() > 0) return false;
    const auto& gauge = own_objects_ ? http_requests() : http_connections();
    return gauge.value() == 0;
  };
  for (int tries = 0; tries < 30'000 && !quiet(); ++tries)
    co_await io::sleep(std::chrono::milliseconds(1));
  co_return quiet();
}

}  // namespace tarn::catalog::faults
