// DeleteObject (A8.4): 204 whether or not the key existed.
#include <charconv>
#include <utility>

#include "s3gw/call.h"
#include "s3gw/deletion.h"
#include "s3gw/error_response.h"
#include "s3gw/handlers.h"

namespace tarn::s3gw {

namespace {

DeleteCondition read_condition(const Call& call) {
  DeleteCondition condition;
  if (const auto etag = call.header("if-match")) condition.etag = std::string(*etag);
  if (const auto time = call.header("x-amz-if-match-last-modified-time")) {
    condition.last_modified = std::string(*time);
  }
  if (const auto size = call.header("x-amz-if-match-size")) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(size->data(), size->data() + size->size(), value);
    if (error != std::errc() || end != size->data() + size->size()) {
      refuse_argument("x-amz-if-match-size", *size, "Expected a size.");
    }
    condition.size = value;
  }
  return condition;
}

}  // namespace

Task<> delete_object(Context& ctx, Call& call) {
  require_null_version(call, aws::S3ErrorCode::invalid_argument);
  std::vector<Deletion> deletions;
  deletions.push_back({.key = call.target.key, .condition = read_condition(call)});
  auto outcomes = co_await delete_keys(ctx, call, deletions);
  if (outcomes.front()) refuse(*std::move(outcomes.front()));
  co_await send_empty(ctx, call, 204);
}

}  // namespace tarn::s3gw
