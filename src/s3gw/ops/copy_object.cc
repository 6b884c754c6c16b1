// CopyObject (A8.3), and rewriting an object's own metadata, which S3 spells as a copy onto itself.
#include <optional>
#include <utility>

#include "s3gw/call.h"
#include "s3gw/conditions.h"
#include "s3gw/copy_source.h"
#include "s3gw/error_response.h"
#include "s3gw/handlers.h"
#include "s3gw/object_headers.h"

namespace tarn::s3gw {

namespace {

using aws::S3ErrorCode;

/// A directive header: true for REPLACE, false for COPY or none.
bool replaces(const Call& call, std::string_view name) {
  const std::string_view text = call.header(name).value_or("COPY");
  if (text == "REPLACE") return true;
  if (text != "COPY") refuse_argument(name, text, "Unknown directive.");
  return false;
}

struct Changes {
  bool metadata = false;  // and the content headers
  bool tags = false;
  versioning::Metadata sent;
  std::string content_type;
};

Changes read_changes(const Call& call) {
  Changes changes{.metadata = replaces(call, "x-amz-metadata-directive"),
                  .tags = replaces(call, "x-amz-tagging-directive")};
  changes.sent = require(stored_metadata(call.headers));
  changes.content_type = call.header("content-type").value_or("");
  if (changes.content_type.empty()) changes.content_type = catalog::kDefaultContentType;
  return changes;
}

/// The target's metadata from the source's and what the request brings.
versioning::Metadata merged(const Changes& changes, const versioning::Metadata& source) {
  versioning::Metadata out = changes.metadata ? changes.sent : source;
  set_tags(out, tags_of(changes.tags ? changes.sent : source));
  const auto kept = changes.sent.find(std::string(kStorageClassKey));
  if (kept != changes.sent.end()) out[std::string(kStorageClassKey)] = kept->second;
  return out;
}

Task<> send_result(Context& ctx, Call& call, const catalog::Entry& entry) {
  aws::XmlWriter xml("CopyObjectResult");
  xml.element("LastModified", to_s3_time(entry.last_modified));
  xml.etag("ETag", entry.etag);
  co_await send_xml(ctx, call, xml);
}

/// No bytes move: the entry is rewritten where it stands.
Task<catalog::Entry> rewrite(Context& ctx, Call& call, const BranchId& branch,
                             const Changes& changes) {
  const auto condition = write_condition(call);
  const auto on_source = source_condition(call);
  const Timestamp now = call.services.clock.now();
  catalog::Entry result;
  co_await call.services.catalog.engine().update(
      ctx, *call.repository, branch, call.key.path,
      [&](const std::optional<versioning::Value>& visible) {
        if (!visible) refuse(S3ErrorCode::no_such_key);
        result = catalog::decode_entry(visible->data);
        if (condition) condition(result);
        if (on_source) on_source(result);
        result.metadata = merged(changes, result.metadata);
        if (changes.metadata) result.content_type = changes.content_type;
        result.last_modified = now;
        return catalog::encode_entry(result);
      },
      {});
  co_return result;
}

}  // namespace

Task<> copy_object(Context& ctx, Call& call) {
  const BranchId branch = co_await require_branch(ctx, call, call.key);
  require(check_write_headers(call.headers));
  const CopySource source =
      require(parse_copy_source(call.header("x-amz-copy-source").value_or("")));
  if (!source.version.empty() && source.version != "null") {
    refuse(S3ErrorCode::no_such_version, {}, {{"VersionId", source.version}});
  }
  const Changes changes = read_changes(call);
  const bool onto_itself = source.bucket == call.target.bucket && source.key == call.key;
  if (onto_itself) {
    const bool sets_class = changes.sent.contains(std::string(kStorageClassKey)) ||
                            call.header("x-amz-storage-class").has_value();
    if (!changes.metadata && !changes.tags && !sets_class) {
      refuse(S3ErrorCode::invalid_request,
             "This copy request is illegal because it is trying to copy an object to itself "
             "without changing the object's metadata, storage class or tags.");
    }
    const auto entry = co_await rewrite(ctx, call, branch, changes);
    co_await send_result(ctx, call, entry);
    co_return;
  }
  const auto from = co_await get_repository(ctx, call, source.bucket);
  catalog::CopyParams params{.condition = write_condition(call),
                             .source_condition = source_condition(call)};
  if (changes.metadata) params.content_type = changes.content_type;
  const bool keeps_all =
      !changes.metadata && !changes.tags && !changes.sent.contains(std::string(kStorageClassKey));
  if (!keeps_all) {
    const auto entry =
        co_await call.services.catalog.find(ctx, *from, source.key.ref, source.key.path);
    if (!entry) refuse(S3ErrorCode::no_such_key, {}, {{"Key", source.key.path}});
    params.metadata = merged(changes, entry->metadata);
  }
  const auto entry = co_await call.services.catalog.copy(
      ctx, {.repository = from->id, .ref = source.key.ref, .path = source.key.path},
      *call.repository, branch, call.key.path, std::move(params));
  co_await send_result(ctx, call, entry);
}

}  // namespace tarn::s3gw
