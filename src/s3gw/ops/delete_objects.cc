// DeleteObjects (A8.5): up to a thousand keys, over any branches, each with its own outcome.
#include <utility>

#include "aws/request_xml.h"
#include "s3gw/call.h"
#include "s3gw/deletion.h"
#include "s3gw/error_response.h"
#include "s3gw/handlers.h"
#include "s3gw/permissions.h"
#include "s3gw/request_body.h"

namespace tarn::s3gw {

namespace {

using aws::S3Error;
using aws::S3ErrorCode;

std::optional<S3Error> refusal_of(const Call& call, const aws::ObjectToDelete& object) {
  if (object.version_id && *object.version_id != "null") {
    return S3Error{.code = S3ErrorCode::invalid_argument,
                   .message = "Versions are commits here: only \"null\" can be deleted."};
  }
  const Need& need = *call.operation->permission.begin();
  try {
    call.services.authority.authorize(
        call.principal,
        {object_permission(need.action, call.target.bucket, split_key(object.key).path)});
  } catch (const Error& error) {
    if (error.code() != ErrorCode::permission_denied) throw;
    return s3_error_of(error);
  }
  return std::nullopt;
}

}  // namespace

Task<> delete_objects(Context& ctx, Call& call) {
  const std::string document = co_await read_document(ctx, call, aws::kXmlBytesMax);
  auto request = require(aws::parse_delete(document));
  if (call.repository->read_only) refuse(S3ErrorCode::err_read_only_repository);
  std::vector<std::optional<S3Error>> outcomes(request.objects.size());
  std::vector<Deletion> deletions;
  std::vector<std::size_t> asked;
  for (std::size_t i = 0; i < request.objects.size(); ++i) {
    auto& object = request.objects[i];
    outcomes[i] = refusal_of(call, object);
    if (outcomes[i]) continue;
    asked.push_back(i);
    deletions.push_back(
        {.key = object.key,
         .condition = {
             .etag = object.etag, .last_modified = object.last_modified, .size = object.size}});
  }
  auto results = co_await delete_keys(ctx, call, deletions);
  for (std::size_t n = 0; n < asked.size(); ++n)
    outcomes[asked[n]] = std::move(results[n]);
  aws::XmlWriter xml("DeleteResult");
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    if (!outcomes[i] && request.quiet) continue;
    xml.open(outcomes[i] ? "Error" : "Deleted");
    xml.element("Key", request.objects[i].key);
    if (request.objects[i].version_id) xml.element("VersionId", *request.objects[i].version_id);
    if (outcomes[i]) {
      xml.element("Code", to_string(outcomes[i]->code));
      xml.element("Message", outcomes[i]->text());
    }
    xml.close();
  }
  co_await send_xml(ctx, call, xml);
}

}  // namespace tarn::s3gw
