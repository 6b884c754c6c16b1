// A gateway over memory stores, asked with signed requests.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "auth/authority.h"
#include "aws/sigv4_sign.h"
#include "block/mem/mem_object_store.h"
#include "catalog/catalog.h"
#include "io/blocking_pool.h"
#include "kv/mem/mem_store.h"
#include "s3gw/gateway.h"
#include "s3gw/testing/fake_http.h"
#include "testing/fake_clock.h"
#include "versioning/committed/committed.h"
#include "versioning/engine.h"

namespace tarn::s3gw::testing {

struct Answer {
  std::uint16_t status = 0;
  std::string body;
  Headers headers;
  bool read_body = false;
  std::optional<std::uint64_t> announced_length;

  /// "" if there is none. Two of one name fail the test.
  std::string header(std::string_view name) const;
  /// Text of the first element of that name; "" if there is none.
  std::string element(std::string_view name) const;
  /// Texts of all elements of that name.
  std::vector<std::string> elements(std::string_view name) const;
  /// "404 NoSuchKey": status and error code.
  std::string error() const;
};

/// The repository "repo" with the branch main, in the region us-east-1.
class GatewayTest : public ::testing::Test {
 public:
  GatewayTest();

  /// Signed with V4 and the body's hash, unless the headers say otherwise.
  Answer ask(RequestSpec spec);
  /// As it is.
  Answer ask_unsigned(RequestSpec spec);
  Answer get(std::string_view path, std::string_view query = {}, Headers headers = {});
  Answer head(std::string_view path, Headers headers = {});
  Answer put(std::string_view path, std::string_view body, Headers headers = {},
             std::string_view query = {});
  Answer remove(std::string_view path, std::string_view query = {}, Headers headers = {});
  Answer post(std::string_view path, std::string_view query, std::string_view body = {},
              Headers headers = {});

  void create_branch(std::string_view name, bool hidden = false);
  std::string commit(std::string_view message);
  /// The object as the catalog has it.
  std::optional<catalog::Entry> find(std::string_view ref, std::string_view path);
  /// Objects in the store, visible or not.
  std::size_t stored_objects();

  aws::Credentials credentials() const { return {.access_key = key_id, .secret_key = secret}; }

  std::string key_id = "AKIATEST";
  std::string secret = "sekret";
  ::tarn::testing::FakeClock clock;
  io::BlockingPool pool{{.name = "test", .threads = 2}};
  kv::MemStore kv;
  block::MemObjectStore objects{clock};
  versioning::Committed committed{objects, pool, {}};
  versioning::Engine engine{{.kv = kv, .committed = committed, .clock = clock, .loops = nullptr},
                            {.repository_cache_age = {}, .protection_cache_age = {}}};
  catalog::Catalog catalog{{.kv = kv, .objects = objects, .engine = engine, .clock = clock}, {}};
  auth::Authority authority{kv, clock, {.secret_key = "some secret", .cache_age = {}}};
  Gateway gateway{{.catalog = catalog, .authority = authority, .clock = clock},
                  {.domains = {"s3.example.com"}, .put_bytes_max = 1 << 20, .part_bytes_min = 10}};
  std::optional<versioning::Repository> repository;
};

}  // namespace tarn::s3gw::testing
