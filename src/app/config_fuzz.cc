// Configuration files, and the texts of values.
#include <unistd.h>

#include <sys/mman.h>

#include "app/config.h"
#include "app/config_keys.h"
#include "app/config_values.h"
#include "base/error.h"
#include "testing/fuzz.h"

namespace tarn::fuzz {

namespace {

/// A file in memory that load_config() can open by name.
const std::string& file_of(std::string_view text) {
  static const int kFile = memfd_create("config", 0);
  static const std::string kPath = "/proc/self/fd/" + std::to_string(kFile);
  TARN_ASSERT(ftruncate(kFile, 0) == 0);
  TARN_ASSERT(pwrite(kFile, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()));
  return kPath;
}

void check_values(std::string_view text) {
  static_cast<void>(app::parse_bool(text));
  static_cast<void>(app::parse_size(text));
  if (const auto duration = app::parse_duration(text)) TARN_ASSERT(duration->count() >= 0);
  for (const std::string& item : app::parse_list(text))
    TARN_ASSERT(!item.empty());
}

/// Every key takes any text: it is set, or the answer says why not.
void check_setters(std::string_view text) {
  app::Config config;
  for (const app::Key& key : app::config_keys()) {
    if (!key.set) continue;
    if (const auto wrong = key.set(config, text)) TARN_ASSERT(!wrong->empty());
  }
}

}  // namespace

void run(std::string_view input) {
  const auto loaded = app::load_config({.file = file_of(input),
                                        .environment = {},
                                        .home = "/home/x",
                                        .data_dir = {},
                                        .overrides = {}});
  for (const std::string& problem : loaded.problems)
    TARN_ASSERT(!problem.empty());
  check_values(input);
  if (input.size() < 64) check_setters(input);
}

}  // namespace tarn::fuzz
