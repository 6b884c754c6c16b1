#include "sst/ident.h"

#include "base/bytes.h"
#include "base/hash.h"

namespace tarn::sst {

namespace {

enum Tag : char { kBytes = 0, kString = 1, kInt64 = 2, kList = 3, kMap = 4, kEmbedded = 5 };

constexpr char kInt64Width = 8;

}  // namespace

IdentEncoder& IdentEncoder::add_int64(std::int64_t value) {
  bytes_.push_back(kInt64);
  bytes_.push_back(kInt64Width);
  append_be64(bytes_, static_cast<std::uint64_t>(value));
  return *this;
}

IdentEncoder& IdentEncoder::add_bytes(std::string_view bytes) {
  bytes_.push_back(kBytes);
  add_int64(static_cast<std::int64_t>(bytes.size()));
  bytes_.append(bytes);
  return *this;
}

IdentEncoder& IdentEncoder::add_string(std::string_view text) {
  bytes_.push_back(kString);
  add_int64(static_cast<std::int64_t>(text.size()));
  bytes_.append(text);
  return *this;
}

IdentEncoder& IdentEncoder::add_string_list(std::span<const std::string> list) {
  bytes_.push_back(kList);
  add_int64(static_cast<std::int64_t>(list.size()));
  for (const std::string& text : list)
    add_string(text);
  return *this;
}

IdentEncoder& IdentEncoder::add_embedded(std::string_view identity) {
  bytes_.push_back(kEmbedded);
  return add_bytes(identity);
}

void IdentEncoder::begin_map(std::size_t size) {
  bytes_.push_back(kMap);
  add_int64(static_cast<std::int64_t>(size));
}

std::string IdentEncoder::digest() const {
  return sha256(bytes_);
}

std::string IdentEncoder::hex_digest() const {
  return to_hex(digest());
}

}  // namespace tarn::sst
