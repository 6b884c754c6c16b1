// What refs/ hands out and takes: pages of listings, resolved references, protection rules.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/id.h"
#include "versioning/types.h"

namespace tarn::versioning {

/// A page of a listing by id: `after` exclusive, `amount` at least 1. Results are at most amount.
struct PageRequest {
  std::string prefix;
  std::string after;
  std::size_t amount = 100;
};

template <class T>
struct Page {
  std::vector<T> items;
  bool has_more = false;
};

/// What a reference expression (4.11) came to.
struct ResolvedRef {
  enum class Kind : std::uint8_t { branch, tag, commit };
  Kind kind = Kind::commit;
  std::optional<Branch> branch;  // kind branch: as read, staging tokens included
  std::string name;              // branch or tag id; the commit id otherwise
  CommitId commit_id;
  bool staged = false;  // reads include uncommitted data: plain branch or `branch$`
  bool dollar = false;  // `branch$` was written
};

/// Branch name pattern (glob) → blocked actions.
enum class BlockedAction : std::uint8_t { staging_write = 0, commit = 1 };

struct ProtectionRules {
  std::map<std::string, std::vector<BlockedAction>> rules;
};

struct StoredRules {
  ProtectionRules rules;
  std::string checksum;  // hex SHA-256 of the stored bytes, "" if none
};

}  // namespace tarn::versioning
