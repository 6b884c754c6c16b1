#include "s3gw/call.h"

#include <algorithm>
#include <charconv>

#include "base/error.h"
#include "s3gw/error_response.h"
#include "s3gw/permissions.h"

namespace tarn::s3gw {

namespace {

using aws::S3Error;
using aws::S3ErrorCode;

constexpr std::string_view kXml = "application/xml";

/// Whether a read that failed with this merely named a reference that is not there.
bool names_no_reference(ErrorCode code) {
  return code == ErrorCode::not_found || code == ErrorCode::branch_not_found ||
         code == ErrorCode::tag_not_found || code == ErrorCode::commit_not_found ||
         code == ErrorCode::invalid_argument;
}

}  // namespace

std::optional<std::string_view> Call::header(std::string_view name) const {
  for (const auto& [field, value] : headers) {
    if (aws::equal_ignoring_case(field, name)) return aws::trim(value);
  }
  return std::nullopt;
}

const aws::QueryItem* Call::parameter(std::string_view name) const {
  return aws::find_item(query, name);
}

std::string_view Call::text(std::string_view name) const {
  const auto* item = parameter(name);
  return item == nullptr ? std::string_view() : std::string_view(item->value);
}

std::uint32_t read_count(const Call& call, std::string_view name, std::uint32_t standard,
                         std::uint32_t most) {
  const std::string_view text = call.text(name);
  if (text.empty()) return standard;
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) {
    refuse_argument(name, text, "Expected a number that is not negative.");
  }
  return static_cast<std::uint32_t>(std::min<std::int64_t>(value, most));
}

aws::KeyEncoding read_encoding(const Call& call) {
  const std::string_view text = call.text("encoding-type");
  if (text.empty()) return aws::KeyEncoding::plain;
  if (text != "url") {
    refuse_argument("encoding-type", text, "Invalid Encoding Method specified in Request");
  }
  return aws::KeyEncoding::url;
}

void require_null_version(const Call& call, S3ErrorCode otherwise) {
  const auto* version = call.parameter("versionId");
  if (version == nullptr || version->value == "null") return;
  refuse(otherwise, "Versions are commits here: put the commit's id in the branch's place.",
         {{"VersionId", version->value}});
}

Task<std::shared_ptr<const versioning::Repository>> get_repository(Context& ctx, const Call& call,
                                                                   std::string_view name) {
  const auto id = RepositoryId::parse(name);
  if (!id) {
    refuse(S3ErrorCode::invalid_bucket_name, {}, {{"BucketName", std::string(name)}});
  }
  std::shared_ptr<const versioning::Repository> repository;
  try {
    repository = co_await call.services.catalog.engine().get_repository(ctx, *id);
  } catch (const Error& error) {
    if (s3_code_of(error.code()) != S3ErrorCode::no_such_bucket) throw;
  }
  if (repository == nullptr) {
    // Names do not leak to who may not list them.
    call.services.authority.authorize(call.principal,
                                      {{.action = "fs:ListRepositories", .resource = "*"}});
    refuse(name == "api" ? S3ErrorCode::err_no_such_bucket_possible_api_endpoint
                         : S3ErrorCode::no_such_bucket,
           {}, {{"BucketName", std::string(name)}});
  }
  co_return repository;
}

Task<BranchId> require_branch(Context& ctx, const Call& call, const ObjectKey& key) {
  if (key.ref.empty() || !key.has_path) {
    refuse(S3ErrorCode::invalid_argument,
           "A key begins with a branch and a slash: \"main/path/of/object\".");
  }
  require(check_path(key.path));
  auto branch = BranchId::parse(key.ref);
  if (!branch) refuse(co_await explain_missing_branch(ctx, call, key.ref));
  co_return *std::move(branch);
}

Task<S3Error> explain_missing_branch(Context& ctx, const Call& call, std::string_view ref) {
  bool exists = ref.find_first_of("~^@$") != std::string_view::npos;
  if (!exists && call.repository != nullptr) {
    try {
      static_cast<void>(
          co_await call.services.catalog.engine().resolve(ctx, *call.repository, ref));
      exists = true;
    } catch (const Error& error) {
      if (!names_no_reference(error.code())) throw;
    }
  }
  std::string name(ref.substr(0, 256));
  if (exists) {
    co_return S3Error{
        .code = S3ErrorCode::method_not_allowed,
        .message = "'" + name + "' is not a branch: only branches can be written.",
        .details = {{"Method", std::string(call.request.method())}, {"ResourceType", "OBJECT"}}};
  }
  co_return S3Error{.code = S3ErrorCode::no_such_bucket,
                    .message = "The branch '" + name + "' does not exist."};
}

Task<std::optional<catalog::Entry>> find_object(Context& ctx, const Call& call) {
  const ObjectKey& key = call.key;
  if (key.ref.empty() || key.path.empty()) co_return std::nullopt;
  require(check_path(key.path));
  try {
    co_return co_await call.services.catalog.find(ctx, *call.repository, key.ref, key.path);
  } catch (const Error& error) {
    if (!names_no_reference(error.code())) throw;
  }
  co_return std::nullopt;
}

Task<> send_empty(Context& ctx, Call& call, std::uint16_t status) {
  call.response.set_status(status);
  return call.response.send(ctx, {});
}

Task<> send_xml(Context& ctx, Call& call, aws::XmlWriter& xml) {
  call.response.set_status(200);
  call.response.add_header("Content-Type", kXml);
  const std::string document = xml.finish();
  co_await call.response.send(ctx, document);
}

Task<> send_error(Context& ctx, Call& call, const S3Error& error) {
  const auto status = static_cast<std::uint16_t>(aws::http_status(error.code));
  call.response.set_status(status);
  if (call.is_head() || status == 304) {
    co_await call.response.send(ctx, {});
    co_return;
  }
  call.response.add_header("Content-Type", kXml);
  const std::string document = aws::error_document(error, {.resource = call.request.raw_path(),
                                                           .bucket = call.target.bucket,
                                                           .key = call.target.key,
                                                           .region = call.services.config.region,
                                                           .request_id = call.request.id(),
                                                           .host_id = call.services.host_id});
  co_await call.response.send(ctx, document);
}

void write_owner(aws::XmlWriter& xml, std::string_view element, const Call& call) {
  xml.open(element);
  xml.element("ID", call.owner());
  xml.element("DisplayName", call.owner());
  xml.close();
}

}  // namespace tarn::s3gw
