#include "app/backup.h"

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <memory>
#include <sstream>
#include <utility>

#include <sys/stat.h>

#include "app/backup_set.h"
#include "app/blocking_wait.h"
#include "app/control.h"
#include "app/stores.h"
#include "app/version.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/format.h"
#include "base/hash.h"
#include "base/time.h"
#include "io/blocking_pool.h"
#include "io/loops.h"

namespace tarn::app {
namespace {

namespace stdfs = std::filesystem;

[[noreturn]] void refuse(std::string text) {
  throw Error(ErrorCode::invalid_argument, std::move(text));
}

/// Own files of the object store: bodies half written, uploads under way.
constexpr std::string_view kStoreDir = ".tarn";

bool is_missing_or_empty(const stdfs::path& path) {
  std::error_code error;
  if (!stdfs::exists(path, error)) return true;
  if (!stdfs::is_directory(path, error)) return false;
  for (const auto& entry : stdfs::directory_iterator(path)) {
    if (entry.path().filename() != kStoreDir) return false;
  }
  return true;
}

void make_private_directory(const stdfs::path& path) {
  std::error_code error;
  if (path.has_parent_path()) stdfs::create_directories(path.parent_path(), error);
  if (::mkdir(path.c_str(), 0700) == 0 || errno == EEXIST) return;
  throw Error(ErrorCode::unavailable, format("{}: {}", path.string(), std::strerror(errno)));
}

void check_embedded(const Config& config) {
  if (config.database != DatabaseType::local) {
    refuse(
        "only an embedded metadata store can be copied: use the database's own backup, taken "
        "before that of the objects");
  }
}

/// The embedded store opened here, where no server holds it, and kept from being opened by one.
class HeldStore {
 public:
  explicit HeldStore(const Config& config)
      : loops_(1),
        pool_({.name = "metadata"}),
        store_(open_kv(config, {.loops = loops_, .pool = pool_, .clock = clock_})) {}

  HeldStore(const HeldStore&) = delete;
  HeldStore& operator=(const HeldStore&) = delete;

  ~HeldStore() {
    try {
      wait_for(loops_.any(), store_->close());
    } catch (const std::exception& error) {
      std::fprintf(stderr, "warning: closing the store: %s\n", error.what());
    }
  }

  void checkpoint(const stdfs::path& directory) {
    Context ctx;
    wait_for(loops_.any(), store_->checkpoint(ctx, directory.string()));
  }

 private:
  SystemClock clock_;
  io::Loops loops_;
  io::BlockingPool pool_;
  std::unique_ptr<kv::Store> store_;
};

std::unique_ptr<ControlClient> find_server(const Config& config) {
  try {
    return std::make_unique<ControlClient>(config.database_path);
  } catch (const Error&) {
    return nullptr;  // none runs: the lock of the store says so, or says who is in the way
  }
}

/// The backup being made: its files and the list of their sums.
class BackupWriter {
 public:
  BackupWriter(stdfs::path to, Manifest& manifest)
      : to_(std::move(to)), manifest_(manifest), sums_(to_ / kSumsFile, std::ios::binary) {}

  /// What lies in the backup already.
  void note(const stdfs::path& relative) { list(relative, hash_file(to_ / relative)); }

  /// False if the file is gone.
  bool copy(const stdfs::path& from, const stdfs::path& relative) {
    const auto copied = copy_hashed(from, to_ / relative);
    if (copied) list(relative, *copied);
    return copied.has_value();
  }

  /// Everything is on the disk before the manifest says so.
  void finish() {
    sums_.close();
    if (!sums_) throw Error(ErrorCode::storage_full, "SHA256SUMS cannot be written");
    manifest_.sums_sha256 = hash_file(to_ / kSumsFile).sha256;
    sync_all(to_);
    std::ofstream file(to_ / kManifestFile, std::ios::binary);
    file << encode_manifest(manifest_);
    file.close();
    if (!file) throw Error(ErrorCode::storage_full, "the manifest cannot be written");
    sync_all(to_);
  }

 private:
  void list(const stdfs::path& relative, const CopiedFile& copied) {
    sums_ << encode_sum({.sha256 = copied.sha256, .path = relative.string()});
    ++manifest_.files;
    manifest_.bytes += copied.bytes;
    const auto now = std::chrono::steady_clock::now();
    if (now - shown_ < std::chrono::seconds(1)) return;
    shown_ = now;
    std::printf("copied: %llu files, %.1f MiB\n", static_cast<unsigned long long>(manifest_.files),
                static_cast<double>(manifest_.bytes) / (1 << 20));
    std::fflush(stdout);
  }

  const stdfs::path to_;
  Manifest& manifest_;
  std::ofstream sums_;
  std::chrono::steady_clock::time_point shown_ = std::chrono::steady_clock::now();
};

void print_done(const char* what, const Manifest& manifest, const stdfs::path& where) {
  std::printf("%s: %llu files, %llu bytes in %s\n", what,
              static_cast<unsigned long long>(manifest.files),
              static_cast<unsigned long long>(manifest.bytes), where.c_str());
}

Manifest read_manifest(const stdfs::path& from) {
  std::ifstream file(from / kManifestFile, std::ios::binary);
  if (!file) refuse(format("{}: no backup, or one that was not finished", from.string()));
  std::stringstream text;
  text << file.rdbuf();
  auto manifest = parse_manifest(text.str());
  if (!manifest) refuse(format("{}: {}", from.string(), manifest.error().message));
  if (hash_file(from / kSumsFile).sha256 != manifest->sums_sha256) {
    throw Error(ErrorCode::corrupt, "SHA256SUMS is damaged");
  }
  return *std::move(manifest);
}

/// Where a backup's files go.
struct Targets {
  stdfs::path metadata;  // under another name until everything is there
  stdfs::path objects;
  std::optional<stdfs::path> secret;

  /// nullopt = not restored. Throws for a name no backup has.
  std::optional<stdfs::path> of(const stdfs::path& path) const {
    const stdfs::path first = *path.begin();
    if (first == kMetadataDir) return metadata / path.lexically_relative(first);
    if (first == kObjectsDir) return objects / path.lexically_relative(first);
    if (path == kSecretFile) return secret;
    throw Error(ErrorCode::corrupt, format("the backup names a strange file: {}", path.string()));
  }
};

void restore_files(const stdfs::path& from, const Manifest& manifest, const Targets& targets) {
  std::ifstream sums(from / kSumsFile, std::ios::binary);
  std::uint64_t files = 0;
  for (std::string text; std::getline(sums, text); ++files) {
    const auto line = parse_sum(text);
    if (!line) throw Error(ErrorCode::corrupt, line.error().message);
    const auto target = targets.of(line->path);
    const stdfs::path source = from / line->path;
    const auto copied = target ? copy_hashed(source, *target) : std::optional(hash_file(source));
    if (!copied) {
      throw Error(ErrorCode::data_missing, format("the backup lacks {}", line->path));
    }
    if (copied->sha256 != line->sha256) {
      throw Error(ErrorCode::corrupt, format("the backup's {} is damaged", line->path));
    }
  }
  if (files != manifest.files) throw Error(ErrorCode::corrupt, "SHA256SUMS is not whole");
}

}  // namespace

BackupPlaces find_places(const std::string& config_file, const std::string& data_dir,
                         std::map<std::string, std::string> environment) {
  ConfigSources sources;
  sources.environment = std::move(environment);
  const auto home = sources.environment.find("HOME");
  sources.home = home != sources.environment.end() ? home->second : "/";
  if (!config_file.empty()) sources.file = config_file;
  BackupPlaces places;
  if (!data_dir.empty()) {
    sources.data_dir = data_dir;
    places.secret_file = stdfs::path(data_dir) / kSecretFile;
  }
  sources.overrides["auth.encrypt.secret_key"] = "unused";
  LoadedConfig loaded = load_config(sources);
  if (!loaded.problems.empty()) refuse(loaded.problems.front());
  places.config = std::move(loaded.config);
  return places;
}

int run_backup(const BackupPlaces& places, const stdfs::path& target) {
  const Config& config = places.config;
  check_embedded(config);
  // Opening would make an empty one.
  if (!stdfs::exists(config.database_path / "CURRENT")) {
    refuse(format("{}: no metadata there", config.database_path.string()));
  }
  const stdfs::path to = stdfs::absolute(target).lexically_normal();
  if (!is_missing_or_empty(to) || stdfs::exists(to / kStoreDir)) {
    refuse(format("{}: exists and is not empty", to.string()));
  }
  make_private_directory(to);

  const auto server = find_server(config);
  std::unique_ptr<HeldStore> held;
  if (server == nullptr) held = std::make_unique<HeldStore>(config);
  Manifest manifest{.created = to_rfc3339({SystemClock().now().seconds, 0}),
                    .version = std::string(kVersion)};
  const stdfs::path metadata = to / kMetadataDir;
  if (server != nullptr) {
    server->run("checkpoint " + metadata.string());
  } else {
    held->checkpoint(metadata);
  }
  std::printf("metadata copied %s\n", server != nullptr ? "by the running server" : "");

  BackupWriter writer(to, manifest);
  for_each_file(metadata, "", [&](const stdfs::path& file) { writer.note(kMetadataDir / file); });
  // After the metadata: an object is there before any record names it.
  manifest.objects = config.blockstore == BlockstoreType::local;
  if (manifest.objects && stdfs::exists(config.blockstore_path)) {
    for_each_file(config.blockstore_path, kStoreDir, [&](const stdfs::path& file) {
      // One that is gone again belonged to an upload that nobody has acknowledged.
      writer.copy(config.blockstore_path / file, kObjectsDir / file);
    });
  }
  if (places.secret_file) manifest.secret = writer.copy(*places.secret_file, kSecretFile);
  writer.finish();
  print_done("backup", manifest, to);
  if (!manifest.objects) {
    std::printf("objects are not in a local directory and not part of it\n");
  }
  if (!config.allowed_external_prefixes.empty()) {
    std::printf("files outside the object directory are not part of it\n");
  }
  if (!manifest.secret) std::printf("auth.encrypt.secret_key is not part of it: keep it as well\n");
  return 0;
}

int run_restore(const stdfs::path& source, const BackupPlaces& places) {
  const Config& config = places.config;
  check_embedded(config);
  const stdfs::path from = stdfs::absolute(source).lexically_normal();
  const Manifest manifest = read_manifest(from);
  if (manifest.objects && config.blockstore != BlockstoreType::local) {
    refuse("the backup holds objects, and the configuration names no directory for them");
  }
  std::vector<stdfs::path> wanted_empty = {config.database_path};
  if (manifest.objects) wanted_empty.push_back(config.blockstore_path);
  for (const stdfs::path& path : wanted_empty) {
    if (!is_missing_or_empty(path)) refuse(format("{}: is not empty", path.string()));
  }
  Targets targets{.metadata = config.database_path.string() + ".restoring",
                  .objects = config.blockstore_path};
  if (manifest.secret && places.secret_file) {
    if (stdfs::exists(*places.secret_file)) {
      refuse(format("{}: exists; the backup has its own", places.secret_file->string()));
    }
    targets.secret = *places.secret_file;
  }
  stdfs::remove_all(targets.metadata);  // of a restore that was cut short
  make_private_directory(targets.metadata);
  if (manifest.objects) make_private_directory(config.blockstore_path);
  restore_files(from, manifest, targets);
  sync_all(targets.metadata);
  if (manifest.objects) sync_all(config.blockstore_path);
  std::error_code error;
  stdfs::rename(targets.metadata, config.database_path, error);
  if (error) {
    throw Error(ErrorCode::unavailable,
                format("{}: {}", config.database_path.string(), error.message()));
  }
  sync_all(config.database_path);
  print_done("restored", manifest, from);
  std::printf("made %s by tarn %s; 'tarn fsck' looks at what it holds\n", manifest.created.c_str(),
              manifest.version.c_str());
  return 0;
}

}  // namespace tarn::app
