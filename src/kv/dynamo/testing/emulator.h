// An emulator of DynamoDB that is not ours (moto), for the contract suite. Test code only.
#pragma once

#include <optional>
#include <string>

namespace tarn::kv::testing {

/// "http://127.0.0.1:PORT" of a running emulator: $TARN_TEST_DYNAMO, or one started here that ends
/// with this process; nullopt where none is installed.
std::optional<std::string> emulator_url();

}  // namespace tarn::kv::testing
