#include "block/s3/testing/troubled_service.h"

#include "http/client.h"

namespace tarn::block::testing {

namespace {

constexpr std::uint64_t kListBytesMax = 64 << 20;

}  // namespace

TroubledService::TroubledService(Service service)
    : http::testing::TroubledService(
          std::move(service), {.status = 503, .body = "<Error><Code>SlowDown</Code></Error>"}) {}

Task<std::vector<std::string>> open_uploads(Context& ctx, std::string endpoint,
                                            std::string bucket) {
  http::Client client;
  auto answer = co_await client.send(
      ctx, {.endpoint = http::parse_url(endpoint)->endpoint, .target = "/" + bucket + "?uploads="});
  const std::string text = co_await answer.read_all(ctx, kListBytesMax);
  co_await client.close();
  co_return upload_ids(text);
}

std::vector<std::string> upload_ids(std::string_view list) {
  constexpr std::string_view kBegin = "<UploadId>";
  std::vector<std::string> ids;
  for (auto at = list.find(kBegin); at != std::string_view::npos; at = list.find(kBegin, at)) {
    at += kBegin.size();
    ids.emplace_back(list.substr(at, list.find('<', at) - at));
  }
  return ids;
}

}  // namespace tarn::block::testing
