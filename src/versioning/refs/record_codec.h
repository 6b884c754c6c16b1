// Stored forms of repositories, branches, tags, commits and settings (storage-format.md 2.3, 2.4,
// 2.6). Pure. Maps are written sorted by key, so equal records are equal bytes.
//
// Encoding throws Error{invalid_argument} if a text is not valid UTF-8: the reference could not
// read such a record. Decoding throws Error{corrupt}. A compare-and-set needs the bytes that were
// read, never a re-encoding.
#pragma once

#include <string>
#include <string_view>

#include "versioning/refs/ref_types.h"
#include "versioning/types.h"

namespace tarn::versioning {

std::string encode_repository(const Repository& repository);
Repository decode_repository(std::string_view stored);

std::string encode_branch(const Branch& branch);
Branch decode_branch(std::string_view stored);

std::string encode_tag(const Tag& tag);
Tag decode_tag(std::string_view stored);

std::string encode_commit(const Commit& commit);
Commit decode_commit(std::string_view stored);

std::string encode_repo_metadata(const Metadata& metadata);
Metadata decode_repo_metadata(std::string_view stored);

std::string encode_protection_rules(const ProtectionRules& rules);
ProtectionRules decode_protection_rules(std::string_view stored);

}  // namespace tarn::versioning
