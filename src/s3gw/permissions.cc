#include "s3gw/permissions.h"

#include "base/format.h"
#include "s3gw/copy_source.h"
#include "s3gw/error_response.h"

namespace tarn::s3gw {

namespace {

std::string repository_arn(std::string_view repository) {
  return format("arn:lakefs:fs:::repository/{}", repository);
}

/// Which actions a listing takes: branches at the root, objects below, both where the root is
/// flattened over its branches.
void add_listing(std::vector<auth::Permission>& out, const Call& call) {
  const std::string resource = repository_arn(call.target.bucket);
  const bool at_root = call.text("prefix").find('/') == std::string_view::npos;
  if (at_root) out.push_back({.action = "fs:ListBranches", .resource = resource});
  if (!at_root || call.text("delimiter") != "/") {
    out.push_back({.action = "fs:ListObjects", .resource = resource});
  }
}

}  // namespace

auth::Permission object_permission(std::string_view action, std::string_view repository,
                                   std::string_view path) {
  return {.action = action, .resource = format("{}/object/{}", repository_arn(repository), path)};
}

std::vector<auth::Permission> permissions_of(const Operation& operation, const Call& call) {
  std::vector<auth::Permission> out;
  for (const Need& need : operation.permission) {
    switch (need.on) {
      case On::everything: out.push_back({.action = need.action, .resource = "*"}); break;
      case On::repository:
        out.push_back({.action = need.action, .resource = repository_arn(call.target.bucket)});
        break;
      case On::object:
        out.push_back(object_permission(need.action, call.target.bucket, call.key.path));
        break;
      case On::source: {
        const CopySource source =
            require(parse_copy_source(call.header("x-amz-copy-source").value_or("")));
        out.push_back(object_permission(need.action, source.bucket, source.key.path));
        break;
      }
      case On::listing: add_listing(out, call); break;
    }
  }
  return out;
}

void authorize(const Operation& operation, const Call& call) {
  const auto& authority = call.services.authority;
  switch (operation.permission.kind()) {
    case Permission::Kind::needs:
      if (authority.may_everything(call.principal)) return;
      authority.authorize(call.principal, permissions_of(operation, call));
      return;
    case Permission::Kind::per_item: authority.authorize(call.principal, {}); return;
    case Permission::Kind::refused: refuse(aws::S3ErrorCode::access_denied);
  }
}

}  // namespace tarn::s3gw
