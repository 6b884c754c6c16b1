// The contract of ObjectStore against an S3 server that is not ours, and what only S3 has.
#include <string>

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "block/s3/testing/fake_service.h"
#include "block/s3/testing/moto.h"
#include "block/testing/bodies.h"
#include "block/testing/object_store_suite.h"
#include "testing/co_test.h"

namespace tarn::block {
namespace {

using testing::make_bucket;
using testing::make_s3_store;
using testing::moto_endpoint;
using testing::s3_test_config;
using testing::StoreCase;
using testing::StoreUnderTest;

class S3ObjectStoreSuite : public ::testing::TestWithParam<StoreCase> {
 public:
  void SetUp() override { TARN_NEEDS_MOTO(); }

  io::BlockingPool pool{{.name = "s3", .threads = 2}};
};

/// moto keeps names as text, so bytes that are no UTF-8 do not survive in it; and it answers 500,
/// or success, for uploads it does not know, and pages through parts by counting numbers.
bool beyond_moto(std::string_view name) {
  return name == "AddressesKeepTheirOddBytes" || name == "ListsInByteOrderInAnyPageSize" ||
         name == "ListsByPrefixAndAfterAnyPoint" || name == "ACompletedUploadIsUnknown" ||
         name == "UnknownUploadsAreRefused" || name == "AbortingDropsEverythingAndIsIdempotent" ||
         name == "ListsPartsInPages";
}

CO_TEST_P(S3ObjectStoreSuite, Holds) {
  S3Config config = s3_test_config(*moto_endpoint());
  const auto given = testing::given_space();
  if (!given) {
    co_await make_bucket(ctx, *moto_endpoint(), "contract");
    config.part_bytes = 300'000;  // so that the suite's bodies go both ways
  }
  const auto store = make_s3_store(config, self.pool);
  const std::string space =
      given.value_or("s3://contract") + "/" + std::string(self.GetParam().name);
  co_await self.GetParam().run(ctx, StoreUnderTest{*store, space});
  co_await store->close();
}

std::vector<StoreCase> cases() {
  std::vector<StoreCase> all = testing::object_store_cases();
  if (!testing::given_space()) {
    std::erase_if(all, [](const StoreCase& one) { return beyond_moto(one.name); });
  }
  return all;
}

INSTANTIATE_TEST_SUITE_P(Contract, S3ObjectStoreSuite, ::testing::ValuesIn(cases()),
                         testing::store_case_name);

/// In this process, and without moto's gaps.
class S3OnFake : public ::testing::TestWithParam<StoreCase> {
 public:
  testing::FakeService fake;
  testing::TroubledService service{[this](Context& ctx, testing::ServiceRequest request) {
    return fake.serve(ctx, std::move(request));
  }};
  io::BlockingPool pool{{.name = "s3", .threads = 2}};
};

CO_TEST_P(S3OnFake, Holds) {
  S3Config config = s3_test_config(self.service.endpoint());
  config.part_bytes = 300'000;
  co_await make_bucket(ctx, self.service.endpoint(), "contract");
  const auto store = make_s3_store(config, self.pool);
  co_await self.GetParam().run(ctx, StoreUnderTest{*store, "s3://contract/space"});
  co_await store->close();
}

INSTANTIATE_TEST_SUITE_P(Contract, S3OnFake, ::testing::ValuesIn(testing::object_store_cases()),
                         testing::store_case_name);

class S3OnMoto : public ::testing::Test {
 public:
  void SetUp() override { TARN_NEEDS_MOTO(); }

  ObjectRef ref(std::string address) const {
    return {"s3://moto/space", std::move(address), AddressType::relative};
  }

  io::BlockingPool pool{{.name = "s3", .threads = 2}};
};

CO_TEST_F(S3OnMoto, StoresALargeBodyInPartsOfBoundedMemory) {
  co_await make_bucket(ctx, *moto_endpoint(), "moto");
  S3Config config = s3_test_config(*moto_endpoint());
  config.part_bytes = 1 << 20;
  config.part_buffers = 2;  // fewer than parts at once: some go out inline
  const auto store = make_s3_store(config, self.pool);
  constexpr std::uint64_t kBytes = 20'000'000;
  testing::PatternSource body(kBytes);
  Digests digests;
  const auto result = co_await store->put(ctx, self.ref("large"), body, {.digests = &digests});
  EXPECT_EQ(result.size, kBytes);
  const std::string all = co_await testing::get_text(ctx, *store, self.ref("large"));
  EXPECT_TRUE(all == testing::patterned(kBytes));
  EXPECT_EQ(to_hex(digests.finish().md5), to_hex(md5(all)));
  EXPECT_TRUE((co_await store->head(ctx, self.ref("large")))->etag.ends_with("-20"));
  co_await store->close();
}

CO_TEST_F(S3OnMoto, CopiesInPartsWhatIsTooLargeForOne) {
  co_await make_bucket(ctx, *moto_endpoint(), "moto");
  S3Config config = s3_test_config(*moto_endpoint());
  config.copy_whole_bytes_max = 1'000;
  config.copy_part_bytes = 700;
  const auto store = make_s3_store(config, self.pool);
  const std::string text = testing::patterned(3'000);
  co_await testing::put_text(ctx, *store, self.ref("from é"), text);
  EXPECT_EQ((co_await store->copy(ctx, self.ref("from é"), self.ref("to"))).size, 3'000u);
  EXPECT_TRUE(co_await testing::get_text(ctx, *store, self.ref("to")) == text);
  co_await store->close();
}

CO_TEST_F(S3OnMoto, StreamsALargePartOfAClientsUpload) {
  co_await make_bucket(ctx, *moto_endpoint(), "moto");
  S3Config config = s3_test_config(*moto_endpoint());
  config.streamed_part_bytes = 1'000;
  const auto store = make_s3_store(config, self.pool);
  const std::string text = testing::patterned(3'000'000);
  const auto id = co_await store->create_multipart(ctx, self.ref("parts"));
  testing::PiecesSource body({text.substr(0, 10), text.substr(10)}, true);
  const auto etag = co_await store->upload_part(ctx, self.ref("parts"), id, 1, body);
  EXPECT_EQ(etag, to_hex(md5(text)));
  testing::PiecesSource refused({text}, true);
  PutOptions options{.accept = [] { throw Error(ErrorCode::precondition_failed, "refused"); }};
  CO_EXPECT_ERROR(store->upload_part(ctx, self.ref("parts"), id, 2, refused, options),
                  ErrorCode::precondition_failed);
  EXPECT_EQ((co_await store->list_parts(ctx, self.ref("parts"), id, 0, 10)).size(), 1u);
  co_await store->complete_multipart(ctx, self.ref("parts"), id, {{1, etag}});
  EXPECT_TRUE(co_await testing::get_text(ctx, *store, self.ref("parts")) == text);
  co_await store->close();
}

CO_TEST_F(S3OnMoto, ListsInByteOrderPageByPage) {
  co_await make_bucket(ctx, *moto_endpoint(), "moto");
  const auto store = make_s3_store(s3_test_config(*moto_endpoint()), self.pool);
  const std::string space = "s3://moto/listed";
  const std::vector<std::string> names = {"a",   "a b+c%", "a-b", "a.b/x",
                                          "a/b", "a/b-c",  "ab",  "\xc3\xa9/z"};
  for (const auto& name : names) {
    co_await testing::put_text(ctx, *store, {space, name, AddressType::relative}, name);
  }
  for (const std::size_t page_objects : {1u, 3u, 1'000u}) {
    std::vector<std::string> seen;
    for (bool more = true; more;) {
      const std::string after = seen.empty() ? "" : seen.back();
      const auto page = co_await store->list(ctx, space, "", after, page_objects);
      EXPECT_LE(page.objects.size(), page_objects);
      for (const auto& object : page.objects)
        seen.push_back(object.address);
      more = page.more;
    }
    EXPECT_EQ(seen, names) << page_objects;
  }
  const auto below = co_await store->list(ctx, space, "a/", "a/b", 10);
  EXPECT_EQ(below.objects.size(), 1u);
  co_await store->close();
}

CO_TEST_F(S3OnMoto, RefusesABucketThatDoesNotExist) {
  const auto store = make_s3_store(s3_test_config(*moto_endpoint()), self.pool);
  const ObjectRef nowhere{"s3://no-such-bucket/x", "k", AddressType::relative};
  io::StringSource body("x");
  CO_EXPECT_ERROR(store->put(ctx, nowhere, body), ErrorCode::invalid_argument);
  CO_EXPECT_ERROR(store->get(ctx, nowhere), ErrorCode::invalid_argument);
  CO_EXPECT_ERROR(store->list(ctx, nowhere.storage_namespace, "", "", 5),
                  ErrorCode::invalid_argument);
  co_await store->close();
}

CO_TEST_F(S3OnMoto, PresignedUrlsWorkWithoutKeys) {
  co_await make_bucket(ctx, *moto_endpoint(), "moto");
  const auto store = make_s3_store(s3_test_config(*moto_endpoint()), self.pool);
  http::Client client;
  const auto put = co_await store->presign_put(ctx, self.ref("by url"));
  const auto put_url = http::parse_url(put.url);
  CO_ASSERT_TRUE(put_url.has_value());
  const auto stored = co_await client.send(
      ctx,
      {.method = "PUT", .endpoint = put_url->endpoint, .target = put_url->target, .body = "hello"});
  EXPECT_EQ(stored.status(), 200);
  const auto get = co_await store->presign_get(ctx, self.ref("by url"), "a b.csv");
  const auto get_url = http::parse_url(get.url);
  auto got = co_await client.send(ctx, {.endpoint = get_url->endpoint, .target = get_url->target});
  EXPECT_EQ(co_await got.read_all(ctx, 100), "hello");
  EXPECT_EQ(co_await testing::get_text(ctx, *store, self.ref("by url")), "hello");
  co_await store->close();
}

CO_TEST_F(S3OnMoto, AsksForEncryption) {
  co_await make_bucket(ctx, *moto_endpoint(), "moto");
  S3Config config = s3_test_config(*moto_endpoint());
  config.server_side_encryption = "aws:kms";
  config.server_side_encryption_kms_key_id = "key-id";
  const auto store = make_s3_store(config, self.pool);
  co_await testing::put_text(ctx, *store, self.ref("encrypted"), "x");
  const auto url =
      http::parse_url((co_await store->presign_get(ctx, self.ref("encrypted"), {})).url);
  http::Client client;
  const auto seen = co_await client.send(ctx, {.endpoint = url->endpoint, .target = url->target});
  EXPECT_EQ(seen.header("x-amz-server-side-encryption"), "aws:kms");
  EXPECT_EQ(seen.header("x-amz-server-side-encryption-aws-kms-key-id"), "key-id");
  co_await store->close();
}

CO_TEST_F(S3OnMoto, CanBeProbed) {
  const auto store = make_s3_store(s3_test_config(*moto_endpoint()), self.pool);
  co_await store->probe(ctx);
  const auto nobody = make_s3_store(s3_test_config("http://127.0.0.1:1"), self.pool);
  CO_EXPECT_ERROR(nobody->probe(ctx), ErrorCode::unavailable);
}

}  // namespace
}  // namespace tarn::block
