// The name of a range or metarange: a digest of its records and properties (storage-format.md 3.7).
#pragma once

#include <string>
#include <string_view>

#include "base/hash.h"
#include "sst/table_format.h"

namespace tarn::sst {

/// Hashes records as they come; gathers small ones so that the digest runs over large pieces.
class TableIdHasher {
 public:
  TableIdHasher();

  void add(std::string_view key, std::string_view value);

  /// The id: 64 hex characters. `properties` are those known before the file is closed.
  std::string finish(const Properties& properties);

 private:
  void append_counted(std::string_view bytes);
  void flush();

  Hasher hasher_;
  std::string pending_;
};

}  // namespace tarn::sst
