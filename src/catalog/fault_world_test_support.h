// What the fault loops run on: a repository on stores of several kinds, which fail call by call or
// at the wire, a look at all that clients can see of it, and what must hold whatever happened.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "base/time.h"
#include "block/fs/fs_object_store.h"
#include "block/s3/s3_object_store.h"
#include "block/s3/testing/fake_service.h"
#include "block/testing/faulty_store.h"
#include "catalog/catalog.h"
#include "http/testing/troubled_service.h"
#include "io/blocking_pool.h"
#include "io/loops.h"
#include "kv/dynamo/dynamo_store.h"
#include "kv/dynamo/testing/fake_dynamo.h"
#include "kv/mem/mem_store.h"
#include "kv/postgres/blocking_session.h"
#include "kv/postgres/postgres_store.h"
#include "kv/rocks/rocks_store.h"
#include "kv/testing/faulty_store.h"
#include "testing/fake_clock.h"
#include "testing/postgres_cluster.h"
#include "testing/postgres_trouble.h"
#include "testing/temp_dir.h"

namespace tarn::catalog::faults {

using Rows = std::vector<std::string>;

inline constexpr std::size_t kLarge = 600'000;  // more than one piece, and more than one part in S3

enum class KvKind : std::uint8_t { mem, rocks, postgres, dynamo };
enum class ObjectKind : std::uint8_t { fs, s3, moto };

struct StoreKinds {
  KvKind kv = KvKind::mem;
  ObjectKind objects = ObjectKind::fs;
};

std::string to_string(StoreKinds kinds);

/// What outlives one world: a PostgreSQL, a DynamoDB, an S3 service, and the trouble before each.
class Ground {
 public:
  explicit Ground(StoreKinds kinds);
  ~Ground();
  Ground(const Ground&) = delete;
  Ground& operator=(const Ground&) = delete;

  /// Nothing is stored any more.
  Task<> clear(Context& ctx);

  struct Postgres {
    io::Loops loops{1};
    io::BlockingPool pool{{.name = "metadata", .threads = 2}};
    testing::PostgresTrouble trouble;
    const std::atomic<bool> stop = false;
    kv::PostgresConfig session_config{.connection_string =
                                          testing::PostgresCluster::shared().connection_string()};
    kv::BlockingSession session{session_config, stop};
    std::unique_ptr<kv::PostgresStore> direct;

    Postgres();
    void execute(const std::string& sql);
    std::unique_ptr<kv::PostgresStore> open(bool gives_up_soon);
  };

  struct Dynamo {
    static constexpr std::uint32_t kAttempts = 3;

    const SystemClock clock;
    kv::testing::FakeDynamo fake;
    http::testing::TroubledService trouble;

    Dynamo();
    /// At fake.url(), or through the trouble.
    Task<std::unique_ptr<kv::DynamoStore>> open(Context& ctx, std::string endpoint) const;
  };

  struct S3 {
    static constexpr const char* kBucket = "faults";
    static constexpr std::uint32_t kRetries = 2;

    block::testing::FakeService fake;
    block::testing::Service service;
    block::testing::TroubledService calm;
    block::testing::TroubledService trouble;

    explicit S3(ObjectKind kind);
    std::unique_ptr<block::S3ObjectStore> open(const block::testing::TroubledService& through,
                                               io::BlockingPool& pool) const;
    /// What the service itself answers, without HTTP.
    Task<std::string> ask(Context& ctx, std::string method, std::string target) const;
  };

  const StoreKinds kinds;
  std::optional<Postgres> postgres;
  std::optional<Dynamo> dynamo;
  std::optional<S3> s3;
};

/// One server's catalog on given stores. Nothing is cached by age.
struct CatalogOn {
  testing::FakeClock clock;
  versioning::Committed committed;
  versioning::Engine engine;
  Catalog catalog;

  CatalogOn(kv::Store& kv, block::ObjectStore& objects, io::BlockingPool& pool,
            std::size_t cache_bytes);
};

/// main: a0, a1, a2 and a large one, committed. For one run of an operation; to be closed.
class World {
 public:
  explicit World(Ground& the_ground) : ground(the_ground) {}

  Task<> build(Context& ctx);

  enum class Wire : std::uint8_t {
    none,   // the server's calls are what fails
    fails,  // it goes through what fails at the wire
    dies,   // the same, and it does not wait long for what does not answer
  };

  /// As after a restart of the process.
  Task<> reopen(Context& ctx, Wire wire);
  Task<> close_server();
  Task<> close(Context& ctx);

  Task<> put(Context& ctx, const BranchId& to, std::string path, std::string text,
             UploadParams params = {});
  Task<> commit(Context& ctx, const BranchId& on);
  Task<MultipartUpload> upload(Context& ctx);
  std::string space(std::string_view name) const;

  /// What clients can see, by a reader of its own and without faults. Uploads by path: a client
  /// that never learnt an id begins another.
  Task<Rows> state(Context& ctx);
  /// What state() has seen last: fsck finds no damage, and no temporary file is left.
  Task<> check(Context& ctx);
  /// The same: uploads that are open in the S3 service and of which there is no record.
  Task<std::size_t> leaked_uploads(Context& ctx);
  /// Waits until what a server asked for has been done and, once the world is closed, until its
  /// last connection has gone; false: that does not happen.
  Task<bool> is_quiet();

  Ground& ground;
  std::optional<kv::testing::FaultyStore> faulty_kv;
  std::optional<block::testing::FaultyStore> faulty_objects;
  std::unique_ptr<CatalogOn> server;
  BranchId main = BranchId::from_stored("main");
  std::optional<versioning::Repository> repo;
  std::string upload_id;
  std::vector<block::Part> parts;

 private:
  Task<> open_stores(Context& ctx);
  Task<> list(Context& ctx, CatalogOn& reader, const versioning::Repository& found, std::string ref,
              std::map<std::string, std::size_t>& sizes, Rows& rows);
  /// Copies the records, so that they can be looked at from all sides.
  Task<> look(Context& ctx);
  Task<> list_parts(Context& ctx, CatalogOn& reader, Rows& rows);

  io::BlockingPool pool_{{.name = "test", .threads = 2}};
  std::optional<testing::TempDir> dir_;
  // Without faults.
  std::unique_ptr<kv::Store> own_kv_;
  std::unique_ptr<block::ObjectStore> own_objects_;
  kv::Store* kv_ = nullptr;
  std::optional<kv::MemStore> copy_;
  // The server's ways to the same, where it has its own.
  std::unique_ptr<kv::Store> wire_kv_;
  std::unique_ptr<block::S3ObjectStore> wire_objects_;
};

using Act = std::function<Task<>(Context&, World&)>;

struct Operation {
  std::string_view name;
  Act prepare;
  Act run;
  /// What a repetition may end in when the first try had come through after all.
  std::set<ErrorCode> done_already;
  bool partial_is_fine = false;  // several independent writes: each old or new
  bool one_step = false;         // it writes one record at a time
  bool often = false;            // of those tried on every pair of stores, every day
  /// What it ends in when a store is in trouble, beside what says so.
  std::set<ErrorCode> refusals = {};
};

const std::vector<Operation>& operations();

struct States {
  Rows before;
  Rows after;
};

}  // namespace tarn::catalog::faults
