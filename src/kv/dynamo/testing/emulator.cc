#include "kv/dynamo/testing/emulator.h"

#include <cstdlib>

#include "testing/moto_server.h"

namespace tarn::kv::testing {

std::optional<std::string> emulator_url() {
  if (const char* given = std::getenv("TARN_TEST_DYNAMO")) return given;
  return tarn::testing::moto_url();
}

}  // namespace tarn::kv::testing
