#include "base/xid.h"

#include <atomic>

#include <unistd.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/random.h"

namespace tarn {

namespace {

constexpr std::size_t kTextSize = 20;
constexpr std::int64_t kYear4000 = 64'060'588'800;
constexpr std::int64_t kYear3000 = 32'500'915'200;

/// The machine bytes are drawn at random per process: containers share host and process ids so
/// often that bytes derived from those would promise more than they hold.
struct Source {
  std::string machine = random_bytes(3);
  std::atomic<std::uint32_t> counter = random_start();

  static std::uint32_t random_start() {
    std::uint32_t start = 0;
    for (const char c : random_bytes(3))
      start = start << 8 | static_cast<unsigned char>(c);
    return start;
  }
};

Source& source() {
  static Source instance;
  return instance;
}

}  // namespace

std::string xid_text(std::int64_t unix_seconds, std::string_view rest, XidOrder order) {
  TARN_ASSERT(rest.size() == 8);
  std::int64_t field = unix_seconds;
  switch (order) {
    case XidOrder::ascending: break;
    case XidOrder::descending_year_4000: field = kYear4000 - unix_seconds; break;
    case XidOrder::descending_year_3000: field = kYear3000 - unix_seconds; break;
  }
  std::string bytes;
  append_be32(bytes, static_cast<std::uint32_t>(field));  // modulo 2^32, as 5.1 says
  bytes += rest;
  return to_base32hex(bytes);
}

std::string make_xid(Timestamp now, XidOrder order) {
  Source& from = source();
  const auto process = static_cast<std::uint32_t>(::getpid());
  const std::uint32_t count = from.counter.fetch_add(1, std::memory_order_relaxed);
  std::string rest = from.machine;
  for (const std::uint32_t byte : {process >> 8, process, count >> 16, count >> 8, count}) {
    rest.push_back(static_cast<char>(byte));
  }
  return xid_text(now.seconds, rest, order);
}

std::optional<std::int64_t> xid_seconds(std::string_view text) {
  if (text.size() != kTextSize) return std::nullopt;
  const auto bytes = from_base32hex(text);
  if (!bytes || bytes->size() != 12) return std::nullopt;
  std::int64_t seconds = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    seconds = seconds << 8 | static_cast<unsigned char>((*bytes)[i]);
  }
  return seconds;
}

}  // namespace tarn
