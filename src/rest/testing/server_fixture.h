// A whole server on memory stores, asked through Api::handle().
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "auth/authority.h"
#include "block/mem/mem_object_store.h"
#include "catalog/catalog.h"
#include "io/blocking_pool.h"
#include "kv/mem/mem_store.h"
#include "rest/api.h"
#include "rest/testing/fake_http.h"
#include "testing/fake_clock.h"
#include "versioning/committed/committed.h"
#include "versioning/engine.h"

namespace tarn::rest::testing {

struct Answer {
  std::uint16_t status = 0;
  std::string body;
  bool read_body = false;  // whether the request's body was looked at
  std::optional<std::uint64_t> announced_length;
  std::function<std::string(std::string_view)> header;
  std::function<bool(std::string_view)> has_header;

  /// The "message" of an error; the whole body if it is none.
  std::string message() const;
  /// A text or number member, by path: "pagination.next_offset", "results.0.id".
  std::string at(std::string_view path) const;
  /// Elements of an array member; of "results" if no path is given.
  std::size_t count(std::string_view path = "results") const;
  /// `member` of every element of "results".
  std::vector<std::string> all(std::string_view member) const;
};

/// The fixture of most tests here. ask() runs one request to its end.
class ServerTest : public ::testing::Test {
 public:
  ServerTest();

  static constexpr std::string_view kKeyId = "AKIATEST";
  static constexpr std::string_view kSecret = "sekret";

  /// As the administrator.
  Answer ask(RequestSpec spec);
  Answer ask_as_stranger(RequestSpec spec);
  /// `path` is below /api/v1.
  Answer get(std::string_view path);
  Answer send(std::string_view method, std::string_view path, std::string_view json = {});
  Answer upload(std::string_view branch, std::string_view path, std::string_view content,
                std::vector<std::pair<std::string, std::string>> headers = {});

  /// First-run set-up with kKeyId and kSecret.
  void set_up();
  /// A repository on a fresh namespace, after set-up.
  void create_repository(std::string_view name = "repo");
  /// Commits what is staged on a branch; the commit's id.
  std::string commit(std::string_view branch, std::string_view message);

  ::tarn::testing::FakeClock clock;
  io::BlockingPool pool{{.name = "test", .threads = 2}};
  kv::MemStore kv;
  block::MemObjectStore objects{clock};
  versioning::Committed committed{objects, pool, {}};
  versioning::Engine engine{{.kv = kv, .committed = committed, .clock = clock, .loops = nullptr},
                            {.repository_cache_age = {}, .protection_cache_age = {}}};
  catalog::Catalog catalog{{.kv = kv, .objects = objects, .engine = engine, .clock = clock}, {}};
  auth::Authority authority{kv, clock, {.secret_key = "some secret", .cache_age = {}}};
  ApiConfig config;
  std::optional<Api> api;
};

/// ServerTest with set-up done and the repository "repo".
class RepositoryTest : public ServerTest {
 public:
  RepositoryTest() { create_repository(); }
};

}  // namespace tarn::rest::testing
