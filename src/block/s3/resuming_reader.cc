#include "block/s3/resuming_reader.h"

#include <exception>
#include <utility>

#include "base/error.h"
#include "base/format.h"
#include "block/s3/verdict.h"

namespace tarn::block::s3 {

std::string range_header(std::uint64_t first, std::uint64_t last) {
  return last == UINT64_MAX ? format("bytes={}-", first) : format("bytes={}-{}", first, last);
}

Task<> ResumingReader::reopen(Context& ctx) {
  co_await requester_.pause(ctx, "get", failures_ - 1);
  Reply reply = co_await requester_.send(
      ctx, {.what = "get",
            .bucket = plan_.bucket,
            .key = plan_.key,
            .headers = {{"range", range_header(plan_.next, plan_.next + plan_.left - 1)},
                        {"if-match", plan_.etag}},
            .read_body = false});
  if (reply.status() == 412 || reply.status() == 404) {
    throw Error(ErrorCode::unavailable, "the object was replaced while it was read");
  }
  if (!reply.ok() || reply.status() != 206 || reply.response.content_length() != plan_.left) {
    throw refusal("get", reply.status(), reply.code);
  }
  body_ = reply.response.take_body();
}

Task<std::string_view> ResumingReader::read(Context& ctx) {
  while (plan_.left > 0) {
    if (body_ == nullptr) co_await reopen(ctx);
    std::exception_ptr failure;
    std::string_view piece;
    try {
      piece = co_await body_->read(ctx);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::unavailable) throw;
      failure = std::current_exception();
    }
    if (!failure && !piece.empty() && piece.size() <= plan_.left) {
      failures_ = 0;
      plan_.next += piece.size();
      plan_.left -= piece.size();
      co_return piece;
    }
    body_.reset();
    const auto now = Context::SteadyClock::now();
    if (++failures_ == 1) first_failure_ = now;
    const bool late = now - first_failure_ >= config_.response_timeout;
    if (plan_.etag.empty() || failures_ > config_.max_retries || late) {
      if (failure) std::rethrow_exception(failure);
      throw Error(ErrorCode::unavailable, "the object store sent another number of bytes");
    }
  }
  co_return std::string_view{};
}

}  // namespace tarn::block::s3
