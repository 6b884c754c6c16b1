// Encryption of stored secret keys (storage-format.md 2.12): scrypt over the configured secret and
// a random salt, then NaCl secretbox.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tarn::auth {

/// salt(8) + nonce(24) + tag(16) + ciphertext. Costs about 1 ms of CPU (scrypt, N = 512).
std::string seal_secret(std::string_view secret_key, std::string_view message);

/// nullopt: too short, or sealed with another key, or altered.
std::optional<std::string> open_secret(std::string_view secret_key, std::string_view blob);

/// seal_secret() with its random inputs given, for the published vectors.
std::string seal_secret_with(std::string_view secret_key, std::string_view message,
                             std::string_view salt, std::string_view nonce);

}  // namespace tarn::auth
