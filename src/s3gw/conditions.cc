#include "s3gw/conditions.h"

#include "aws/aws_date.h"
#include "aws/request_xml.h"
#include "s3gw/error_response.h"

namespace tarn::s3gw {

namespace {

using aws::S3ErrorCode;

constexpr std::string_view kSourcePrefix = "x-amz-copy-source-";

/// Whole seconds, as headers have them.
std::optional<std::int64_t> parse_date(const std::optional<std::string>& text, Timestamp now) {
  if (!text) return std::nullopt;
  std::optional<std::int64_t> seconds;
  if (const auto http = aws::parse_aws_date(*text)) {
    seconds = http->seconds;
  } else if (const auto other = parse_http_date(*text)) {
    seconds = other->seconds;
  } else if (const auto rfc3339 = parse_rfc3339(*text)) {
    seconds = rfc3339->seconds;
  }
  if (seconds && *seconds > now.seconds) return std::nullopt;
  return seconds;
}

std::optional<std::string> read(const Call& call, std::string_view prefix, std::string_view name) {
  const auto value = call.header(std::string(prefix).append(name));
  if (!value) return std::nullopt;
  return std::string(*value);
}

}  // namespace

Preconditions read_preconditions(const Call& call, std::string_view prefix) {
  return {.if_match = read(call, prefix, "if-match"),
          .if_none_match = read(call, prefix, "if-none-match"),
          .if_modified_since = read(call, prefix, "if-modified-since"),
          .if_unmodified_since = read(call, prefix, "if-unmodified-since")};
}

bool etag_matches(std::string_view list, std::string_view etag) {
  const std::string wanted = aws::normalize_etag(etag);
  while (true) {
    const auto comma = list.find(',');
    const std::string_view one = aws::trim(list.substr(0, comma));
    if (one == "*" || (!one.empty() && aws::normalize_etag(one) == wanted)) return true;
    if (comma == std::string_view::npos) return false;
    list.remove_prefix(comma + 1);
  }
}

Verdict evaluate(const Preconditions& conditions, std::string_view etag, Timestamp last_modified,
                 Timestamp now) {
  using Kind = Verdict::Kind;
  if (conditions.if_match) {
    if (!etag_matches(*conditions.if_match, etag)) return {Kind::failed, "If-Match"};
  } else if (const auto since = parse_date(conditions.if_unmodified_since, now);
             since && last_modified.seconds > *since) {
    return {Kind::failed, "If-Unmodified-Since"};
  }
  if (conditions.if_none_match) {
    if (etag_matches(*conditions.if_none_match, etag)) return {Kind::not_modified, "If-None-Match"};
  } else if (const auto since = parse_date(conditions.if_modified_since, now);
             since && last_modified.seconds <= *since) {
    return {Kind::not_modified, "If-Modified-Since"};
  }
  return {};
}

catalog::Condition write_condition(const Call& call) {
  const auto match = read(call, "", "if-match");
  const auto none_match = read(call, "", "if-none-match");
  if (!match && !none_match) return {};
  if (match && none_match) {
    refuse(S3ErrorCode::invalid_request, "If-Match and If-None-Match exclude each other.");
  }
  if (match) {
    return [wanted = *match](const std::optional<catalog::Entry>& visible) {
      if (!visible) refuse(S3ErrorCode::no_such_key);
      if (!etag_matches(wanted, visible->etag)) {
        refuse(S3ErrorCode::precondition_failed, {}, {{"Condition", "If-Match"}});
      }
    };
  }
  return [unwanted = *none_match](const std::optional<catalog::Entry>& visible) {
    if (visible && etag_matches(unwanted, visible->etag)) {
      refuse(S3ErrorCode::precondition_failed, {}, {{"Condition", "If-None-Match"}});
    }
  };
}

catalog::Condition source_condition(const Call& call) {
  auto conditions = read_preconditions(call, kSourcePrefix);
  if (conditions.empty()) return {};
  return [conditions = std::move(conditions),
          now = call.services.clock.now()](const std::optional<catalog::Entry>& source) {
    const Verdict verdict = evaluate(conditions, source->etag, source->last_modified, now);
    if (verdict.kind == Verdict::Kind::proceed) return;
    refuse(S3ErrorCode::precondition_failed, {},
           {{"Condition", std::string(kSourcePrefix).append(verdict.header)}});
  };
}

}  // namespace tarn::s3gw
