// Every system call of every operation fails once: no partial object shows, nothing is left behind.
#include <cerrno>
#include <optional>
#include <string>
#include <string_view>

#include "base/format.h"
#include "block/fs/fs_object_store.h"
#include "block/fs/fs_test_tools.h"
#include "block/testing/bodies.h"
#include "block/testing/object_store_suite.h"
#include "io/blocking_pool.h"
#include "testing/co_test.h"
#include "testing/temp_dir.h"

namespace tarn::block::fs {
namespace {

using testing::get_text;
using testing::patterned;
using testing::put_text;
using testing::upload_text;

constexpr std::uint64_t kCallsMax = 500;

template <class T>
Task<std::optional<ErrorCode>> outcome_of(Task<T> task) {
  try {
    static_cast<void>(co_await std::move(task));
  } catch (const Error& error) {
    co_return error.code();
  }
  co_return std::nullopt;
}

class FsFaults : public ::testing::Test {
 public:
  tarn::testing::TempDir dir;
  std::string root = dir.file("blocks");
  io::BlockingPool pool{{.name = "files"}};
  FaultyFiles files;
  std::string failed_call;  // in the last attempt; "" if it made too few calls

  Task<std::unique_ptr<FsObjectStore>> open(Context& ctx) {
    return FsObjectStore::open(ctx, {.root = root}, pool, &files);
  }

  static ObjectRef ref(std::uint64_t directory, std::string_view name) {
    return {"local://repo", format("d{}/{}", directory, name), AddressType::relative};
  }

  /// How `task` ends if its n-th system call fails.
  Task<std::optional<ErrorCode>> attempt(std::uint64_t n, int error, Task<> task) {
    files.fail_nth(n, error);
    const auto seen = co_await outcome_of(std::move(task));
    failed_call = files.has_failed() ? files.failed_call() : "";
    files.fail_nth(UINT64_MAX, 0);
    if (failed_call.empty()) EXPECT_FALSE(seen.has_value());
    EXPECT_EQ(temp_files(root), 0u) << failed_call;
    co_return seen;
  }
};

Task<> copy_object(Context& ctx, ObjectStore& store, ObjectRef from, ObjectRef to) {
  co_await store.copy(ctx, from, to);
}

Task<> complete(Context& ctx, ObjectStore& store, ObjectRef ref, std::string id,
                std::vector<Part> parts) {
  co_await store.complete_multipart(ctx, ref, id, std::move(parts));
}

Task<> upload(Context& ctx, ObjectStore& store, ObjectRef ref, std::string id, std::string text) {
  co_await upload_text(ctx, store, std::move(ref), std::move(id), 1, std::move(text));
}

Task<> fail_puts(Context& ctx, FsFaults& self, int error, ErrorCode code, std::size_t size,
                 bool replaces) {
  const auto store = co_await self.open(ctx);
  const auto text = patterned(size);
  const std::string old_text = replaces ? "old" : "(none)";
  static std::uint64_t directory = 0;
  std::uint64_t n = 1, failures = 0;
  for (; n < kCallsMax; ++n) {
    const auto ref = FsFaults::ref(++directory, "x");
    if (replaces) co_await put_text(ctx, *store, ref, old_text);
    const auto seen = co_await self.attempt(n, error, put_text(ctx, *store, ref, text));
    const auto found = co_await get_text(ctx, *store, ref);
    if (!seen) {
      EXPECT_TRUE(found == text) << self.failed_call;
    } else {
      ++failures;
      EXPECT_EQ(*seen, code) << self.failed_call;
      // Only after the last step, the sync of the name, may the new object be there, whole.
      EXPECT_TRUE(found == old_text || (self.failed_call == "sync_directory" && found == text))
          << self.failed_call;
    }
    if (self.failed_call.empty()) break;
  }
  EXPECT_GT(failures, 4u);
  EXPECT_LT(n, kCallsMax);
  co_await store->close();
}

CO_TEST_F(FsFaults, AFailedPutShowsTheOldObjectOrNone) {
  for (const bool replaces : {false, true}) {
    for (const std::size_t size : {1'000u, 700'000u}) {
      co_await fail_puts(ctx, self, ENOSPC, ErrorCode::storage_full, size, replaces);
      co_await fail_puts(ctx, self, EDQUOT, ErrorCode::storage_full, size, replaces);
      co_await fail_puts(ctx, self, EIO, ErrorCode::internal, size, replaces);
    }
  }
}

CO_TEST_F(FsFaults, AFailedCopyShowsTheOldObjectOrNone) {
  const auto store = co_await self.open(ctx);
  const auto text = patterned(300'000);
  const auto from = FsFaults::ref(0, "from");
  co_await put_text(ctx, *store, from, text);
  for (const bool no_copy_range : {false, true}) {
    self.files.no_copy_range = no_copy_range;
    for (std::uint64_t n = 1; n < kCallsMax; ++n) {
      const auto to = FsFaults::ref(n, no_copy_range ? "a" : "b");
      const auto seen = co_await self.attempt(n, ENOSPC, copy_object(ctx, *store, from, to));
      const auto found = co_await get_text(ctx, *store, to);
      if (!seen) {
        EXPECT_TRUE(found == text);
      } else {
        EXPECT_EQ(*seen, ErrorCode::storage_full) << self.failed_call;
        EXPECT_TRUE(found == "(none)" || (self.failed_call == "sync_directory" && found == text));
      }
      if (self.failed_call.empty()) break;
    }
    EXPECT_TRUE(self.failed_call.empty());
  }
}

CO_TEST_F(FsFaults, AFailedPartLeavesTheOldOne) {
  const auto store = co_await self.open(ctx);
  const auto ref = FsFaults::ref(0, "x");
  const auto id = co_await store->create_multipart(ctx, ref);
  const auto old_etag = co_await upload_text(ctx, *store, ref, id, 1, "old");
  const auto new_etag = co_await upload_text(ctx, *store, ref, id, 2, "new");
  for (std::uint64_t n = 1; n < kCallsMax; ++n) {
    co_await upload_text(ctx, *store, ref, id, 1, "old");
    const auto seen = co_await self.attempt(n, EIO, upload(ctx, *store, ref, id, "new"));
    const auto parts = co_await store->list_parts(ctx, ref, id, 0, 1);
    CO_ASSERT_EQ(parts.size(), 1u);
    if (!seen) {
      EXPECT_EQ(parts[0].etag, new_etag) << self.failed_call;
    } else if (parts[0].etag != old_etag) {
      EXPECT_EQ(parts[0].etag, new_etag) << self.failed_call;
      // Stored, but not durable, or it could not be told whether the upload had ended meanwhile.
      EXPECT_TRUE(self.failed_call == "sync_directory" || self.failed_call == "open" ||
                  self.failed_call == "pread")
          << self.failed_call;
    }
    if (self.failed_call.empty()) break;
  }
  EXPECT_TRUE(self.failed_call.empty());
}

CO_TEST_F(FsFaults, AFailedCompletionCanBeRepeated) {
  const auto store = co_await self.open(ctx);
  for (const int part_count : {1, 2}) {
    for (std::uint64_t n = 1; n < kCallsMax; ++n) {
      const auto ref = FsFaults::ref(n, part_count == 1 ? "one" : "two");
      const auto id = co_await store->create_multipart(ctx, ref);
      std::vector<Part> parts;
      std::string text;
      for (int i = 1; i <= part_count; ++i) {
        const auto number = static_cast<std::uint32_t>(i);
        const auto piece = patterned(300'000, number);
        parts.push_back({number, co_await upload_text(ctx, *store, ref, id, number, piece)});
        text += piece;
      }
      const auto seen = co_await self.attempt(n, EIO, complete(ctx, *store, ref, id, parts));
      auto found = co_await get_text(ctx, *store, ref);
      if (seen && found == "(none)") {
        co_await complete(ctx, *store, ref, id, parts);
        found = co_await get_text(ctx, *store, ref);
      } else if (seen) {
        EXPECT_TRUE(self.failed_call == "sync_directory" || self.failed_call == "open" ||
                    self.failed_call == "fstat")
            << self.failed_call;
      }
      EXPECT_TRUE(found == text) << self.failed_call;
      if (self.failed_call.empty()) break;
    }
    EXPECT_TRUE(self.failed_call.empty());
  }
}

CO_TEST_F(FsFaults, AFailedReadIsAnErrorAndNotAShortObject) {
  const auto store = co_await self.open(ctx);
  const auto ref = FsFaults::ref(0, "x");
  const auto text = patterned(900'000);
  co_await put_text(ctx, *store, ref, text);
  for (std::uint64_t n = 1; n < kCallsMax; ++n) {
    self.files.fail_nth(n, EIO);
    std::string found;
    try {
      found = co_await get_text(ctx, *store, ref);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::internal);
      found = "(failed)";
    }
    const bool reached = self.files.has_failed();
    self.files.fail_nth(UINT64_MAX, 0);
    if (reached) {
      EXPECT_EQ(found, "(failed)") << n;
    } else {
      EXPECT_TRUE(found == text);
      break;
    }
  }
}

}  // namespace
}  // namespace tarn::block::fs
