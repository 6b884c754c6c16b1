// Staged records (StagedEntryData, storage-format.md 3.4). Hand-written over the wire format: they
// are read and written once per staged object, and decoding must not copy. Pure.
#pragma once

#include <string>
#include <string_view>

#include "versioning/types.h"

namespace tarn::versioning {

/// Throws Error{invalid_argument} for an empty identity: stored, it would be a tombstone.
std::string encode_staged(std::string_view key, std::string_view identity, std::string_view data);
std::string encode_tombstone(std::string_view key);

/// Views into `stored`. Unknown fields are skipped; the last of a repeated field counts. Throws
/// Error{corrupt}.
RecordView decode_staged(std::string_view stored);

}  // namespace tarn::versioning
