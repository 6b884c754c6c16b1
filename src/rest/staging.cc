// Bytes that clients write to the store themselves (lakefs-http-behaviour.md 16.10, 17).
#include "api/staging_models.h"
#include "base/error.h"
#include "rest/handlers.h"
#include "rest/models.h"
#include "rest/upload_request.h"

namespace tarn::rest {

namespace {

void require_address(std::string_view address) {
  if (address.empty()) {
    throw Error(ErrorCode::invalid_argument, "physical_address is required");
  }
}

std::uint64_t require_size(std::int64_t size) {
  if (size < 0) {
    throw Error(ErrorCode::invalid_argument,
                "argument size_bytes: invalid value: validation error");
  }
  return static_cast<std::uint64_t>(size);
}

}  // namespace

Task<> get_physical_address(Call& call) {
  const auto repository = co_await call.repository();
  const BranchId branch = call.branch();
  const auto issued =
      call.services.catalog.issue_address(*repository, branch, call.params.text("path"));
  api::StagingLocation location{.physical_address = issued.physical_address};
  if (call.params.flag("presign")) {
    auto url = co_await call.services.catalog.presign_write(call.ctx, *repository, issued);
    location.presigned_url = std::move(url.url);
    location.presigned_url_expiry = url.expires.seconds;
  }
  co_await call.reply(200, location);
}

Task<> link_physical_address(Call& call) {
  auto staged = api::decode_staging_metadata(call.body());
  require_address(staged.physical_address);
  const auto repository = co_await call.repository();
  const BranchId branch = call.branch();
  const std::string& path = call.params.text("path");
  const std::string address = staged.physical_address;
  catalog::ExternalObject object{.physical_address = std::move(staged.physical_address),
                                 .checksum = std::move(staged.checksum),
                                 .size = require_size(staged.size_bytes),
                                 .mtime = staged.mtime,
                                 .metadata = std::move(staged.user_metadata),
                                 .content_type = std::move(staged.content_type)};
  std::optional<catalog::Entry> entry;
  try {
    entry =
        co_await call.services.catalog.link(call.ctx, *repository, branch, path, std::move(object),
                                            write_condition(call), staged.force);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::precondition_failed) throw;
    throw Error(error.code(), "Precondition failed");  // uploads say more
  }
  co_await call.reply(200, to_model(path, *entry, address));
}

Task<> stage_object(Call& call) {
  auto staged = api::decode_object_stage_creation(call.body());
  const auto repository = co_await call.repository();
  const BranchId branch = call.branch();
  const std::string& path = call.params.text("path");
  const std::string address = staged.physical_address;
  catalog::ExternalObject object{.physical_address = std::move(staged.physical_address),
                                 .checksum = std::move(staged.checksum),
                                 .size = require_size(staged.size_bytes),
                                 .mtime = staged.mtime,
                                 .metadata = std::move(staged.metadata),
                                 .content_type = std::move(staged.content_type)};
  const auto entry = co_await call.services.catalog.stage(call.ctx, *repository, branch, path,
                                                          std::move(object), staged.force);
  auto model = to_model(path, entry, address);
  model.metadata.reset();
  co_await call.reply(201, model);
}

}  // namespace tarn::rest
