#include "block/digests.h"

#include <gtest/gtest.h>

#include "base/bytes.h"

namespace tarn::block {
namespace {

TEST(Digests, ComputesWhatWasWantedOverAllPieces) {
  Digests digests(
      {.sha256 = true, .sha1 = true, .crc32 = true, .crc32c = true, .crc64_nvme = true});
  for (const char* piece : {"1234", "", "56789"}) {
    digests.update(piece);
  }
  const auto values = digests.finish();
  EXPECT_EQ(values.size, 9u);
  EXPECT_EQ(to_hex(values.md5), "25f9e794323b453885f5181f1b624d0b");
  EXPECT_EQ(to_hex(values.sha256),
            "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225");
  EXPECT_EQ(to_hex(values.sha1), "f7c3bc1d808e04732adf679965ccc34ca7ae3441");
  EXPECT_EQ(to_hex(values.crc32), "cbf43926");
  EXPECT_EQ(to_hex(values.crc32c), "e3069283");
  EXPECT_EQ(to_hex(values.crc64_nvme), "ae8b14860a799888");
}

TEST(Digests, AlwaysHasTheMd5AndNothingUnwanted) {
  Digests digests;
  const auto values = digests.finish();
  EXPECT_EQ(to_hex(values.md5), "d41d8cd98f00b204e9800998ecf8427e");
  EXPECT_TRUE(values.sha256.empty() && values.sha1.empty() && values.crc32.empty());
  EXPECT_TRUE(values.crc32c.empty() && values.crc64_nvme.empty());
}

TEST(Digests, KeepsAnMd5FinishedEarly) {
  Digests digests;
  digests.update("123456789");
  EXPECT_EQ(to_hex(digests.finish_md5()), "25f9e794323b453885f5181f1b624d0b");
  EXPECT_EQ(to_hex(digests.finish().md5), "25f9e794323b453885f5181f1b624d0b");
}

}  // namespace
}  // namespace tarn::block
