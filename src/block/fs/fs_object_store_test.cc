#include "block/fs/fs_object_store.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

#include <sys/socket.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/metrics.h"
#include "block/fs/fs_test_tools.h"
#include "block/testing/bodies.h"
#include "block/testing/object_store_suite.h"
#include "io/blocking_pool.h"
#include "io/task_group.h"
#include "testing/co_test.h"
#include "testing/temp_dir.h"

namespace tarn::block {
namespace {

namespace stdfs = std::filesystem;

using testing::get_text;
using testing::patterned;
using testing::put_text;
using testing::upload_text;

ObjectRef ref(std::string address) {
  return {"local://repo", std::move(address), AddressType::relative};
}

ObjectRef full(const std::string& path) {
  return {"local://repo", "local://" + path, AddressType::full};
}

class FsObjectStoreSuite : public ::testing::TestWithParam<testing::StoreCase> {};

CO_TEST_P(FsObjectStoreSuite, Holds) {
  const tarn::testing::TempDir dir;
  io::BlockingPool pool({.name = "files"});
  const auto store = co_await FsObjectStore::open(ctx, {.root = dir.file("blocks")}, pool);
  co_await self.GetParam().run(ctx, testing::StoreUnderTest{*store, "local://org/suite"});
  co_await store->close();
  EXPECT_EQ(fs::temp_files(dir.file("blocks")), 0u);
}

INSTANTIATE_TEST_SUITE_P(Contract, FsObjectStoreSuite,
                         ::testing::ValuesIn(testing::object_store_cases()),
                         testing::store_case_name);

class FsObjectStoreTest : public ::testing::Test {
 public:
  tarn::testing::TempDir dir;
  std::string root = dir.file("blocks");
  io::BlockingPool pool{{.name = "files"}};

  Task<std::unique_ptr<FsObjectStore>> open(Context& ctx) { return open_with(ctx, {}); }

  Task<std::unique_ptr<FsObjectStore>> open_with(Context& ctx, FsConfig config) {
    config.root = root;
    return FsObjectStore::open(ctx, std::move(config), pool);
  }

  void plant(const std::string& path, const std::string& text) const {
    stdfs::create_directories(stdfs::path(root + "/" + path).parent_path());
    std::ofstream(root + "/" + path) << text;
  }
};

CO_TEST_F(FsObjectStoreTest, UsesTheLayoutOfTheReference) {
  const auto store = co_await self.open(ctx);
  co_await put_text(ctx, *store, ref("data/p/x"), "hello");
  std::string text;
  std::getline(std::ifstream(self.root + "/repo/data/p/x"), text);
  EXPECT_EQ(text, "hello");
  EXPECT_EQ(stdfs::status(self.root).permissions(), stdfs::perms::owner_all);
  EXPECT_EQ(stdfs::status(self.root + "/repo/data").permissions() & ~stdfs::perms(0750),
            stdfs::perms::none);
  self.plant("repo/old-name", "written by the reference");
  EXPECT_EQ(co_await get_text(ctx, *store, ref("old-name")), "written by the reference");
  EXPECT_EQ(store->display_address(ref("data/p/x")), "local://" + self.root + "/repo/data/p/x");
  EXPECT_EQ(store->display_address(full("/srv/x/one.txt")),
            "local://" + self.root + "/srv/x/one.txt");
}

CO_TEST_F(FsObjectStoreTest, DoesNotFollowSymbolicLinks) {
  const auto store = co_await self.open(ctx);
  const auto outside = self.dir.file("outside");
  stdfs::create_directories(outside);
  std::ofstream(outside + "/secret") << "secret";
  co_await put_text(ctx, *store, ref("data/x"), "x");
  stdfs::create_directory_symlink(outside, self.root + "/repo/out");
  stdfs::create_symlink(outside + "/secret", self.root + "/repo/file");
  stdfs::create_directory_symlink("data", self.root + "/repo/inside");
  stdfs::create_directory_symlink(outside, self.root + "/linked");
  for (const auto& address : {"out/secret", "file", "inside/x"}) {
    CO_EXPECT_ERROR(store->get(ctx, ref(address)), ErrorCode::invalid_argument);
    CO_EXPECT_ERROR(store->head(ctx, ref(address)), ErrorCode::invalid_argument);
    CO_EXPECT_ERROR(store->copy(ctx, ref(address), ref("k")), ErrorCode::invalid_argument);
  }
  for (const auto& address : {"out/secret", "out/new", "inside/new"}) {
    CO_EXPECT_ERROR(put_text(ctx, *store, ref(address), "evil"), ErrorCode::invalid_argument);
    CO_EXPECT_ERROR(store->remove(ctx, ref(address)), ErrorCode::invalid_argument);
  }
  const ObjectRef through_namespace{"local://linked", "secret", AddressType::relative};
  CO_EXPECT_ERROR(store->get(ctx, through_namespace), ErrorCode::invalid_argument);
  CO_EXPECT_ERROR(store->list(ctx, "local://linked", "", "", 10), ErrorCode::invalid_argument);
  EXPECT_EQ((co_await store->list(ctx, "local://repo", "", "", 10)).objects.size(), 1u);
  EXPECT_EQ((co_await store->list(ctx, "local://repo", "out/", "", 10)).objects.size(), 0u);
  // A put replaces a link, and never what it points to.
  co_await put_text(ctx, *store, ref("file"), "new");
  std::string text;
  std::getline(std::ifstream(outside + "/secret"), text);
  EXPECT_EQ(text, "secret");
  EXPECT_EQ(stdfs::directory_iterator(outside)->path().filename(), "secret");
}

CO_TEST_F(FsObjectStoreTest, NothingLeadsIntoItsPrivateDirectory) {
  const auto store = co_await self.open_with(ctx, {.import_enabled = true});
  co_await put_text(ctx, *store, {"local://", "x", AddressType::relative}, "x");
  const ObjectRef inside{"local://", ".tarn/tmp/x", AddressType::relative};
  CO_EXPECT_ERROR(put_text(ctx, *store, inside, "evil"), ErrorCode::invalid_argument);
  CO_EXPECT_ERROR(store->get(ctx, full(self.root + "/.tarn/uploads/x")),
                  ErrorCode::invalid_argument);
  for (const std::string& space : {std::string("local://"), "local://" + self.root}) {
    EXPECT_EQ((co_await store->list(ctx, space, "", "", 10)).objects.size(), 1u) << space;
    EXPECT_EQ((co_await store->list(ctx, space, ".tarn/", "", 10)).objects.size(), 0u) << space;
  }
  CO_EXPECT_ERROR(store->list(ctx, "local://.tarn", "", "", 10), ErrorCode::invalid_argument);
}

CO_TEST_F(FsObjectStoreTest, ReadsButDoesNotWriteExternalPrefixes) {
  const auto external = self.dir.file("import");
  stdfs::create_directories(external + "/a");
  std::ofstream(external + "/a/one") << "one";
  const auto store = co_await self.open_with(
      ctx, {.allowed_external_prefixes = {external + "/"}, .import_enabled = true});
  EXPECT_EQ(co_await get_text(ctx, *store, full(external + "/a/one")), "one");
  EXPECT_EQ((co_await store->copy(ctx, full(external + "/a/one"), ref("k"))).size, 3u);
  CO_EXPECT_ERROR(put_text(ctx, *store, full(external + "/a/two"), "x"),
                  ErrorCode::invalid_argument);
  CO_EXPECT_ERROR(store->remove(ctx, full(external + "/a/one")), ErrorCode::invalid_argument);
  CO_EXPECT_ERROR(store->get(ctx, full(self.dir.file("other"))), ErrorCode::invalid_argument);
  const auto page = co_await store->list(ctx, "local://" + external + "/", "", "", 10);
  CO_ASSERT_EQ(page.objects.size(), 1u);
  EXPECT_EQ(page.objects[0].address, "a/one");
  EXPECT_EQ(co_await get_text(ctx, *store, full(self.root + "/repo/k")), "one");
}

CO_TEST_F(FsObjectStoreTest, FilesAndDirectoriesInTheWayAreNamed) {
  const auto store = co_await self.open(ctx);
  co_await put_text(ctx, *store, ref("a/b"), "x");
  CO_EXPECT_ERROR(put_text(ctx, *store, ref("a/b/c"), "x"), ErrorCode::invalid_argument);
  CO_EXPECT_ERROR(put_text(ctx, *store, ref("a"), "x"), ErrorCode::invalid_argument);
  co_await store->remove(ctx, ref("a"));
  EXPECT_EQ(::mkfifo((self.root + "/repo/fifo").c_str(), 0600), 0);
  EXPECT_EQ(co_await store->get(ctx, ref("fifo")), nullptr);
  EXPECT_EQ(fs::temp_files(self.root), 0u);
  EXPECT_EQ(co_await get_text(ctx, *store, ref("a/b")), "x");
}

CO_TEST_F(FsObjectStoreTest, RemovesLeftoversOfDeadProcessesOnly) {
  auto alive = co_await self.open(ctx);
  self.plant(".tarn/tmp/dead/0", "half-written");
  self.plant(".tarn/tmp/stray", "x");
  EXPECT_EQ(fs::temp_files(self.root), 2u);
  testing::PiecesSource body({patterned(400'000), patterned(400'000)});
  const auto other = co_await self.open(ctx);
  EXPECT_EQ(fs::temp_files(self.root), 0u);
  EXPECT_FALSE(stdfs::exists(self.root + "/.tarn/tmp/dead"));
  co_await alive->put(ctx, ref("k"), body);  // its own directory is still there
  co_await alive->close();
  alive.reset();
  co_await put_text(ctx, *other, ref("k"), "x");
}

CO_TEST_F(FsObjectStoreTest, StopsAtTheTemporaryQuota) {
  const auto store = co_await self.open_with(ctx, {.temp_bytes_max = 500'000});
  CO_EXPECT_ERROR(put_text(ctx, *store, ref("known"), patterned(500'001)), ErrorCode::storage_full);
  testing::PatternSource unknown(5'000'000);
  CO_EXPECT_ERROR(store->put(ctx, ref("unknown"), unknown), ErrorCode::storage_full);
  EXPECT_EQ(fs::temp_files(self.root), 0u);
  for (int i = 0; i < 3; ++i) {  // what failed or was published no longer counts
    co_await put_text(ctx, *store, ref("k"), patterned(500'000));
  }
  CO_EXPECT_ERROR(store->head(ctx, ref("k" + std::string(300, 'k'))), ErrorCode::invalid_argument);
}

CO_TEST_F(FsObjectStoreTest, ExpiredContextsStoreNothing) {
  const auto store = co_await self.open(ctx);
  Context expired = ctx.within(std::chrono::seconds(-1));
  for (std::size_t size : {3u, 800'000u}) {
    testing::PiecesSource body({patterned(size)});
    CO_EXPECT_ERROR(store->put(expired, ref("k"), body), ErrorCode::deadline_exceeded);
  }
  EXPECT_EQ(fs::temp_files(self.root), 0u);
  EXPECT_FALSE((co_await store->head(ctx, ref("k"))).has_value());
}

Task<> put_one(Context& ctx, FsObjectStore& store, int number) {
  co_await put_text(ctx, store, ref("data/p/" + std::to_string(number)), "text");
}

CO_TEST_F(FsObjectStoreTest, ConcurrentPutsShareDirectorySyncs) {
  constexpr int kPuts = 64;
  const auto store = co_await self.open(ctx);
  co_await put_one(ctx, *store, 0);
  auto& syncs = metrics::counter("tarn_block_dir_syncs", "");
  auto& requests = metrics::counter("tarn_block_dir_sync_requests", "");
  const auto syncs_before = syncs.value(), requests_before = requests.value();
  co_await fs::run_together(kPuts, [&](int i) { return put_one(ctx, *store, i); });
  EXPECT_EQ(requests.value() - requests_before, std::uint64_t{kPuts});
  EXPECT_LT(syncs.value() - syncs_before, std::uint64_t{kPuts});
  EXPECT_EQ((co_await store->list(ctx, "local://repo", "data/p/", "", 100)).objects.size(), 64u);
}

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define TARN_SANITIZED 1
#endif
#endif

/// 0 under sanitizers, which keep freed memory.
std::uint64_t resident_bytes() {
#ifdef TARN_SANITIZED
  return 0;
#else
  std::uint64_t total = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> total >> resident;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
#endif
}

CO_TEST_F(FsObjectStoreTest, StreamsLargeObjectsInLittleMemory) {
  constexpr std::uint64_t kBytes = 300ULL << 20;
  const auto store = co_await self.open_with(ctx, {.sync = false});
  const auto before = resident_bytes();
  testing::PatternSource body(kBytes);
  Digests digests;
  EXPECT_EQ((co_await store->put(ctx, ref("big"), body, {.digests = &digests})).size, kBytes);
  const auto source = co_await store->get(ctx, ref("big"));
  CO_ASSERT_TRUE(source != nullptr);
  EXPECT_EQ(source->size(), kBytes);
  Hasher hasher(Hasher::Kind::md5);
  for (;;) {
    const auto piece = co_await source->read(ctx);
    if (piece.empty()) break;
    hasher.update(piece);
  }
  EXPECT_LT(resident_bytes(), before + (24ULL << 20));
  EXPECT_EQ(to_hex(hasher.finish()), to_hex(digests.finish().md5));
}

CO_TEST_F(FsObjectStoreTest, DirectoriesTakenAwayByHandAreMadeAnew) {
  const auto store = co_await FsObjectStore::open(ctx, {.root = self.root}, self.pool);
  const auto here = self.root + "/repo/data", there = self.root + "/elsewhere";
  co_await put_text(ctx, *store, ref("data/1"), "one");
  co_await put_text(ctx, *store, ref("data/2"), "two");
  stdfs::rename(here, there);
  co_await put_text(ctx, *store, ref("data/3"), "three");
  EXPECT_EQ(co_await get_text(ctx, *store, ref("data/3")), "three");
  EXPECT_FALSE(stdfs::exists(there + "/3"));
  stdfs::remove_all(self.root + "/repo");
  co_await put_text(ctx, *store, ref("data/4"), "four");
  EXPECT_EQ(co_await get_text(ctx, *store, ref("data/4")), "four");
  stdfs::remove_all(here);
  stdfs::create_directory_symlink(there, here);
  CO_EXPECT_ERROR(put_text(ctx, *store, ref("data/5"), "five"), ErrorCode::invalid_argument);
  EXPECT_FALSE(stdfs::exists(there + "/5"));
  co_await store->close();
}

/// The two ends of a stream; the first does not block.
struct SocketPair {
  SocketPair() {
    std::signal(SIGPIPE, SIG_IGN);  // as the server's process does
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) throw_errno();
    ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
    near = fs::Fd(ends[0]);
    far = fs::Fd(ends[1]);
  }

  [[noreturn]] static void throw_errno() {
    throw std::system_error(errno, std::generic_category(), "socketpair");
  }

  /// What has arrived, up to `count` bytes.
  std::string receive(std::size_t count) const {
    std::string bytes(count, '\0');
    const auto got = ::recv(far.get(), bytes.data(), count, MSG_DONTWAIT);
    bytes.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return bytes;
  }

  fs::Fd near, far;
};

/// Everything, sent in turns and read from the other end in between.
Task<std::string> send_all(Context& ctx, io::ByteSource& source, const SocketPair& sockets) {
  std::string arrived;
  while (arrived.size() < *source.size()) {
    const io::Sent sent = co_await source.send_some(ctx, sockets.near.get());
    if (sent.stop == io::Sent::Stop::peer_gone || sent.stop == io::Sent::Stop::unsupported) break;
    for (std::string piece = sockets.receive(1 << 20); !piece.empty();
         piece = sockets.receive(1 << 20))
      arrived += piece;
  }
  co_return arrived;
}

CO_TEST_F(FsObjectStoreTest, HasTheKernelSendLargeObjects) {
  fs::FaultyFiles files;
  const auto text = patterned(3'000'000);
  for (const bool cached : {true, false}) {
    files.nothing_cached = !cached;
    const auto store = co_await FsObjectStore::open(ctx, {.root = self.root}, self.pool, &files);
    co_await put_text(ctx, *store, ref("large"), text);
    co_await put_text(ctx, *store, ref("small"), text.substr(0, 5'000));
    const SocketPair sockets;
    const auto whole = co_await store->get(ctx, ref("large"));
    EXPECT_TRUE(whole->can_send());
    EXPECT_TRUE(co_await send_all(ctx, *whole, sockets) == text);
    EXPECT_EQ((co_await whole->send_some(ctx, sockets.near.get())).bytes, 0u) << "at the end";
    EXPECT_EQ(co_await whole->read(ctx), "");
    const auto part = co_await store->get(ctx, ref("large"), ByteRange{1'000'000, 2'500'000});
    EXPECT_TRUE(co_await send_all(ctx, *part, sockets) == text.substr(1'000'000, 1'500'001));
    EXPECT_FALSE((co_await store->get(ctx, ref("small")))->can_send());
    EXPECT_FALSE((co_await store->get(ctx, ref("large"), ByteRange{7, 900}))->can_send());
    co_await store->close();
  }
}

CO_TEST_F(FsObjectStoreTest, ReadsOnWhereTheKernelStopped) {
  fs::FaultyFiles files;
  const auto store = co_await FsObjectStore::open(ctx, {.root = self.root}, self.pool, &files);
  const auto text = patterned(700'000);
  co_await put_text(ctx, *store, ref("x"), text);
  const SocketPair sockets;
  const auto source = co_await store->get(ctx, ref("x"));
  const auto sent = co_await source->send_some(ctx, sockets.near.get());
  EXPECT_EQ(sent.stop, io::Sent::Stop::full) << "nobody reads";
  EXPECT_GT(sent.bytes, 0u);
  EXPECT_LT(sent.bytes, text.size());
  EXPECT_EQ((co_await source->send_some(ctx, sockets.near.get())).bytes, 0u);
  files.fail_nth(1, EINVAL);
  EXPECT_EQ((co_await source->send_some(ctx, sockets.near.get())).stop,
            io::Sent::Stop::unsupported);
  EXPECT_TRUE(co_await io::read_all(ctx, *source, 1 << 20) == text.substr(sent.bytes));
  co_await store->close();
}

CO_TEST_F(FsObjectStoreTest, NeverPadsWhatTheKernelSends) {
  fs::FaultyFiles files;
  const auto store = co_await FsObjectStore::open(ctx, {.root = self.root}, self.pool, &files);
  const auto text = patterned(700'000);
  co_await put_text(ctx, *store, ref("x"), text);
  for (const bool cached : {true, false}) {
    files.nothing_cached = !cached;
    const SocketPair sockets;
    const auto cut = co_await store->get(ctx, ref("x"), ByteRange{500'000});
    const auto gone = co_await store->get(ctx, ref("x"));
    const auto broken = co_await store->get(ctx, ref("x"));
    files.fail_nth(1, EIO);
    CO_EXPECT_ERROR(broken->send_some(ctx, sockets.near.get()), ErrorCode::internal);
    stdfs::resize_file(self.root + "/repo/x", 510'000);
    EXPECT_EQ((co_await cut->send_some(ctx, sockets.near.get())).bytes, 10'000u);
    CO_EXPECT_ERROR(cut->send_some(ctx, sockets.near.get()), ErrorCode::corrupt);
    EXPECT_TRUE(sockets.receive(1 << 20) == text.substr(500'000, 10'000));
    ::shutdown(sockets.far.get(), SHUT_RDWR);
    EXPECT_EQ((co_await gone->send_some(ctx, sockets.near.get())).stop, io::Sent::Stop::peer_gone);
    co_await put_text(ctx, *store, ref("x"), text);
  }
  co_await store->close();
}

CO_TEST_F(FsObjectStoreTest, CompletesAnUploadTheReferenceBegan) {
  const auto store = co_await self.open(ctx);
  const std::string id = "0123456789abcdef0123456789abcdef";
  self.plant("repo/" + id + "-00001", "one");
  self.plant("repo/" + id + "-00002", "two");
  self.plant("repo/" + id + "-00003", "unlisted");
  const auto parts = co_await store->list_parts(ctx, ref("data/k"), id, 0, 10);
  CO_ASSERT_EQ(parts.size(), 3u);
  EXPECT_EQ(parts[1].etag, to_hex(md5("two")));
  self.plant("repo/" + id + "-00002", "TWO");  // replaced in place, as the reference does
  const auto e4 = co_await upload_text(ctx, *store, ref("data/k"), id, 4, "four");
  EXPECT_TRUE(stdfs::exists(self.root + "/repo/" + id + "-00004"));
  CO_EXPECT_ERROR(
      store->complete_multipart(ctx, ref("data/k"), id, {{1, parts[0].etag}, {2, parts[1].etag}}),
      ErrorCode::invalid_argument);
  const auto info = co_await store->complete_multipart(
      ctx, ref("data/k"), id, {{1, to_hex(md5("one"))}, {2, to_hex(md5("TWO"))}, {4, e4}});
  EXPECT_EQ(info.etag, to_hex(md5(md5("one") + md5("TWO") + md5("four"))) + "-3");
  EXPECT_EQ(co_await get_text(ctx, *store, ref("data/k")), "oneTWOfour");
  EXPECT_EQ(std::distance(stdfs::directory_iterator(self.root + "/repo"), {}), 1);
  EXPECT_TRUE(stdfs::is_empty(self.root + "/.tarn/uploads"));
}

CO_TEST_F(FsObjectStoreTest, UploadsSurviveARestart) {
  auto store = co_await self.open(ctx);
  const auto id = co_await store->create_multipart(ctx, ref("data/k"));
  const auto empty_id = co_await store->create_multipart(ctx, ref("data/l"));
  const auto e1 = co_await upload_text(ctx, *store, ref("data/k"), id, 1, "one");
  EXPECT_TRUE(stdfs::exists(self.root + "/repo/" + id + "-00001"));
  co_await store->close();
  store = co_await self.open(ctx);
  const auto e2 = co_await upload_text(ctx, *store, ref("data/k"), id, 2, "two");
  co_await store->complete_multipart(ctx, ref("data/k"), id, {{1, e1}, {2, e2}});
  EXPECT_EQ(co_await get_text(ctx, *store, ref("data/k")), "onetwo");
  co_await upload_text(ctx, *store, ref("data/l"), empty_id, 1, "x");
  co_await store->abort_multipart(ctx, ref("data/l"), empty_id);
  EXPECT_TRUE(stdfs::is_empty(self.root + "/.tarn/uploads"));
}

CO_TEST_F(FsObjectStoreTest, RefusesARelativeRoot) {
  CO_EXPECT_ERROR(FsObjectStore::open(ctx, {.root = "blocks"}, self.pool),
                  ErrorCode::invalid_argument);
}

}  // namespace
}  // namespace tarn::block
