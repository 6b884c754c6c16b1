#include "block/s3/checked_body.h"

#include <algorithm>
#include <utility>

#include "base/error.h"

namespace tarn::block::s3 {

namespace {

void check(std::string_view piece, std::uint64_t& bytes, const PutOptions& options) {
  if (piece.size() > options.bytes_max - bytes) {
    throw Error(ErrorCode::too_large, "object is too large");
  }
  bytes += piece.size();
  if (options.digests != nullptr) options.digests->update(piece);
}

}  // namespace

Task<std::string_view> CheckedBody::read(Context& ctx) {
  while (!ended_) {
    const std::string_view piece = co_await inner_.read(ctx);
    out_ = std::move(held_);
    if (piece.empty()) {
      ended_ = true;
      if (options_.accept) options_.accept();
    } else {
      check(piece, bytes_, options_);
      md5_.update(piece);
      held_ = std::string(piece);
    }
    if (!out_.empty()) co_return out_;
  }
  co_return std::string_view{};
}

Task<> BodyCutter::fill(Context& ctx) {
  if (ended_ || !rest_.empty()) co_return;
  rest_ = co_await body_.read(ctx);
  ended_ = rest_.empty();
  check(rest_, bytes_, options_);
}

Task<std::string> BodyCutter::next(Context& ctx, std::size_t bytes) {
  std::string part;
  if (const auto size = body_.size()) part.reserve(std::min<std::uint64_t>(*size, bytes));
  co_await fill(ctx);
  while (!ended_ && part.size() < bytes) {
    const auto count = std::min(rest_.size(), bytes - part.size());
    part += rest_.substr(0, count);
    rest_.remove_prefix(count);
    co_await fill(ctx);
  }
  co_return part;
}

}  // namespace tarn::block::s3
