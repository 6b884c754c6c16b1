// URLs for clients: in the place of addresses and of bytes, and for parts of uploads.
#include <gtest/gtest.h>

#include "base/format.h"
#include "block/testing/presigning_store.h"
#include "rest/testing/server_fixture.h"
#include "testing/co_test.h"

namespace tarn::rest {
namespace {

using testing::Answer;

class PresignTest : public testing::RepositoryTest {
 public:
  PresignTest() {
    api.emplace(Api::Parts{.catalog = presigning, .authority = authority, .clock = clock}, config);
    upload("main", "d/a b.txt", "hello", {{"Content-Type", "text/plain"}});
    upload("main", "x", "1", {{"x-lakefs-meta-k", "v"}});
  }

  Answer on_main(std::string_view method, std::string_view path, std::string_view json = {}) {
    return send(method, format("/repositories/repo/branches/main{}", path), json);
  }

  Answer read(std::string_view path) {
    return get(format("/repositories/repo/refs/main/objects{}", path));
  }

  Answer begin(std::string_view path, int parts) {
    return on_main("POST", format("/staging/pmpu?path={}&parts={}", path, parts));
  }

  static std::string where(const Answer& begun) {
    return format(R"("physical_address":"{}")", begun.at("physical_address"));
  }

  /// The JSON of the part, sent as its URL's holder would.
  std::string send_part(const Answer& begun, std::uint32_t number, std::string text) {
    const std::string address = begun.at("physical_address").substr(sizeof("mem://repo/") - 1);
    const block::ObjectRef ref{.storage_namespace = "mem://repo", .address = address};
    std::string etag;
    ::tarn::testing::run_co([&](Context& ctx) -> Task<> {
      return put(ctx, ref, begun.at("upload_id"), number, std::move(text), etag);
    });
    return format(R"({{"part_number":{},"etag":"\"{}\""}})", number, etag);
  }

  Task<> put(Context& ctx, const block::ObjectRef& ref, std::string upload, std::uint32_t number,
             std::string text, std::string& etag) {
    io::StringSource body(std::move(text));
    etag = co_await objects.upload_part(ctx, ref, upload, number, body);
  }

  Answer complete(const Answer& begun, std::string_view path, std::string_view parts,
                  std::string_view more = {}) {
    return on_main("PUT", format("/staging/pmpu/{}?path={}", begun.at("upload_id"), path),
                   format(R"({{{},"parts":[{}]{}}})", where(begun), parts, more));
  }

  std::string expiry() const {
    return std::to_string(clock.now().seconds + block::testing::PresigningStore::kExpirySeconds);
  }

  block::testing::PresigningStore store{objects, clock};
  catalog::Catalog presigning{{.kv = kv, .objects = store, .engine = engine, .clock = clock}, {}};
};

TEST_F(PresignTest, IsAnnounced) {
  const auto told = get("/config/storage");
  EXPECT_EQ(told.at("pre_sign_support"), "true");
  EXPECT_EQ(told.at("pre_sign_support_ui"), "false");
  EXPECT_EQ(told.at("pre_sign_multipart_upload"), "true");
  store.offer(true, false);
  EXPECT_EQ(get("/config/storage").at("pre_sign_multipart_upload"), "false");
}

TEST_F(PresignTest, SendsReadersToTheStore) {
  const Answer answer = read("?path=d/a%20b.txt&presign=true");
  EXPECT_EQ(answer.status, 302);
  EXPECT_EQ(answer.body, "");
  EXPECT_TRUE(answer.header("Location").starts_with("https://store/mem://repo/data/"));
  EXPECT_TRUE(answer.header("Location").ends_with("?GET&name=a b.txt"));
  EXPECT_FALSE(answer.has_header("ETag"));
  const std::string etag = read("?path=x").header("ETag");
  const Answer fresh =
      ask({.target = "/api/v1/repositories/repo/refs/main/objects?path=x&presign=true",
           .headers = {{"If-None-Match", etag}}});
  EXPECT_EQ(fresh.status, 304);
  EXPECT_EQ(read("?path=none&presign=true").status, 404);
  // Ranges are the store's business then.
  const Answer ranged =
      ask({.target = "/api/v1/repositories/repo/refs/main/objects?path=x&presign=true",
           .headers = {{"Range", "bytes=100-200"}}});
  EXPECT_EQ(ranged.status, 302);
}

TEST_F(PresignTest, StandsInThePlaceOfAnAddress) {
  const Answer stat = read("/stat?path=x&presign=true");
  EXPECT_TRUE(stat.at("physical_address").ends_with("?GET&name=x")) << stat.body;
  EXPECT_EQ(stat.at("physical_address_expiry"), expiry());
  EXPECT_EQ(stat.at("metadata.k"), "v");
  const Answer plain = read("/stat?path=x");
  EXPECT_TRUE(plain.at("physical_address").starts_with("mem://repo/data/"));
  EXPECT_EQ(plain.at("physical_address_expiry"), "(absent)");
}

TEST_F(PresignTest, StandsInListings) {
  const Answer page = read("/ls?presign=true&delimiter=/");
  ASSERT_EQ(page.count(), 2U) << page.body;
  EXPECT_EQ(page.at("results.0.path"), "d/");
  EXPECT_EQ(page.at("results.0.physical_address"), "");
  EXPECT_EQ(page.at("results.0.physical_address_expiry"), "(absent)");
  EXPECT_TRUE(page.at("results.1.physical_address").ends_with("?GET&name=x")) << page.body;
  EXPECT_EQ(page.at("results.1.physical_address_expiry"), expiry());
  EXPECT_EQ(page.at("results.1.metadata.k"), "v");
  const Answer first = read("/ls?presign=true&amount=1&user_metadata=false");
  EXPECT_EQ(first.at("pagination.next_offset"), "d/a b.txt");
  EXPECT_EQ(first.at("results.0.metadata"), "(absent)");
  EXPECT_EQ(first.at("results.0.content_type"), "text/plain");
}

TEST_F(PresignTest, ListsAsWithoutButForTheUrls) {
  for (int i = 0; i < 150; ++i)
    upload("main", format("many/{:03}", i), "1");
  const std::string query = "/ls?prefix=many/&amount=140";
  const Answer plain = read(query);
  const Answer page = read(query + "&presign=true");
  for (const char* member : {"path", "checksum", "mtime", "size_bytes", "content_type", "metadata"})
    EXPECT_EQ(page.all(member), plain.all(member)) << member;
  EXPECT_EQ(page.at("pagination.next_offset"), plain.at("pagination.next_offset"));
  EXPECT_NE(page.all("physical_address"), plain.all("physical_address"));
}

TEST_F(PresignTest, ComesWithAnAddressToWriteTo) {
  const Answer issued = on_main("GET", "/staging/backing?path=new&presign=true");
  ASSERT_EQ(issued.status, 200) << issued.body;
  const std::string address = issued.at("physical_address");
  EXPECT_EQ(issued.at("presigned_url"), "https://store/" + address + "?PUT");
  EXPECT_EQ(issued.at("presigned_url_expiry"), expiry());
  const Answer plain = on_main("GET", "/staging/backing?path=new");
  EXPECT_EQ(plain.at("presigned_url"), "(null)");
  EXPECT_EQ(plain.at("presigned_url_expiry"), "(absent)");
}

TEST_F(PresignTest, IsRefusedWhereTurnedOff) {
  store.offer(false, false);
  for (const char* path : {"?path=x&presign=true", "/stat?path=x&presign=true", "/ls?presign=true"})
    EXPECT_EQ(read(path).status, 400) << path;
  EXPECT_EQ(on_main("GET", "/staging/backing?path=new&presign=true").status, 400);
}

TEST_F(PresignTest, UploadsInParts) {
  const Answer begun = begin("big", 2);
  ASSERT_EQ(begun.status, 201) << begun.body;
  ASSERT_EQ(begun.count("presigned_urls"), 2U);
  EXPECT_TRUE(begun.at("presigned_urls.1").ends_with(begun.at("upload_id") + "&part=2"));
  const Answer third =
      on_main("PUT", format("/staging/pmpu/{}/parts/3?path=big", begun.at("upload_id")),
              format("{{{}}}", where(begun)));
  EXPECT_EQ(third.status, 200) << third.body;
  EXPECT_TRUE(third.at("presigned_url").ends_with("&part=3"));
  const std::string parts = send_part(begun, 1, "hello ") + "," + send_part(begun, 3, "world");
  const Answer done =
      complete(begun, "big", parts, R"(,"content_type":"a/b","user_metadata":{"K":"v"})");
  ASSERT_EQ(done.status, 200) << done.body;
  EXPECT_EQ("mem://repo/" + done.at("physical_address"), begun.at("physical_address"));
  EXPECT_TRUE(done.at("checksum").ends_with("-2"));
  EXPECT_EQ(done.at("content_type"), "a/b");
  EXPECT_EQ(done.at("metadata.K"), "v");
  EXPECT_EQ(done.at("size_bytes"), "11");
  EXPECT_EQ(read("?path=big").body, "hello world");
}

TEST_F(PresignTest, LeavesOutUrlsNobodyAskedFor) {
  const Answer begun = on_main("POST", "/staging/pmpu?path=big");
  EXPECT_EQ(begun.status, 201);
  EXPECT_EQ(begun.at("presigned_urls"), "(absent)");
}

TEST_F(PresignTest, RefusesToBeginWhatCannotBe) {
  for (const int parts : {-1, 10'001}) {
    const Answer answer = begin("x", parts);
    EXPECT_EQ(answer.status, 400);
    EXPECT_EQ(answer.message(), "parts can be between 0 and 10000");
  }
  EXPECT_EQ(begin("x", 10'000).count("presigned_urls"), 10'000U);
  const auto at = [&](std::string_view repository, std::string_view branch) {
    return send("POST",
                format("/repositories/{}/branches/{}/staging/pmpu?path=x", repository, branch));
  };
  EXPECT_EQ(at("repo", "none").message(), "branch 'none' not found");
  EXPECT_EQ(at("repo", "none").status, 404);
  EXPECT_EQ(at("none", "main").status, 404);
  EXPECT_EQ(at("repo", "b~d").message(),
            "argument name: branch id: invalid value: validation error");
}

TEST_F(PresignTest, RefusesToCompleteWhatIsNotSaid) {
  const Answer begun = begin("big", 0);
  const std::string target = format("/staging/pmpu/{}?path=big", begun.at("upload_id"));
  const std::string part = send_part(begun, 1, "one");
  const auto message = [&](std::string_view json) {
    const Answer answer = on_main("PUT", target, json);
    EXPECT_EQ(answer.status, 400) << json;
    return answer.message();
  };
  EXPECT_EQ(message(""), "physical_address is required");
  EXPECT_EQ(message(R"({"physical_address":"","parts":[]})"), "physical_address is required");
  EXPECT_EQ(message(R"({"physical_address":"x","parts":[]})"), "parts are required");
  EXPECT_EQ(message(R"({"physical_address":"mem://repo/q","parts":[{"part_number":1,"etag":""}]})"),
            "physical address must be relative to the storage namespace");
  EXPECT_EQ(message(format(R"({{{},"parts":[{{"part_number":0,"etag":"x"}}]}})", where(begun))),
            "part number must be between 1 and 10000");
  EXPECT_EQ(
      message(format(R"({{{},"parts":[{{"part_number":4294967297,"etag":"x"}}]}})", where(begun))),
      "part number must be between 1 and 10000");
  EXPECT_EQ(message(format(R"({{{},"parts":[{},{}]}})", where(begun), part, part)),
            "parts are not in ascending order");
  EXPECT_EQ(complete(begun, "other", part).message(), "invalid address signature: invalid address");
  EXPECT_EQ(complete(begun, "big", part).status, 200);
}

TEST_F(PresignTest, RefusesToWriteWhereNobodyMay) {
  const Answer begun = begin("big", 0);
  const std::string part = send_part(begun, 1, "one");
  ASSERT_EQ(send("PUT", "/repositories/repo/settings/branch_protection", R"([{"pattern":"main"}])")
                .status,
            204);
  const Answer refused = complete(begun, "big", part);
  EXPECT_EQ(refused.status, 403);
  EXPECT_EQ(refused.message(), "cannot write to protected branch");
}

TEST_F(PresignTest, ForgetsAnAbortedUpload) {
  const Answer begun = begin("big", 0);
  const std::string part = send_part(begun, 1, "one");
  const std::string target = format("/staging/pmpu/{}?path=big", begun.at("upload_id"));
  EXPECT_EQ(on_main("DELETE", target).message(), "physical_address is required");
  const std::string body = format("{{{}}}", where(begun));
  EXPECT_EQ(
      on_main("DELETE", format("/staging/pmpu/{}?path=y", begun.at("upload_id")), body).status,
      400);
  EXPECT_EQ(on_main("DELETE", target, body).status, 204);
  EXPECT_EQ(on_main("DELETE", target, body).status, 404);
  EXPECT_EQ(complete(begun, "big", part).status, 404);
}

class CopyPartTest : public PresignTest {
 public:
  CopyPartTest() { upload("main", "source", "0123456789"); }

  Answer copy(int number, std::string_view source) {
    return on_main("PUT",
                   format("/staging/pmpu/{}/parts/{}/copy?path=big", begun.at("upload_id"), number),
                   format(R"({{{},"copy_source":{{{}}}}})", where(begun), source));
  }

  std::string part(int number, const Answer& copied) {
    return format(R"({{"part_number":{},"etag":"{}"}})", number, copied.header("ETag"));
  }

  Answer begun = begin("big", 0);
};

TEST_F(CopyPartTest, TakesBytesOfAnotherObject) {
  const Answer one =
      copy(1, R"("repository":"repo","ref":"main","path":"source","range":"bytes=2-4")");
  ASSERT_EQ(one.status, 204) << one.body;
  EXPECT_EQ(one.header("ETag").size(), 32U);  // no quotes
  const Answer two = copy(2, R"("repository":"repo","ref":"main","path":"source")");
  EXPECT_EQ(complete(begun, "big", part(1, one) + "," + part(2, two)).status, 200);
  EXPECT_EQ(read("?path=big").body, "2340123456789");
}

TEST_F(CopyPartTest, SaysWhatIsWrongWithTheSource) {
  struct Case {
    std::string_view source;
    int status;
    std::string_view message;
  };

  for (const Case& c : {
           Case{R"("repository":"repo","ref":"main","path":"none")", 404,
                "repo/main/none: not found"},
           Case{R"("repository":"none","ref":"main","path":"x")", 404, "repository not found"},
           Case{R"("repository":"repo","ref":"none","path":"x")", 404, "repo/none/x: not found"},
           Case{R"("repository":"repo","ref":"main","path":"")", 400,
                "repo/main/: argument path: missing path: required value: validation error"},
           Case{R"("repository":"repo","ref":"","path":"x")", 400,
                "repo//x: argument ref: required value: validation error"},
           Case{R"("repository":"repo","ref":"a b","path":"x")", 400,
                "repo/a b/x: argument ref: ref: invalid value: validation error"},
           Case{R"("repository":"","ref":"main","path":"x")", 400,
                "argument repository: required value: validation error"},
           Case{R"("repository":"A_","ref":"main","path":"x")", 400,
                "argument repository: repository id: invalid value: validation error"},
           Case{R"("repository":"repo","ref":"main","path":"source","range":"bytes=1-")", 400,
                "parse range \"bytes=1-\": EOF"},
           Case{R"("repository":"repo","ref":"main","path":"source","range":"bytes=-2")", 400,
                "parse range \"bytes=-2\": unexpected EOF"},
           Case{R"("repository":"repo","ref":"main","path":"source","range":"bytes=5-10")", 400,
                "range is beyond the source"},
           Case{R"("repository":"repo","ref":"main","path":"source","range":"bytes=3-1")", 400,
                "range is beyond the source"},
       }) {
    const Answer answer = copy(1, c.source);
    EXPECT_EQ(answer.status, c.status) << c.source;
    EXPECT_EQ(answer.message(), c.message) << c.source;
  }
}

TEST_F(CopyPartTest, NeedsAnUpload) {
  const Answer answer =
      on_main("PUT", "/staging/pmpu/unknown/parts/1/copy?path=big",
              format(R"({{{},"copy_source":{{"repository":"repo","ref":"main","path":"x"}}}})",
                     where(begun)));
  EXPECT_EQ(answer.status, 404) << answer.body;
}

}  // namespace
}  // namespace tarn::rest
