#include "testing/temp_dir.h"

#include <cerrno>
#include <system_error>

#include <stdlib.h>

namespace tarn::testing {

TempDir::TempDir() {
  std::string name = (std::filesystem::temp_directory_path() / "tarn-test-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) {
    throw std::system_error(errno, std::generic_category(), name);
  }
  path_ = name;
}

TempDir::~TempDir() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace tarn::testing
