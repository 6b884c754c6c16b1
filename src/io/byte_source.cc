#include "io/byte_source.h"

#include "base/error.h"
#include "base/format.h"

namespace tarn::io {

Task<Sent> ByteSource::send_some(Context& /*ctx*/, int /*socket*/) {
  co_return Sent{.stop = Sent::Stop::unsupported};
}

Task<std::string_view> StringSource::read(Context& /*ctx*/) {
  if (std::exchange(done_, true)) co_return std::string_view();
  co_return *bytes_;
}

Task<std::string> read_all(Context& ctx, ByteSource& source, std::uint64_t bytes_max) {
  const auto too_large = [&] {
    return Error(ErrorCode::too_large, format("body larger than {} bytes", bytes_max));
  };
  std::string all;
  if (const auto size = source.size()) {
    if (*size > bytes_max) throw too_large();
    all.reserve(*size);
  }
  while (true) {
    const std::string_view piece = co_await source.read(ctx);
    if (piece.empty()) co_return all;
    if (piece.size() > bytes_max - all.size()) throw too_large();
    all += piece;
  }
}

}  // namespace tarn::io
