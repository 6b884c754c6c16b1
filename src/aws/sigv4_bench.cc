// What every S3 request costs before anything else: its signature.
#include <benchmark/benchmark.h>

#include "aws/payload.h"
#include "aws/sigv4.h"
#include "aws/test_requests.h"

namespace tarn::aws {
namespace {

using testing::OwnedRequest;

OwnedRequest request_of_a_client() {
  OwnedRequest request{
      .method = "GET",
      .path = "/repository/main/datasets/images/train/part-00017/image-00001234.jpeg",
      .query = "x-id=GetObject",
      .headers = {{"Host", "s3.example.com"},
                  {"User-Agent", "Boto3/1.34.0 md/Botocore#1.34.0 ua/2.0 os/linux#6.1 lang/python"},
                  {"x-amz-content-sha256", std::string(kEmptyPayloadHash)},
                  {"amz-sdk-invocation-id", "2f0c5a3e-9d0e-4c61-9a8f-1f0b6d1c2e3f"},
                  {"amz-sdk-request", "attempt=1"},
                  {"Accept-Encoding", "identity"}}};
  return testing::sign(std::move(request), testing::kTarnExample, kEmptyPayloadHash,
                       testing::kTarnTime);
}

void check_a_signature(benchmark::State& state) {
  const OwnedRequest owned = request_of_a_client();
  const SignedRequest request = owned.view();
  SigningKeyCache keys;
  for (auto unused : state) {
    const auto scheme = find_scheme(request);
    const auto auth = parse_sigv4(request, *scheme);
    const auto verdict =
        verify_sigv4(request, *auth, testing::kTarnExample.secret_key, testing::kTarnTime, keys);
    if (!verdict) state.SkipWithError("refused");
    benchmark::DoNotOptimize(verdict);
  }
}

BENCHMARK(check_a_signature);

}  // namespace
}  // namespace tarn::aws
