#include "rest/permissions.h"

#include <utility>

#include "base/format.h"

namespace tarn::rest {

namespace {

std::string fs(std::string_view kind, std::string_view name) {
  return format("arn:lakefs:fs:::{}/{}", kind, name);
}

std::string auth_arn(std::string_view kind, std::string_view name) {
  return format("arn:lakefs:auth:::{}/{}", kind, name);
}

std::string in_repository(const Call& call, std::string_view kind, std::string_view name) {
  return fs("repository", format("{}/{}/{}", call.params.text("repository"), kind, name));
}

std::string body_text(const Call& call, std::string_view name) {
  return call.document ? call.document->root().text_of(name).value_or("") : "";
}

std::string part_source(const Call& call) {
  const auto source = call.body().find("copy_source");
  if (!source) return "*";
  return fs("repository", format("{}/object/{}", source->text_of("repository").value_or(""),
                                 source->text_of("path").value_or("")));
}

std::string resource_of(On on, const Call& call) {
  const Parameters& params = call.params;
  switch (on) {
    case On::everything: return "*";
    case On::repository: return fs("repository", params.text("repository"));
    case On::new_repository: return fs("repository", body_text(call, "name"));
    case On::storage_namespace: return fs("namespace", body_text(call, "storage_namespace"));
    case On::branch: return in_repository(call, "branch", params.text("branch"));
    case On::new_branch: return in_repository(call, "branch", body_text(call, "name"));
    case On::destination_branch:
      return in_repository(call, "branch", params.text("destinationBranch"));
    case On::ref_as_branch: return in_repository(call, "branch", params.text("ref"));
    case On::tag: return in_repository(call, "tag", params.text("tag"));
    case On::new_tag: return in_repository(call, "tag", body_text(call, "id"));
    case On::object: return in_repository(call, "object", params.text("path"));
    case On::source_object: return in_repository(call, "object", body_text(call, "src_path"));
    case On::destination_object: return in_repository(call, "object", params.text("dest_path"));
    case On::part_source_object: return part_source(call);
    case On::branch_as_object: return in_repository(call, "object", params.text("branch"));
    case On::user: return auth_arn("user", params.text("userId"));
    case On::new_user: return auth_arn("user", body_text(call, "id"));
    case On::group: return auth_arn("group", params.text("groupId"));
    case On::new_group: return auth_arn("group", body_text(call, "id"));
    case On::group_acl: return auth_arn("policy", "ACL(_-_)" + params.text("groupId"));
    case On::policy: return auth_arn("policy", params.text("policyId"));
    case On::new_policy: return auth_arn("policy", body_text(call, "id"));
    case On::external_principal: return auth_arn("externalPrincipal", params.text("principalId"));
  }
  std::unreachable();
}

}  // namespace

std::vector<auth::Permission> permissions_of(const Permission& permission, const Call& call) {
  std::vector<auth::Permission> permissions;
  for (const Need& need : permission) {
    permissions.push_back({.action = need.action, .resource = resource_of(need.on, call)});
  }
  return permissions;
}

auth::Permission object_permission(std::string_view action, std::string_view repository,
                                   std::string_view path) {
  return {.action = action, .resource = fs("repository", format("{}/object/{}", repository, path))};
}

void authorize(const Permission& permission, const Call& call) {
  switch (permission.kind()) {
    case Permission::Kind::open:
    case Permission::Kind::tolerant: return;
    case Permission::Kind::signed_in:
    case Permission::Kind::per_item: call.services.authority.authorize(call.principal, {}); return;
    case Permission::Kind::needs:
      if (call.services.authority.may_everything(call.principal)) return;
      call.services.authority.authorize(call.principal, permissions_of(permission, call));
      return;
  }
  std::unreachable();
}

}  // namespace tarn::rest
