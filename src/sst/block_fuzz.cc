// Payloads of blocks, compressed blocks and committed values.
#include "base/error.h"
#include "sst/block.h"
#include "sst/snappy.h"
#include "sst/value.h"
#include "testing/fuzz.h"

namespace tarn::fuzz {

namespace {

using namespace sst;

template <class Work>
void expect_corrupt_at_most(Work work) {
  try {
    work();
  } catch (const Error& error) {
    TARN_ASSERT(error.code() == ErrorCode::corrupt);
  }
}

void walk(std::string_view payload, KeyForm form) {
  BlockIterator at(payload, form);
  std::size_t entries = 0;
  while (at.next())
    ++entries;
  TARN_ASSERT(entries <= payload.size());
  TARN_ASSERT(at.seek_first() == (entries > 0));
}

/// The payload's own bytes serve as the key looked for.
void seek(std::string_view payload, KeyForm form) {
  BlockIterator at(payload, form);
  const std::string_view key = payload.substr(0, payload.size() / 2);
  if (!at.seek_ge(key)) return;
  TARN_ASSERT(at.key() >= key);
  while (at.next())
    continue;
}

void check_snappy(std::string_view input) {
  constexpr std::size_t kRawBytesMax = 1 << 16;
  std::string raw;
  expect_corrupt_at_most([&] {
    snappy_decode(input, kRawBytesMax, raw);
    TARN_ASSERT(raw.size() <= kRawBytesMax);
  });
  static SnappyEncoder encoder;
  snappy_decode(encoder.encode(input), input.size(), raw);
  TARN_ASSERT(raw == input);
}

void check_value(std::string_view input) {
  expect_corrupt_at_most([&] {
    const ValueView value = decode_value(input);
    const std::string stored = encode_value(value.identity, value.data);
    TARN_ASSERT(decode_value(stored).identity == value.identity);
    TARN_ASSERT(decode_value(stored).data == value.data);
  });
  expect_corrupt_at_most([&] {
    const RangeData range = decode_range_data(input);
    TARN_ASSERT(decode_range_data(encode_range_data(range)) == range);
  });
}

}  // namespace

void run(std::string_view input) {
  for (const KeyForm form : {KeyForm::raw, KeyForm::internal, KeyForm::record}) {
    expect_corrupt_at_most([&] { walk(input, form); });
    expect_corrupt_at_most([&] { seek(input, form); });
  }
  check_snappy(input);
  check_value(input);
}

}  // namespace tarn::fuzz
