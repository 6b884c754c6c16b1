// A streamed body on its way out: digests and limits on every piece, and the last piece kept back
// until the whole has been accepted, so that a refused body never arrives complete.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/hash.h"
#include "block/object_store.h"
#include "io/byte_source.h"

namespace tarn::block::s3 {

class CheckedBody final : public io::ByteSource {
 public:
  CheckedBody(io::ByteSource& inner, const PutOptions& options)
      : inner_(inner), options_(options), md5_(Hasher::Kind::md5) {}

  Task<std::string_view> read(Context& ctx) override;

  std::optional<std::uint64_t> size() const override { return inner_.size(); }

  /// Raw, once the end has been read.
  std::string md5() { return md5_.finish(); }

 private:
  io::ByteSource& inner_;
  const PutOptions& options_;
  Hasher md5_;
  std::uint64_t bytes_ = 0;
  std::string out_;
  std::string held_;
  bool ended_ = false;
};

/// Cuts a body into parts in memory, with the same digests and limits. `body` and `options`
/// outlive it.
class BodyCutter {
 public:
  BodyCutter(io::ByteSource& body, const PutOptions& options) : body_(body), options_(options) {}

  /// The next `bytes` bytes, fewer only at the end. One byte is read ahead, so that ended() is
  /// known when the last part is returned.
  Task<std::string> next(Context& ctx, std::size_t bytes);

  bool ended() const { return ended_; }

  std::uint64_t bytes() const { return bytes_; }

 private:
  Task<> fill(Context& ctx);

  io::ByteSource& body_;
  const PutOptions& options_;
  std::string_view rest_;  // of the last piece; valid until the next read
  std::uint64_t bytes_ = 0;
  bool ended_ = false;
};

}  // namespace tarn::block::s3
