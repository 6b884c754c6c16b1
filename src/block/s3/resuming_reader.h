// An object being read. When the connection breaks it goes on where it was, as long as the object
// is still the same.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "block/s3/requester.h"
#include "io/byte_source.h"

namespace tarn::block::s3 {

struct ReadPlan {
  std::string bucket;
  std::string key;
  std::string etag;  // with quotes, as If-Match wants it; empty: cannot go on
  std::uint64_t next = 0;
  std::uint64_t left = 0;
};

class ResumingReader final : public io::ByteSource {
 public:
  ResumingReader(Requester& requester, const S3Config& config, ReadPlan plan,
                 std::unique_ptr<io::ByteSource> body)
      : requester_(requester),
        config_(config),
        plan_(std::move(plan)),
        size_(plan_.left),
        body_(std::move(body)) {}

  Task<std::string_view> read(Context& ctx) override;

  std::optional<std::uint64_t> size() const override { return size_; }

 private:
  Task<> reopen(Context& ctx);

  Requester& requester_;
  const S3Config& config_;
  ReadPlan plan_;
  const std::uint64_t size_;
  std::unique_ptr<io::ByteSource> body_;
  std::uint32_t failures_ = 0;  // without progress between them
  Context::SteadyClock::time_point first_failure_;
};

std::string range_header(std::uint64_t first, std::uint64_t last);

}  // namespace tarn::block::s3
