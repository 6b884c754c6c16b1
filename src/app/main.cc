// tarn: the server and what an operator runs beside it.
#include <csignal>
#include <cstdio>

#include <CLI/CLI.hpp>
#include <sys/stat.h>

#include "app/backup.h"
#include "app/config.h"
#include "app/fsck_command.h"
#include "app/kv_copy.h"
#include "app/protobuf_log.h"
#include "app/secret_file.h"
#include "app/server.h"
#include "app/takeover_check.h"
#include "app/version.h"
#include "app/waiting_room.h"
#include "app/welcome.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/format.h"
#include "base/log.h"
#include "base/random.h"

namespace tarn::app {
namespace {

constexpr int kFailed = 1;
constexpr int kBadConfig = 2;

struct Arguments {
  std::string config_file;
  std::string data_dir;
  std::string listen;
  std::string user;
  std::string access_key_id;
  std::string secret_access_key;
  FsckArguments fsck;
  KvCopyOptions kv_copy;
  std::string backup;  // the directory of one
};

LoadedConfig load(const Arguments& arguments) {
  ConfigSources sources;
  sources.environment = process_environment();
  const auto home = sources.environment.find("HOME");
  sources.home = home != sources.environment.end() ? home->second : "/";
  if (!arguments.config_file.empty()) sources.file = arguments.config_file;
  if (!arguments.data_dir.empty()) {
    sources.data_dir = arguments.data_dir;
    const bool given = sources.environment.contains("TARN_AUTH_ENCRYPT_SECRET_KEY") ||
                       sources.environment.contains("LAKEFS_AUTH_ENCRYPT_SECRET_KEY");
    if (!given && arguments.config_file.empty()) {
      sources.overrides["auth.encrypt.secret_key"] = secret_in(arguments.data_dir);
    }
  }
  const auto override_with = [&](const char* key, const std::string& value) {
    if (!value.empty()) sources.overrides[key] = value;
  };
  override_with("listen_address", arguments.listen);
  override_with("installation.user_name", arguments.user);
  override_with("installation.access_key_id", arguments.access_key_id);
  override_with("installation.secret_access_key", arguments.secret_access_key);
  return load_config(sources);
}

/// Prints every problem; false if there is one.
bool report(const LoadedConfig& loaded) {
  for (const auto& text : loaded.warnings)
    std::fprintf(stderr, "warning: %s\n", text.c_str());
  for (const auto& text : loaded.problems)
    std::fprintf(stderr, "error: %s\n", text.c_str());
  return loaded.problems.empty();
}

int check_config(const Arguments& arguments) {
  const LoadedConfig loaded = load(arguments);
  if (!report(loaded)) return kBadConfig;
  for (const auto& source : loaded.sources)
    std::printf("read %s\n", source.c_str());
  std::printf("configuration is good\n");
  return 0;
}

int run(const Arguments& arguments) {
  const LoadedConfig loaded = load(arguments);
  if (!report(loaded)) return kBadConfig;
  const Config& config = loaded.config;
  log::configure(config.log);
  const std::unique_ptr<Core> core = open_core(config);
  if (core == nullptr) return 0;  // asked to stop while waiting for a store
  const auto created = set_up_if_new(config, *core);
  Server server(config, *core);
  server.start();
  const std::string url = local_url(config, server.port());
  log::info("serving", {{"version", kVersion}, {"url", url}});
  const std::string text = created ? first_start_text(url, *created) : ready_text(url);
  std::fputs(text.c_str(), stdout);
  std::fflush(stdout);
  server.run_until_signal();
  return 0;
}

int set_up(const Arguments& arguments) {
  const LoadedConfig loaded = load(arguments);
  if (!report(loaded)) return kBadConfig;
  log::configure(loaded.config.log);
  Core core(loaded.config);
  const auto created = set_up_if_new(loaded.config, core);
  if (!created) {
    std::fprintf(stderr, "error: already initialized\n");
    return kFailed;
  }
  std::printf("credentials:\n  access_key_id: %s\n  secret_access_key: %s\n",
              created->credential.access_key_id.c_str(), created->secret_access_key.c_str());
  return 0;
}

int check_store(const Arguments& arguments) {
  try {
    const LoadedConfig loaded = load(arguments);
    if (!report(loaded)) return kFsckCouldNotRun;
    log::configure(loaded.config.log);
    return run_fsck_command(loaded.config, arguments.fsck);
  } catch (const Error& error) {
    std::fprintf(stderr, "error: %s\n", error.message().c_str());
    return kFsckCouldNotRun;
  }
}

int check_installation(const Arguments& arguments) {
  const LoadedConfig loaded = load(arguments);
  if (!report(loaded)) return kBadConfig;
  log::configure({.level = log::Level::warn});
  return run_takeover_check(loaded.config);
}

void add_common(CLI::App& command, Arguments& arguments) {
  command.add_option("-c,--config", arguments.config_file, "Configuration file (YAML)");
  command.add_option("--data-dir", arguments.data_dir,
                     "Keep metadata, objects and the encryption secret in this directory");
}

void add_fsck_options(CLI::App& command, FsckArguments& fsck) {
  command.add_option("--repository", fsck.options.repository, "Only this one");
  command.add_flag("--read-objects", fsck.options.read_objects,
                   "Read every object and compare its MD5");
  command.add_flag("!--no-objects", fsck.options.check_objects, "Leave objects alone");
  command.add_flag("--json", fsck.json, "Print one JSON document");
  command.add_option("--point", fsck.points,
                     "REPOSITORY/BRANCH=COMMIT: first point this branch at this commit");
  command
      .add_option("--repair", fsck.repairs,
                  "Do the repairs that lose nothing; =refs also deletes refs to nowhere, =staged "
                  "drops staged records that do not parse. Without it they are only described")
      ->expected(0, 2)
      ->delimiter(',')
      ->check(CLI::IsMember({"refs", "staged"}));
}

int main_of(int argc, char** argv) {
  Arguments arguments;
  CLI::App app("Tarn: versioned object storage");
  app.require_subcommand(1);
  int result = 0;

  CLI::App* run_command = app.add_subcommand("run", "Serve");
  add_common(*run_command, arguments);
  run_command->add_option("--listen", arguments.listen, "Address, e.g. 127.0.0.1:8000");
  run_command->add_option("--user", arguments.user,
                          "Create this administrator at first start and print the key pair");
  run_command->callback([&] { result = run(arguments); });

  CLI::App* setup_command = app.add_subcommand("setup", "Create the administrator and exit");
  add_common(*setup_command, arguments);
  setup_command->add_option("--user-name", arguments.user, "Its name")->required();
  setup_command->add_option("--access-key-id", arguments.access_key_id, "Its key, if chosen");
  setup_command->add_option("--secret-access-key", arguments.secret_access_key, "And its secret");
  setup_command->callback([&] { result = set_up(arguments); });

  CLI::App* fsck_command =
      app.add_subcommand("fsck", "Check that everything stored is whole (server stopped)");
  add_common(*fsck_command, arguments);
  add_fsck_options(*fsck_command, arguments.fsck);
  fsck_command->callback([&, fsck_command] {
    arguments.fsck.repair = fsck_command->count("--repair") > 0;
    result = check_store(arguments);
  });

  CLI::App* backup_command =
      app.add_subcommand("backup", "Copy metadata and objects, of a running server too");
  add_common(*backup_command, arguments);
  backup_command->add_option("--to", arguments.backup, "A new directory")->required();
  const auto places = [&] {
    return find_places(arguments.config_file, arguments.data_dir, process_environment());
  };
  backup_command->callback([&] { result = run_backup(places(), arguments.backup); });

  CLI::App* restore_command = app.add_subcommand("restore", "Put a backup where nothing is yet");
  add_common(*restore_command, arguments);
  restore_command->add_option("--from", arguments.backup, "The backup's directory")->required();
  restore_command->callback([&] { result = run_restore(arguments.backup, places()); });

  CLI::App* kv_command = app.add_subcommand("kv", "The metadata store");
  kv_command->require_subcommand(1);
  CLI::App* copy_command =
      kv_command->add_subcommand("copy", "Copy all metadata into another store, and compare");
  constexpr const char* kStoreForms =
      "rocksdb:PATH, postgres://..., dynamodb:TABLE, a configuration file or a data directory";
  copy_command->add_option("--from", arguments.kv_copy.from, kStoreForms)->required();
  copy_command->add_option("--to", arguments.kv_copy.to, kStoreForms)->required();
  copy_command->add_flag("--source-is-stopped", arguments.kv_copy.source_is_stopped,
                         "No server uses the source (needed for a shared database)");
  copy_command->add_flag("--verify-only", arguments.kv_copy.verify_only, "Compare, copy nothing");
  copy_command->add_flag("--start-over", arguments.kv_copy.start_over,
                         "Empty the target of an unfinished copy first");
  copy_command->callback([&] { result = run_kv_copy(arguments.kv_copy, process_environment()); });

  CLI::App* takeover_command =
      app.add_subcommand("takeover", "Serving what another server left, in place");
  takeover_command->require_subcommand(1);
  CLI::App* takeover_check =
      takeover_command->add_subcommand("check", "Look at it, change nothing, say what would work");
  add_common(*takeover_check, arguments);
  takeover_check->callback([&] { result = check_installation(arguments); });

  CLI::App* config_command = app.add_subcommand("config", "Configuration");
  config_command->require_subcommand(1);
  CLI::App* check_command = config_command->add_subcommand("check", "Report every problem");
  add_common(*check_command, arguments);
  check_command->callback([&] { result = check_config(arguments); });
  config_command->add_subcommand("keys", "Every key, as Markdown")->callback([] {
    std::fputs(describe_config_keys().c_str(), stdout);
  });

  app.add_subcommand("version", "Print the version")->callback([] {
    std::printf("tarn %.*s\n", static_cast<int>(kVersion.size()), kVersion.data());
  });

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error);
  } catch (const Error& error) {
    std::fprintf(stderr, "error: %s\n", error.message().c_str());
    return kFailed;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return kFailed;
  }
  return result;
}

}  // namespace
}  // namespace tarn::app

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  tarn::app::redirect_protobuf_log();
  return tarn::app::main_of(argc, argv);
}
