// What an operation demands of its caller (lakefs-http-behaviour.md 8), and how that becomes the
// permissions auth/ checks. Rows are in operations.cc.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "auth/authority.h"
#include "rest/call.h"

namespace tarn::rest {

/// The resource a permission is about, and where the request names it.
enum class On : std::uint8_t {
  everything,
  repository,          // path
  new_repository,      // body "name"
  storage_namespace,   // body "storage_namespace"
  branch,              // path "branch"
  new_branch,          // body "name"
  destination_branch,  // path "destinationBranch"
  ref_as_branch,       // path "ref": a branch of that name
  tag,                 // path "tag"
  new_tag,             // body "id"
  object,              // query "path"
  source_object,       // body "src_path"
  destination_object,  // query "dest_path"
  part_source_object,  // body "copy_source": another repository's object
  branch_as_object,    // path "branch", taken for a path as the reference does
  user,                // path "userId"
  new_user,            // body "id"
  group,               // path "groupId"
  new_group,           // body "id"
  group_acl,           // path "groupId": the policy behind its ACL
  policy,              // path "policyId"
  new_policy,          // body "id"
  external_principal,  // query "principalId"
};

struct Need {
  std::string_view action;
  On on = On::everything;
};

/// There is no default: an operation without a permission does not compile.
class Permission {
 public:
  enum class Kind : std::uint8_t {
    open,       // credentials are not even looked at
    tolerant,   // credentials are checked if there are any
    signed_in,  // any known caller
    needs,      // all of needs()
    per_item,   // a known caller; the handler checks needs() for every item
  };

  constexpr Permission(Kind kind, std::initializer_list<Need> needs) : kind_(kind) {
    for (const Need& need : needs)
      needs_[count_++] = need;
  }

  constexpr Kind kind() const { return kind_; }

  constexpr const Need* begin() const { return needs_.data(); }

  constexpr const Need* end() const { return needs_.data() + count_; }

 private:
  Kind kind_;
  std::array<Need, 4> needs_{};
  std::size_t count_ = 0;
};

inline constexpr Permission kOpen{Permission::Kind::open, {}};
inline constexpr Permission kTolerant{Permission::Kind::tolerant, {}};
inline constexpr Permission kSignedIn{Permission::Kind::signed_in, {}};

constexpr Permission needs(std::initializer_list<Need> list) {
  return {Permission::Kind::needs, list};
}

constexpr Permission per_item(std::initializer_list<Need> list) {
  return {Permission::Kind::per_item, list};
}

/// The permissions of a row for this call. Pure.
std::vector<auth::Permission> permissions_of(const Permission& permission, const Call& call);

/// The permission on one object, for rows of kind per_item.
auth::Permission object_permission(std::string_view action, std::string_view repository,
                                   std::string_view path);

/// Throws unless the caller satisfies the row.
void authorize(const Permission& permission, const Call& call);

}  // namespace tarn::rest
