// One object's metadata as stored in entries (storage-format.md 3.3) and its identity.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/time.h"
#include "block/object_store.h"
#include "versioning/types.h"

namespace tarn::catalog {

inline constexpr std::size_t kPathBytesMax = 1'024;
inline constexpr std::string_view kDefaultContentType = "application/octet-stream";

struct Entry {
  std::string address;  // physical; relative to the namespace or a full URI, by address_type
  block::AddressType address_type = block::AddressType::relative;
  Timestamp last_modified;
  std::uint64_t size = 0;
  std::string etag;  // without quotes; hex MD5 for plain uploads
  versioning::Metadata metadata;
  std::string content_type;  // "" = not recorded (imports); shown as kDefaultContentType

  friend bool operator==(const Entry&, const Entry&) = default;
};

/// Serialised Entry with the identity computed over size, ETag, metadata and content type. Throws
/// Error{invalid_argument} for text that is not UTF-8: the reference could not read it back.
versioning::Value encode_entry(const Entry& entry);

/// Throws Error{corrupt}.
Entry decode_entry(std::string_view data);

/// An entry as it lies in its stored bytes: what listings show of it, without a copy. The views
/// live as long as those bytes.
struct EntryView {
  std::string_view data;  // all of it, for decode_entry(): the metadata are there
  std::string_view address;
  block::AddressType address_type = block::AddressType::by_prefix_deprecated;
  Timestamp last_modified;
  std::uint64_t size = 0;
  std::string_view etag;
  std::string_view content_type;
  bool has_metadata = false;
};

/// Refuses what decode_entry() refuses.
EntryView view_entry(std::string_view data);

}  // namespace tarn::catalog
