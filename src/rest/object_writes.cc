// Changing objects without sending their bytes (lakefs-http-behaviour.md 16.7 to 16.9).
#include "api/error_models.h"
#include "base/error.h"
#include "base/format.h"
#include "rest/error_response.h"
#include "rest/handlers.h"
#include "rest/models.h"
#include "rest/permissions.h"
#include "rest/upload_request.h"

namespace tarn::rest {

namespace {

constexpr std::size_t kPathsMax = 1'000;

versioning::WriteOptions delete_options(const Call& call) {
  return {.force = call.params.flag("force"), .no_tombstone = call.params.flag("no_tombstone")};
}

api::ObjectError to_object_error(std::string path, const Error& error) {
  return {.path = std::move(path),
          .status_code = status_of(error.code()),
          .message = answer_for(error, true).message};
}

/// Why the caller may not delete it, or nullopt. `argument` is what messages call the path.
std::optional<Error> find_refusal(const Call& call, const std::string& path,
                                  std::string_view argument) {
  if (path.size() > catalog::kPathBytesMax) {
    return Error(ErrorCode::invalid_argument,
                 format("argument {}: invalid value: validation error: {} is above maximum length "
                        "({})",
                        argument, path.size(), catalog::kPathBytesMax));
  }
  try {
    call.services.authority.authorize(
        call.principal,
        {object_permission("fs:DeleteObject", call.params.text("repository"), path)});
  } catch (const Error& error) {
    return error;
  }
  return std::nullopt;
}

/// One outcome per path. What refuses the whole branch refuses each path.
Task<std::vector<std::optional<Error>>> remove_all(Call& call,
                                                   const versioning::Repository& repository,
                                                   const BranchId& branch,
                                                   std::vector<std::string> paths) {
  const std::size_t count = paths.size();
  try {
    co_return co_await call.services.catalog.remove(call.ctx, repository, branch, std::move(paths),
                                                    delete_options(call));
  } catch (const Error& error) {
    if (error.code() != ErrorCode::protected_branch && error.code() != ErrorCode::read_only) throw;
    co_return std::vector<std::optional<Error>>(count, error);
  }
}

}  // namespace

Task<> delete_object(Call& call) {
  const auto repository = co_await call.repository();
  const BranchId branch = call.branch();
  std::vector<std::string> paths{call.params.text("path")};
  if (const auto refusal = find_refusal(call, paths.front(), "path")) throw Error(*refusal);
  const auto outcomes = co_await call.services.catalog.remove(
      call.ctx, *repository, branch, std::move(paths), delete_options(call));
  if (outcomes.front()) throw Error(*outcomes.front());
  co_await call.reply_empty(204);
}

Task<> delete_objects(Call& call) {
  auto paths = api::decode_path_list(call.body());
  if (paths.size() > kPathsMax) {
    throw Error(ErrorCode::invalid_argument,
                format("request size exceeded, max paths is set to {}", kPathsMax));
  }
  const auto repository = co_await call.repository();
  const BranchId branch = call.branch();
  api::ObjectErrorList list;
  std::vector<std::string> allowed;
  for (std::size_t i = 0; i < paths.size(); ++i) {
    std::string& path = paths[i];
    if (path.empty()) continue;  // some clients send one; it names nothing
    if (const auto refusal = find_refusal(call, path, format("path[{}]", i))) {
      list.errors.push_back(to_object_error(std::move(path), *refusal));
    } else {
      allowed.push_back(std::move(path));
    }
  }
  const auto outcomes = co_await remove_all(call, *repository, branch, allowed);
  for (std::size_t i = 0; i < allowed.size(); ++i) {
    if (outcomes[i]) list.errors.push_back(to_object_error(allowed[i], *outcomes[i]));
  }
  co_await call.reply(200, list);
}

Task<> copy_object(Call& call) {
  auto creation = api::decode_object_copy_creation(call.body());
  const auto repository = co_await call.repository();
  const BranchId branch = require_branch(call.params.text("branch"), "argument name");
  if (creation.shallow) throw Error(ErrorCode::not_implemented, "Not Implemented");
  const std::string& path = call.params.text("dest_path");
  const catalog::CopySource source{.repository = repository->id,
                                   .ref = creation.src_ref.value_or(branch.str()),
                                   .path = std::move(creation.src_path)};
  catalog::CopyParams params{.force = creation.force};
  const auto entry = co_await named_branch(
      call.services.catalog.copy(call.ctx, source, *repository, branch, path, std::move(params)),
      branch);
  co_await call.reply(
      201, to_model(path, entry, call.services.catalog.display_address(*repository, entry)));
}

Task<> update_object_user_metadata(Call& call) {
  auto metadata = api::decode_update_object_user_metadata(call.body());
  const auto repository = co_await call.repository();
  const BranchId branch = call.branch();
  co_await call.services.catalog.set_metadata(call.ctx, *repository, branch,
                                              call.params.text("path"), std::move(metadata), {});
  co_await call.reply_empty(204);
}

}  // namespace tarn::rest
