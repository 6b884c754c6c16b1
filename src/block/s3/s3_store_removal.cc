// Removing many objects: DeleteObjects, in batches of one bucket.
#include <algorithm>
#include <exception>
#include <iterator>
#include <map>
#include <memory>
#include <utility>

#include "base/bytes.h"
#include "base/error.h"
#include "base/hash.h"
#include "block/s3/s3_object_store.h"
#include "block/s3/s3_store_state.h"
#include "block/s3/verdict.h"

namespace tarn::block {

namespace {

constexpr std::ptrdiff_t kBatchKeysMax = 1'000;  // what the service takes

}  // namespace

// NOLINTNEXTLINE(performance-unnecessary-value-param): lives as long as the task
Task<> S3ObjectStore::remove_many(Context& ctx, std::vector<ObjectRef> refs) {
  const auto pass = state_->gate.enter();
  std::exception_ptr failure;
  const auto keep_failure = [&failure] {
    if (!failure) failure = std::current_exception();
  };
  std::map<std::string, std::vector<std::string>> keys_by_bucket;
  for (const ObjectRef& ref : refs) {
    try {
      s3::Target target = s3::target_of(ref);
      if (!s3::is_xml_text(target.key)) {
        co_await remove(ctx, ref);
      } else {
        keys_by_bucket[std::move(target.bucket)].push_back(std::move(target.key));
      }
    } catch (const Error&) {
      keep_failure();
    }
  }
  for (auto& [bucket, keys] : keys_by_bucket) {
    for (auto from = keys.begin(); from != keys.end();) {
      const auto to = from + std::min(kBatchKeysMax, keys.end() - from);
      try {
        co_await remove_batch(ctx, bucket,
                              {std::make_move_iterator(from), std::make_move_iterator(to)});
      } catch (const Error&) {
        keep_failure();
      }
      from = to;
    }
  }
  if (failure) std::rethrow_exception(failure);
}

// NOLINTNEXTLINE(performance-unnecessary-value-param): lives as long as the task
Task<> S3ObjectStore::remove_batch(Context& ctx, std::string bucket,
                                   std::vector<std::string> keys) {
  const auto body = std::make_shared<const std::string>(s3::delete_document(keys));
  const s3::Reply reply =
      co_await state_->requester.demand(ctx, {.what = "remove many",
                                              .method = "POST",
                                              .bucket = std::move(bucket),
                                              .query = "delete=",
                                              .headers = {{"content-md5", to_base64(md5(*body))}},
                                              .body = body,
                                              .works_long = true});
  const auto failures = s3::parse_delete_failures(reply.text);
  if (!failures) throw Error(ErrorCode::unavailable, "object store: " + failures.error().message);
  if (!failures->empty()) throw s3::refusal("remove many", 200, failures->front());
}

}  // namespace tarn::block
