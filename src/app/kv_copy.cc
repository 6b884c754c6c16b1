#include "app/kv_copy.h"

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string_view>
#include <utility>

#include "app/blocking_wait.h"
#include "app/config.h"
#include "app/store_location.h"
#include "app/stores.h"
#include "base/context.h"
#include "base/error.h"
#include "base/format.h"
#include "base/log.h"
#include "base/time.h"
#include "io/blocking_pool.h"
#include "io/loops.h"
#include "kv/copy.h"

namespace tarn::app {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint32_t kPageRows = 1'000;
constexpr std::uint64_t kDifferencesShown = 20;

struct Side {
  std::string name;
  Config config;

  bool is_embedded() const { return config.database == DatabaseType::local; }
};

Side load_side(std::string_view text, const std::map<std::string, std::string>& environment) {
  auto location = find_store(text);
  if (!location) throw Error(ErrorCode::invalid_argument, location.error().message);
  ConfigSources sources;
  for (const auto& [name, value] : environment) {
    if (!name.starts_with("TARN_") && !name.starts_with("LAKEFS_")) {
      sources.environment[name] = value;
    }
  }
  const auto home = sources.environment.find("HOME");
  sources.home = home != sources.environment.end() ? home->second : "/";
  sources.usual_files = false;
  if (location->file) sources.file = location->file->string();
  sources.overrides = std::move(location->overrides);
  sources.overrides["auth.encrypt.secret_key"] = "unused";  // secrets are copied as they are
  LoadedConfig loaded = load_config(sources);
  if (!loaded.problems.empty()) {
    throw Error(ErrorCode::invalid_argument,
                format("{}: {}", location->name, loaded.problems.front()));
  }
  if (loaded.config.database == DatabaseType::mem) {
    throw Error(ErrorCode::invalid_argument, format("{}: keeps nothing to copy", location->name));
  }
  return {std::move(location->name), std::move(loaded.config)};
}

void check_source(const Side& from, const KvCopyOptions& options) {
  if (from.is_embedded()) {
    // Opening would make an empty one.
    if (!std::filesystem::exists(from.config.database_path / "CURRENT")) {
      throw Error(ErrorCode::invalid_argument, format("{}: no metadata there", from.name));
    }
  } else if (!options.source_is_stopped) {
    throw Error(ErrorCode::invalid_argument,
                "other servers may be using the source, and what they write meanwhile would be "
                "lost: stop them, then say --source-is-stopped");
  }
}

/// Opened, and closed in time.
class OpenStore {
 public:
  OpenStore(const Side& side, io::Loops& loops, io::BlockingPool& pool)
      : loops_(loops),
        store_(open_kv(side.config, {.loops = loops, .pool = pool, .clock = clock_})) {}

  OpenStore(const OpenStore&) = delete;
  OpenStore& operator=(const OpenStore&) = delete;

  ~OpenStore() {
    try {
      wait_for(loops_.any(), store_->close());
    } catch (const std::exception& error) {
      log::error("closing a store failed", {{"error", error.what()}});
    }
  }

  kv::Store& operator*() { return *store_; }

 private:
  SystemClock clock_;
  io::Loops& loops_;
  std::unique_ptr<kv::Store> store_;
};

const char* words_for(kv::CopyPhase phase) {
  switch (phase) {
    case kv::CopyPhase::erasing: return "erased";
    case kv::CopyPhase::copying: return "copied";
    case kv::CopyPhase::reading_source: return "checking, read of the source";
    case kv::CopyPhase::reading_target: return "checking, read of the target";
    case kv::CopyPhase::locating: return "looking for differences, read";
  }
  std::unreachable();
}

/// One line a second.
class Progress {
 public:
  void operator()(kv::CopyPhase phase, std::uint64_t rows, std::uint64_t bytes) {
    const auto now = Clock::now();
    if (now - shown_ < std::chrono::seconds(1)) return;
    shown_ = now;
    std::printf("%s: %llu rows, %.1f MiB\n", words_for(phase),
                static_cast<unsigned long long>(rows), static_cast<double>(bytes) / (1 << 20));
    std::fflush(stdout);
  }

 private:
  Clock::time_point shown_ = Clock::now();
};

/// Compares the stores whole; true if they are the same.
bool verify(kv::Store& from, kv::Store& to, io::Loops& loops, const kv::CopyReport& report) {
  Context ctx;
  const auto read = [&](kv::Store& store, kv::CopyPhase phase) {
    return wait_for(loops.any(), kv::read_contents(ctx, store, kPageRows, phase, report));
  };
  const kv::Contents source = read(from, kv::CopyPhase::reading_source);
  const kv::Contents target = read(to, kv::CopyPhase::reading_target);
  const auto print = [](const char* side, const kv::Contents& contents) {
    std::printf("%s: %llu rows, %llu bytes, digest %s\n", side,
                static_cast<unsigned long long>(contents.rows),
                static_cast<unsigned long long>(contents.bytes), contents.digest.hex().c_str());
  };
  print("source", source);
  print("target", target);
  if (source == target) return true;
  const auto name = [](std::string_view difference) {
    std::fprintf(stderr, "differs: %.*s\n", static_cast<int>(difference.size()), difference.data());
  };
  const auto named = wait_for(loops.any(), kv::locate_differences(ctx, from, to, kDifferencesShown,
                                                                  kPageRows, report, name));
  if (named == kDifferencesShown) std::fprintf(stderr, "(further differences are not shown)\n");
  return false;
}

}  // namespace

int run_kv_copy(const KvCopyOptions& options, std::map<std::string, std::string> environment) {
  const Side from = load_side(options.from, environment);
  const Side to = load_side(options.to, environment);
  if (from.name == to.name) {
    throw Error(ErrorCode::invalid_argument, "source and target are the same store");
  }
  check_source(from, options);
  io::Loops loops(1);
  io::BlockingPool pool({.name = "metadata"});
  OpenStore source(from, loops, pool);
  OpenStore target(to, loops, pool);
  Context ctx;
  const kv::CopyReport report = Progress();
  if (!options.verify_only) {
    kv::CopyOptions copy{
        .source_name = from.name, .page_rows = kPageRows, .start_over = options.start_over};
    const auto outcome =
        wait_for(loops.any(), kv::copy_store(ctx, *source, *target, std::move(copy), report));
    std::printf("%s %llu rows, %llu bytes from %s\n", outcome.resumed ? "resumed: " : "copied",
                static_cast<unsigned long long>(outcome.rows),
                static_cast<unsigned long long>(outcome.bytes), from.name.c_str());
  }
  if (!verify(*source, *target, loops, report)) {
    std::fprintf(stderr, "error: the target is not the same as the source%s\n",
                 options.verify_only ? "" : "; once nobody uses them, repeat with --start-over");
    return 1;
  }
  if (!options.verify_only) wait_for(loops.any(), kv::finish_copy(ctx, *target));
  std::printf("source and target are the same\n");
  return 0;
}

}  // namespace tarn::app
