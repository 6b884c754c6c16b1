// Checks range files against their ids, piece by piece as they come in. Synchronous.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "sst/table_id.h"
#include "sst/table_reader.h"
#include "versioning/committed/range_store.h"

namespace tarn::versioning {

/// Takes the bytes of a file whose index is known already, in order from the first. Throws
/// Error{corrupt} as soon as something is wrong. Holds one block and what was fed last.
class FileVerifier {
 public:
  /// `index` outlives the verifier.
  explicit FileVerifier(const sst::TableIndex& index) : index_(index) {}

  void feed(std::string_view bytes);
  /// The whole file has been fed: its content must have the id `expected`.
  void finish(std::string_view expected);

 private:
  /// Returns false when the next block is not complete yet.
  bool take_block();

  const sst::TableIndex& index_;
  sst::TableIdHasher hasher_;
  std::size_t next_block_ = 0;
  std::uint64_t pending_offset_ = 0;  // in the file, of pending_'s first byte
  std::string pending_;
  std::string scratch_;
  std::string last_key_;
  bool any_ = false;
};

/// Parses and verifies a metarange file. Throws Error{corrupt}.
TreePtr parse_tree(std::string_view file, std::string_view expected_id);

/// Whether `id` has the form of a range's or metarange's: 64 lower-case hex digits. Nothing else is
/// ever made part of an address.
bool is_table_id(std::string_view id);

}  // namespace tarn::versioning
