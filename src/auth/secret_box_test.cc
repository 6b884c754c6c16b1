#include "auth/secret_box.h"

#include <gtest/gtest.h>

#include "base/bytes.h"

namespace tarn::auth {
namespace {

std::string counting(std::size_t count) {
  std::string bytes;
  for (std::size_t i = 0; i < count; ++i)
    bytes.push_back(static_cast<char>(i));
  return bytes;
}

TEST(SecretBox, ReproducesThePublishedVector) {
  EXPECT_EQ(to_hex(seal_secret_with("some secret", "test string", counting(8), counting(24))),
            "0001020304050607000102030405060708090a0b0c0d0e0f1011121314151617"
            "8424c59b5fb0df7b595c59b0e5429ba4286fa00bb0d9b818bb3863");
}

TEST(SecretBox, OpensWhatItSealed) {
  const std::string blob = seal_secret("key", "wJalrXUtnFEMI");
  EXPECT_EQ(open_secret("key", blob), "wJalrXUtnFEMI");
}

TEST(SecretBox, SealsTheSameSecretDifferentlyEachTime) {
  EXPECT_NE(seal_secret("key", "same"), seal_secret("key", "same"));
}

TEST(SecretBox, RefusesAnotherKey) {
  EXPECT_EQ(open_secret("other", seal_secret("key", "message")), std::nullopt);
}

TEST(SecretBox, RefusesEveryFlippedByteAndEveryTruncation) {
  const std::string blob = seal_secret("key", "m");
  for (std::size_t i = 0; i < blob.size(); ++i) {
    std::string altered = blob;
    altered[i] = static_cast<char>(altered[i] ^ 1);
    EXPECT_EQ(open_secret("key", altered), std::nullopt) << i;
    EXPECT_EQ(open_secret("key", std::string_view(blob).substr(0, i)), std::nullopt) << i;
  }
}

}  // namespace
}  // namespace tarn::auth
