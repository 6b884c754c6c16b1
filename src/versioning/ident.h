// The type-tagged canonical encoding that ids are hashed over (storage-format.md 3.1). Pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace tarn::versioning {

/// Collects tagged values in order; bytes() is what gets hashed.
class Ident {
 public:
  Ident& int64(std::int64_t value);
  Ident& bytes(std::string_view value);
  Ident& string(std::string_view value);
  Ident& string_list(const std::vector<std::string>& values);
  Ident& string_map(const std::map<std::string, std::string>& values);
  /// Another value by its 32-byte identity.
  Ident& embedded(std::string_view identity);

  const std::string& encoded() const { return out_; }

  /// SHA-256 over what was collected: 32 raw bytes.
  std::string identity() const;
  /// The identity in lower-case hex.
  std::string address() const;

 private:
  std::string out_;
};

}  // namespace tarn::versioning
