// The name of a range or metarange: a digest of its records and properties (storage-format.md 3.7).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "sst/table_format.h"

namespace tarn::sst {

/// Hashes records as they come; gathers small ones so that the digest runs over large pieces. A
/// copy goes on by itself from the records so far, and is small: what makes checkpoints.
class TableIdHasher {
 public:
  TableIdHasher();
  ~TableIdHasher();
  TableIdHasher(const TableIdHasher& other);
  TableIdHasher& operator=(const TableIdHasher& other);

  void add(std::string_view key, std::string_view value);

  /// The id: 64 hex characters. `properties` are those known before the file is closed.
  std::string finish(const Properties& properties);

  /// Digests what was gathered, so that copies need not hold it.
  void flush();

 private:
  void append_counted(std::string_view bytes);

  struct Digest;
  std::unique_ptr<Digest> digest_;
  std::string pending_;
};

}  // namespace tarn::sst
