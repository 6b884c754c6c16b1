// One request on its way through the gateway: what handlers are given, and how they answer.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "auth/authority.h"
#include "aws/payload.h"
#include "aws/s3_error.h"
#include "aws/signed_request.h"
#include "aws/signing_key.h"
#include "aws/sigv4.h"
#include "aws/xml_writer.h"
#include "base/context.h"
#include "base/task.h"
#include "base/time.h"
#include "catalog/catalog.h"
#include "http/message.h"
#include "s3gw/address.h"
#include "s3gw/gateway.h"
#include "s3gw/operations.h"

namespace tarn::s3gw {

/// What outlives requests.
struct Services {
  catalog::Catalog& catalog;
  auth::Authority& authority;
  Clock& clock;
  const GatewayConfig& config;
  aws::SigningKeyCache& keys;
  std::string_view host_id;
};

using HeaderViews = std::vector<std::pair<std::string_view, std::string_view>>;

/// Lives in the frame of Gateway::handle(); members are filled in this order.
struct Call {
  const Services& services;
  http::Request& request;
  http::Response& response;
  aws::SignedRequest wire = {};  // the request as received

  Target target = {};
  ObjectKey key = {};  // of target.key

  // From the signature.
  std::optional<auth::Principal> principal = std::nullopt;
  std::vector<aws::QueryItem> query = {};  // decoded as the signature confirmed
  std::string payload_hash = {};           // for aws::parse_payload()
  std::optional<aws::ChunkSigning> chunks = std::nullopt;
  /// Header fields, then those a presigned URL carries in their stead.
  HeaderViews headers = {};

  const Operation* operation = nullptr;
  std::shared_ptr<const versioning::Repository> repository =
      nullptr;  // shared with the engine's cache; set at the levels bucket and key, if there is one

  /// The first field of that name, trimmed.
  std::optional<std::string_view> header(std::string_view name) const;
  const aws::QueryItem* parameter(std::string_view name) const;
  std::string_view text(std::string_view name) const;  // "" when absent

  bool is_head() const { return request.method() == "HEAD"; }

  const std::string& owner() const { return principal->user.username; }
};

/// A decimal count: absent = `standard`; above `most` = `most`; anything else but 0.. is
/// InvalidArgument.
std::uint32_t read_count(const Call& call, std::string_view name, std::uint32_t standard,
                         std::uint32_t most);
/// encoding-type, which is "url" or nothing.
aws::KeyEncoding read_encoding(const Call& call);
/// versionId must be absent or "null", since commits are the versions here: `otherwise` if not.
void require_null_version(const Call& call, aws::S3ErrorCode otherwise);

/// Requires a repository of that name; says 404 only to who may list repositories.
Task<std::shared_ptr<const versioning::Repository>> get_repository(Context& ctx, const Call& call,
                                                                   std::string_view name);

/// The branch a write goes to; its existence is checked by the write itself. Throws for keys
/// without a path ("main") and for text that cannot be a branch.
Task<BranchId> require_branch(Context& ctx, const Call& call, const ObjectKey& key);
/// Why a write to this reference, which is no branch, is refused (A2.1).
Task<aws::S3Error> explain_missing_branch(Context& ctx, const Call& call, std::string_view ref);

/// The visible object at the call's key; nullopt also for unknown or unreadable references.
Task<std::optional<catalog::Entry>> find_object(Context& ctx, const Call& call);

Task<> send_empty(Context& ctx, Call& call, std::uint16_t status);
Task<> send_xml(Context& ctx, Call& call, aws::XmlWriter& xml);
/// For answers that are ordinary enough not to be thrown: 404 and 304 on reads.
Task<> send_error(Context& ctx, Call& call, const aws::S3Error& error);

/// Owner or Initiator, as `element`.
void write_owner(aws::XmlWriter& xml, std::string_view element, const Call& call);

}  // namespace tarn::s3gw
