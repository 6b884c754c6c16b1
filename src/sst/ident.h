// The canonical, type-tagged encoding that content addresses are digests of (storage-format.md
// 3.1): commit ids, entry identities and the properties part of range ids.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>

namespace tarn::sst {

/// Collects the encoding of a sequence of values; digests it in one go, which for these short
/// messages beats a running hash. Reusable through clear(), which keeps the memory.
class IdentEncoder {
 public:
  IdentEncoder& add_int64(std::int64_t value);
  IdentEncoder& add_bytes(std::string_view bytes);
  IdentEncoder& add_string(std::string_view text);
  IdentEncoder& add_string_list(std::span<const std::string> list);

  /// Keys go in ascending byte order, which is the order of any map of strings.
  template <class Map>
  IdentEncoder& add_string_map(const Map& map) {
    begin_map(map.size());
    for (const auto& [key, value] : map)
      add_string(key).add_string(value);
    return *this;
  }

  /// Another value by its identity: the 32 raw bytes of its digest().
  IdentEncoder& add_embedded(std::string_view identity);

  const std::string& bytes() const noexcept { return bytes_; }

  /// SHA-256 over bytes(): 32 raw bytes, and the same as 64 hex characters.
  std::string digest() const;
  std::string hex_digest() const;

  void clear() { bytes_.clear(); }

 private:
  void begin_map(std::size_t size);

  std::string bytes_;
};

}  // namespace tarn::sst
