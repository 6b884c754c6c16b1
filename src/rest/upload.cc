// Uploading an object (lakefs-http-behaviour.md 16.2): as the raw body, or as a form's part.
#include "base/error.h"
#include "rest/handlers.h"
#include "rest/models.h"
#include "rest/multipart_form.h"
#include "rest/upload_request.h"

namespace tarn::rest {

namespace {

constexpr std::string_view kPartName = "content";

/// What Catalog::upload() would refuse. For forms, whose part has to be found in the body first.
Task<> check_upload(Call& call, const versioning::Repository& repository, const BranchId& branch,
                    const catalog::UploadParams& params) {
  co_await call.services.engine.get_branch(call.ctx, repository, branch);
  if (params.condition) {
    params.condition(co_await call.services.catalog.find(call.ctx, repository, branch.str(),
                                                         call.params.text("path")));
  }
  co_await call.services.engine.check_write(call.ctx, repository, branch, {.force = params.force});
}

Task<catalog::Uploaded> store(Call& call, const versioning::Repository& repository,
                              const BranchId& branch, std::optional<std::string> boundary,
                              catalog::UploadParams params) {
  const std::string& path = call.params.text("path");
  io::ByteSource& body = call.request.body();
  if (!boundary) {
    co_return co_await call.services.catalog.upload(call.ctx, repository, branch, path, body,
                                                    std::move(params));
  }
  co_await check_upload(call, repository, branch, params);
  FormPartSource part(body, *boundary, kPartName);
  params.content_type = co_await part.open(call.ctx);
  co_return co_await call.services.catalog.upload(call.ctx, repository, branch, path, part,
                                                  std::move(params));
}

}  // namespace

Task<> upload_object(Call& call) {
  const auto repository = co_await call.repository();
  const BranchId branch = require_branch(call.params.text("branch"), "argument name");
  const std::string_view content_type = call.request.header("Content-Type").value_or("");
  const auto boundary = parse_form_boundary(content_type);
  if (!boundary) throw Error(ErrorCode::invalid_argument, boundary.error().message);
  catalog::UploadParams params{.content_type = std::string(content_type),
                               .metadata = metadata_of(call.request),
                               .condition = write_condition(call),
                               .force = call.params.flag("force")};
  const auto uploaded =
      co_await named_branch(store(call, *repository, branch, *boundary, std::move(params)), branch);
  const auto& entry = uploaded.entry;
  co_await call.reply(201, to_model(call.params.text("path"), entry,
                                    call.services.catalog.display_address(*repository, entry)));
}

}  // namespace tarn::rest
