// GetObject and HeadObject (A7).
#include <array>
#include <charconv>
#include <optional>
#include <string>
#include <utility>

#include "aws/request_xml.h"
#include "s3gw/byte_range.h"
#include "s3gw/call.h"
#include "s3gw/conditions.h"
#include "s3gw/error_response.h"
#include "s3gw/handlers.h"
#include "s3gw/object_headers.h"
#include "s3gw/part_count.h"

namespace tarn::s3gw {

namespace {

using aws::S3Error;
using aws::S3ErrorCode;

struct Override {
  std::string_view parameter;
  std::string_view header;
};

constexpr auto kOverrides = std::to_array<Override>({
    {"response-content-type", "content-type"},
    {"response-content-language", "content-language"},
    {"response-content-disposition", "content-disposition"},
    {"response-content-encoding", "content-encoding"},
    {"response-cache-control", "cache-control"},
    {"response-expires", "expires"},
});

void set_field(HeaderFields& fields, std::string_view name, std::string_view value) {
  for (auto& [field, old] : fields) {
    if (field == name) {
      old = value;
      return;
    }
  }
  fields.emplace_back(name, value);
}

HeaderFields fields_of(const Call& call, const catalog::Entry& entry) {
  HeaderFields fields = shown_headers(entry.metadata);
  set_field(fields, "content-type",
            entry.content_type.empty() ? catalog::kDefaultContentType
                                       : std::string_view(entry.content_type));
  for (const auto& [parameter, header] : kOverrides) {
    if (const auto* item = call.parameter(parameter)) set_field(fields, header, item->value);
  }
  return fields;
}

void add_identity(Call& call, const catalog::Entry& entry) {
  call.response.add_header("Last-Modified", to_http_date(entry.last_modified));
  call.response.add_header("ETag", "\"" + entry.etag + "\"");
}

/// 304 keeps what caches need and drops what describes a body.
Task<> send_not_modified(Context& ctx, Call& call, const catalog::Entry& entry) {
  add_identity(call, entry);
  for (const auto& [name, value] : fields_of(call, entry)) {
    if (name == "cache-control" || name == "expires") call.response.add_header(name, value);
  }
  co_await send_error(ctx, call, {.code = S3ErrorCode::not_modified});
}

std::optional<std::uint32_t> read_part_number(const Call& call) {
  const auto* item = call.parameter("partNumber");
  if (item == nullptr) return std::nullopt;
  const std::uint32_t number = require(parse_part_number(item->value));
  if (call.header("range")) {
    refuse(S3ErrorCode::invalid_request,
           "Cannot specify both Range header and partNumber query parameter");
  }
  return number;
}

/// Which bytes partNumber means. The parts of an object are not kept once it is complete, so only
/// an object of one part can be cut.
RangeAnswer resolve_part(const catalog::Entry& entry, std::uint32_t number) {
  const std::uint32_t parts = part_count_of(entry.etag).value_or(1);
  if (number > parts) {
    refuse(S3ErrorCode::invalid_part_number, {},
           {{"ActualPartCount", std::to_string(parts)},
            {"PartNumberRequested", std::to_string(number)}});
  }
  if (parts > 1) refuse(S3ErrorCode::not_implemented, "Not implemented: ?partNumber");
  if (entry.size == 0) return {};
  return {.kind = RangeAnswer::Kind::part, .range = {.first = 0, .last = entry.size - 1}};
}

/// If-Range with another ETag or date makes Range void.
std::optional<std::string_view> effective_range(const Call& call, const catalog::Entry& entry) {
  const auto range = call.header("range");
  const auto condition = call.header("if-range");
  if (!range || !condition) return range;
  if (const auto date = parse_http_date(*condition)) {
    return date->seconds == entry.last_modified.seconds ? range : std::nullopt;
  }
  return aws::normalize_etag(*condition) == aws::normalize_etag(entry.etag) ? range : std::nullopt;
}

Task<> send_unsatisfiable(Context& ctx, Call& call, const catalog::Entry& entry) {
  call.response.add_header("Content-Range", "bytes */" + std::to_string(entry.size));
  co_await send_error(
      ctx, call,
      {.code = S3ErrorCode::invalid_range,
       .details = {{"RangeRequested", std::string(call.header("range").value_or(""))},
                   {"ActualObjectSize", std::to_string(entry.size)}}});
}

Task<> send_object(Context& ctx, Call& call, const catalog::Entry& entry,
                   const RangeAnswer& answer) {
  const bool part = answer.kind == RangeAnswer::Kind::part;
  const std::uint64_t length = part ? answer.range.last - answer.range.first + 1 : entry.size;
  std::unique_ptr<io::ByteSource> body;
  if (!call.is_head() && length > 0) {
    body = co_await call.services.catalog.open(ctx, *call.repository, entry,
                                               part ? std::optional(answer.range) : std::nullopt);
  }
  call.response.set_status(part ? 206 : 200);
  add_identity(call, entry);
  call.response.add_header("Accept-Ranges", "bytes");
  for (const auto& [name, value] : fields_of(call, entry))
    call.response.add_header(name, value);
  if (part) call.response.add_header("Content-Range", content_range(answer.range, entry.size));
  if (const auto parts = part_count_of(entry.etag); parts && call.parameter("partNumber")) {
    call.response.add_header("x-amz-mp-parts-count", std::to_string(*parts));
  }
  // The web interface may live on this origin: nothing stored may run there.
  call.response.add_header("X-Content-Type-Options", "nosniff");
  call.response.add_header("X-Frame-Options", "SAMEORIGIN");
  call.response.add_header("Content-Security-Policy", "default-src 'none'");
  if (call.is_head()) {
    co_await call.response.send_head_only(ctx, length);
  } else if (body == nullptr) {
    co_await call.response.send(ctx, {});
  } else {
    co_await call.response.send_stream(ctx, *body);
  }
}

}  // namespace

Task<> get_object(Context& ctx, Call& call) {
  require(check_write_headers(call.headers));
  require_null_version(call, S3ErrorCode::no_such_version);
  const auto part_number = read_part_number(call);
  const auto entry = co_await find_object(ctx, call);
  if (!entry) {
    co_await send_error(ctx, call, {.code = S3ErrorCode::no_such_key});
    co_return;
  }
  const Verdict verdict = evaluate(read_preconditions(call, ""), entry->etag, entry->last_modified,
                                   call.services.clock.now());
  if (verdict.kind == Verdict::Kind::failed) {
    co_await send_error(ctx, call,
                        {.code = S3ErrorCode::precondition_failed,
                         .details = {{"Condition", std::string(verdict.header)}}});
    co_return;
  }
  if (verdict.kind == Verdict::Kind::not_modified) {
    co_await send_not_modified(ctx, call, *entry);
    co_return;
  }
  const RangeAnswer answer = part_number
                                 ? resolve_part(*entry, *part_number)
                                 : resolve_range(effective_range(call, *entry), entry->size);
  if (answer.kind == RangeAnswer::Kind::unsatisfiable) {
    co_await send_unsatisfiable(ctx, call, *entry);
  } else {
    co_await send_object(ctx, call, *entry, answer);
  }
}

}  // namespace tarn::s3gw
