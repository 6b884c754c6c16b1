// Runs a fuzz target over the files of a corpus, as a test: main() of the binaries that tarn_fuzz()
// makes for the ordinary test run.
#include <algorithm>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "testing/fuzz.h"

namespace {

namespace stdfs = std::filesystem;

std::vector<stdfs::path> files_in(const stdfs::path& folder) {
  std::vector<stdfs::path> files;
  for (const auto& item : stdfs::recursive_directory_iterator(folder)) {
    if (item.is_regular_file()) files.push_back(item.path());
  }
  std::ranges::sort(files);
  return files;
}

void replay(const stdfs::path& path) {
  std::printf("%s\n", path.c_str());
  std::fflush(stdout);  // so that the last name shown is the one that crashed
  std::ifstream file(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  const std::size_t size = bytes.size();
  const auto exact = std::make_unique<char[]>(size);  // a string has room behind its end
  std::ranges::copy(bytes, exact.get());
  tarn::fuzz::run({exact.get(), size});
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2 || !stdfs::is_directory(argv[1])) {
    std::fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
    return 2;
  }
  std::size_t inputs = 0;
  try {
    for (const stdfs::path& path : files_in(argv[1])) {
      replay(path);
      ++inputs;
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "unexpected exception: %s\n", error.what());
    return 1;
  }
  std::printf("%s: %zu inputs\n", argv[1], inputs);
  return inputs == 0 ? 1 : 0;
}
