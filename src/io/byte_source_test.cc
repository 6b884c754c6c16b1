#include "io/byte_source.h"

#include <vector>

#include "base/error.h"
#include "testing/co_test.h"

namespace tarn::io {
namespace {

/// Pieces of unknown total length.
class PieceSource final : public ByteSource {
 public:
  explicit PieceSource(std::vector<std::string> pieces) : pieces_(std::move(pieces)) {}

  Task<std::string_view> read(Context& /*ctx*/) override {
    if (next_ == pieces_.size()) co_return std::string_view();
    co_return pieces_[next_++];
  }

  std::optional<std::uint64_t> size() const override { return std::nullopt; }

 private:
  std::vector<std::string> pieces_;
  std::size_t next_ = 0;
};

CO_TEST(StringSource, YieldsItsBytesOnceAndThenTheEnd) {
  StringSource source("bytes");
  EXPECT_EQ(source.size(), 5U);
  EXPECT_EQ(co_await source.read(ctx), "bytes");
  EXPECT_EQ(co_await source.read(ctx), "");
  EXPECT_EQ(co_await source.read(ctx), "");
}

CO_TEST(ReadAll, JoinsPieces) {
  PieceSource source({"ab", "c", "def"});
  EXPECT_EQ(co_await read_all(ctx, source, 6), "abcdef");
}

CO_TEST(ReadAll, RefusesMoreThanItsLimit) {
  PieceSource pieces({"ab", "c", "def"});
  CO_EXPECT_ERROR(read_all(ctx, pieces, 5), ErrorCode::too_large);
  StringSource announced("abcdef");
  CO_EXPECT_ERROR(read_all(ctx, announced, 5), ErrorCode::too_large);
  EXPECT_EQ(co_await announced.read(ctx), "abcdef");  // refused by size, not by reading
}

CO_TEST(ReadAll, ReadsNothingFromAnEmptySource) {
  PieceSource source({});
  EXPECT_EQ(co_await read_all(ctx, source, 0), "");
}

}  // namespace
}  // namespace tarn::io
