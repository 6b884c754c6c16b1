// Multipart uploads whose parts clients send to the store themselves (lakefs-http-behaviour.md
// 17.3).
#include <limits>

#include "api/staging_models.h"
#include "base/error.h"
#include "base/format.h"
#include "rest/handlers.h"
#include "rest/models.h"
#include "rest/upload_request.h"

namespace tarn::rest {

namespace {

constexpr std::int64_t kPartsMax = 10'000;

void require_support(const Call& call) {
  if (call.services.catalog.store_info().presign_multipart_support) return;
  throw Error(ErrorCode::not_implemented, "presign multipart upload API is not supported");
}

[[noreturn]] void refuse(std::string message) {
  throw Error(ErrorCode::invalid_argument, std::move(message));
}

/// 0 for what is no number of a part; the store refuses it.
std::uint32_t part_number(std::int64_t number) {
  return number < 1 || number > kPartsMax ? 0 : static_cast<std::uint32_t>(number);
}

std::vector<block::Part> require_parts(std::vector<api::UploadedPartName> named) {
  if (named.empty()) refuse("parts are required");
  std::vector<block::Part> parts;
  parts.reserve(named.size());
  for (auto& part : named)
    parts.push_back({.number = part_number(part.part_number), .etag = std::move(part.etag)});
  return parts;
}

/// "" without a body.
std::string address_of(const Call& call) {
  return call.document ? call.document->root().text_of("physical_address").value_or("") : "";
}

void require_address(const Call& call) {
  if (address_of(call).empty()) refuse("physical_address is required");
}

/// The upload the request names, its address looked at.
catalog::PresignedUpload upload_of(const Call& call, const versioning::Repository& repository) {
  return call.services.catalog.presigned_upload(repository, call.params.text("branch"),
                                                call.params.text("path"),
                                                call.params.text("uploadId"), address_of(call));
}

/// Digits at the front of `text`, which is shortened by them.
std::optional<std::uint64_t> take_number(std::string_view& text) {
  std::optional<std::uint64_t> number;
  while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
    const auto digit = static_cast<std::uint64_t>(text.front() - '0');
    if (number.value_or(0) > (std::numeric_limits<std::uint64_t>::max() - digit) / 10) return {};
    number = number.value_or(0) * 10 + digit;
    text.remove_prefix(1);
  }
  return number;
}

/// Both ends are needed; of several ranges the first one counts.
std::optional<block::ByteRange> range_of(const std::optional<std::string>& text) {
  if (!text) return std::nullopt;
  constexpr std::string_view kUnit = "bytes=";
  std::string_view rest = *text;
  if (rest.starts_with(kUnit)) rest.remove_prefix(kUnit.size());
  const auto first = take_number(rest);
  if (!first || !rest.starts_with('-')) refuse(format("parse range \"{}\": unexpected EOF", *text));
  rest.remove_prefix(1);
  const auto last = take_number(rest);
  if (!last) refuse(format("parse range \"{}\": EOF", *text));
  return block::ByteRange{.first = *first, .last = *last};
}

/// What a part is copied from, with the place in front of what is wrong with it.
Task<catalog::Entry> find_source(Call& call, const versioning::Repository& from,
                                 const api::CopyPartSource& source) {
  const std::string place = format("{}/{}/{}", source.repository, source.ref, source.path);
  if (source.ref.empty()) refuse(place + ": argument ref: required value: validation error");
  if (source.path.empty()) {
    refuse(place + ": argument path: missing path: required value: validation error");
  }
  std::optional<catalog::Entry> entry;
  try {
    entry =
        co_await call.services.catalog.find(call.ctx, from, require_ref(source.ref), source.path);
  } catch (const Error& error) {
    throw Error(error.code(), format("{}: {}", place, error.message()));
  }
  if (!entry) throw Error(ErrorCode::object_not_found, place + ": not found");
  co_return *std::move(entry);
}

}  // namespace

Task<> create_presigned_upload(Call& call) {
  const auto repository = co_await call.repository();
  require_support(call);
  const BranchId branch = require_branch(call.params.text("branch"), "argument name");
  auto made = co_await named_branch(
      call.services.catalog.create_presigned_upload(
          call.ctx, *repository, branch, call.params.text("path"), call.params.integer("parts")),
      branch);
  co_await call.reply(
      201, api::PresignMultipartUpload{.upload_id = std::move(made.id),
                                       .physical_address = std::move(made.physical_address),
                                       .presigned_urls = std::move(made.part_urls)});
}

Task<> complete_presigned_upload(Call& call) {
  const auto repository = co_await call.repository();
  require_support(call);
  require_address(call);
  auto body = api::decode_complete_presign_multipart_upload(call.body());
  auto parts = require_parts(std::move(body.parts));
  const auto upload = upload_of(call, *repository);
  const BranchId branch = call.branch();
  const std::string& path = call.params.text("path");
  const auto entry = co_await call.services.catalog.complete_presigned_upload(
      call.ctx, *repository, branch, path, upload, std::move(parts), std::move(body.user_metadata),
      std::move(body.content_type));
  co_await call.reply(200, to_model(path, entry, entry.address));  // relative here, and only here
}

Task<> abort_presigned_upload(Call& call) {
  const auto repository = co_await call.repository();
  require_support(call);
  require_address(call);
  const auto upload = upload_of(call, *repository);
  co_await call.services.catalog.abort_presigned_upload(call.ctx, *repository, upload);
  co_await call.reply_empty(204);
}

Task<> presign_part(Call& call) {
  const auto repository = co_await call.repository();
  const auto upload = upload_of(call, *repository);
  auto url = co_await call.services.catalog.presign_part(
      call.ctx, *repository, upload, part_number(call.params.integer("partNumber")));
  co_await call.reply(200, api::UploadTo{.presigned_url = std::move(url)});
}

Task<> copy_presigned_part(Call& call) {
  const auto repository = co_await call.repository();
  const auto source = api::decode_copy_part_source(call.body());
  if (source.repository.empty()) {
    refuse("argument repository: required value: validation error");
  }
  const auto from =
      co_await call.services.engine.get_repository(call.ctx, require_repository(source.repository));
  const auto upload = upload_of(call, *repository);
  const auto entry = co_await find_source(call, *from, source);
  const auto etag = co_await call.services.catalog.copy_presigned_part(
      call.ctx, *repository, upload, part_number(call.params.integer("partNumber")), *from, entry,
      range_of(source.range));
  call.response.add_header("ETag", etag);  // without quotes, as clients know it
  co_await call.reply_empty(204);
}

}  // namespace tarn::rest
