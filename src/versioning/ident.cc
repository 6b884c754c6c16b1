#include "versioning/ident.h"

#include "base/bytes.h"
#include "base/hash.h"

namespace tarn::versioning {
namespace {

enum Tag : char { kBytes = 0, kString = 1, kInt64 = 2, kList = 3, kMap = 4, kEmbedded = 5 };

}  // namespace

Ident& Ident::int64(std::int64_t value) {
  out_ += static_cast<char>(kInt64);
  out_ += '\x08';  // the width in bytes
  append_be64(out_, static_cast<std::uint64_t>(value));
  return *this;
}

Ident& Ident::bytes(std::string_view value) {
  out_ += static_cast<char>(kBytes);
  int64(static_cast<std::int64_t>(value.size()));
  out_ += value;
  return *this;
}

Ident& Ident::string(std::string_view value) {
  out_ += static_cast<char>(kString);
  int64(static_cast<std::int64_t>(value.size()));
  out_ += value;
  return *this;
}

Ident& Ident::string_list(const std::vector<std::string>& values) {
  out_ += static_cast<char>(kList);
  int64(static_cast<std::int64_t>(values.size()));
  for (const std::string& value : values)
    string(value);
  return *this;
}

Ident& Ident::string_map(const std::map<std::string, std::string>& values) {
  out_ += static_cast<char>(kMap);
  int64(static_cast<std::int64_t>(values.size()));
  for (const auto& [key, value] : values)
    string(key).string(value);
  return *this;
}

Ident& Ident::embedded(std::string_view identity) {
  out_ += static_cast<char>(kEmbedded);
  return bytes(identity);
}

std::string Ident::identity() const {
  return sha256(out_);
}

std::string Ident::address() const {
  return to_hex(identity());
}

}  // namespace tarn::versioning
