#include "app/secret_file.h"

#include <filesystem>
#include <fstream>

#include "base/bytes.h"
#include "base/random.h"
#include "io/durable.h"

namespace tarn::app {

std::string secret_in(const std::string& data_dir) {
  const std::string path = (std::filesystem::path(data_dir) / "secret.key").string();
  std::string secret;
  if (std::ifstream file(path); file && std::getline(file, secret) && !secret.empty()) {
    return secret;
  }
  io::make_directory_durable(data_dir);
  secret = to_hex(random_bytes(32));
  io::write_file_durable(path, secret + '\n');
  return secret;
}

}  // namespace tarn::app
