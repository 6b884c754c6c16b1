// Where an object's address points (storage-format.md 5.3). Pure text: nothing here looks at a disk
// or a network, and every input may be hostile.
#pragma once

#include <cstddef>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "block/object_store.h"

namespace tarn::block {

/// A place in a store of buckets: s3, gs, mem. For http and https (Azure) the bucket is the host
/// and the key starts with the container.
struct Location {
  std::string scheme;  // lower case
  std::string bucket;
  std::string key;  // without a leading slash
  friend bool operator==(const Location&, const Location&) = default;
};

/// s3, gs, http, https, local, mem, memory; in any case of letters.
bool is_known_scheme(std::string_view scheme);

/// The key a URI's path text stands for: percent-decoded if the text is the canonical encoding of
/// what it decodes to, else as it is. A '?' ends it. Errors: a broken escape, a control character.
std::expected<std::string, ParseError> key_of_uri_path(std::string_view path);

/// Parses scheme://bucket/key. Not for local://, whose paths know no percent-encoding.
std::expected<Location, ParseError> parse_uri(std::string_view uri);

/// Whether the address is a URI by itself, so that the namespace plays no part.
bool is_full(const ObjectRef& ref);

/// For stores of buckets. The relative address is used verbatim, but may have no NUL and no "."
/// or ".." component: no backend gives those a meaning that stays inside the namespace.
std::expected<Location, ParseError> resolve(const ObjectRef& ref);

/// Directories a local store may touch. All absolute and clean.
struct LocalRoots {
  std::string root;
  std::vector<std::string> external_prefixes;  // read only
};

/// A file below one of them: components are non-empty, at most 255 bytes, never "." or "..".
struct LocalPath {
  std::size_t base = 0;  // 0 = root, i + 1 = external_prefixes[i]
  std::string path;      // relative to the base; "" = the base itself (namespaces only)
  std::string space;     // the namespace's part of `path`; "" when full
  friend bool operator==(const LocalPath&, const LocalPath&) = default;
};

/// Kept by the local store for itself directly under its root; no address leads there.
inline constexpr std::string_view kPrivateDirectory = ".tarn";

/// Names of part files directly in a namespace's directory: 32 hex digits, '-', five digits.
bool is_part_name(std::string_view name);

std::expected<LocalPath, ParseError> resolve_local(const LocalRoots& roots, const ObjectRef& ref);

/// The directory of a namespace. local:///abs is <root>/abs, as for objects in it; with
/// `absolute_allowed` (listing what to import) an absolute path below a root or prefix is taken as
/// such.
std::expected<LocalPath, ParseError> resolve_local_namespace(const LocalRoots& roots,
                                                             std::string_view storage_namespace,
                                                             bool absolute_allowed);

/// What clients are shown: local:// and the cleaned join of root, namespace and key. A full
/// address gets the root in front as well, as the reference does; it then names no file.
std::string display_local(std::string_view root, const ObjectRef& ref);

/// Lexically shortest equal path, as path.Clean of Go: no "//", ".", inner ".." or trailing slash.
std::string clean_path(std::string_view path);

}  // namespace tarn::block
