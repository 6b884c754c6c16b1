// An S3 server that is not ours (moto), for tests.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "block/s3/s3_object_store.h"
#include "io/blocking_pool.h"

namespace tarn::block::testing {

/// "http://127.0.0.1:PORT": $TARN_TEST_S3, or one started here that ends with this process; nullopt
/// where none is installed. It accepts parts of any size.
std::optional<std::string> moto_endpoint();

/// $TARN_TEST_S3_SPACE, an empty namespace at $TARN_TEST_S3 whose keys are $TARN_TEST_S3_KEYS
/// ("access:secret"): for services other than moto, whose rules on part sizes hold.
std::optional<std::string> given_space();

/// A store there with quick retries, path style, and keys moto does not look at.
std::unique_ptr<S3ObjectStore> make_s3_store(S3Config config, io::BlockingPool& pool);

S3Config s3_test_config(std::string endpoint);

/// Makes the bucket; one that is there already is fine.
Task<> make_bucket(Context& ctx, std::string endpoint, std::string bucket);

}  // namespace tarn::block::testing

/// In a test's body: skips it, loudly, where there is no server.
#define TARN_NEEDS_MOTO()                                                 \
  if (!::tarn::block::testing::moto_endpoint()) {                         \
    GTEST_SKIP() << "no S3 server: run tools/install-deps test for moto"; \
  }
