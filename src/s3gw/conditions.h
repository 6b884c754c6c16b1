// Conditional requests (A11): decisions over an ETag and a date. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "catalog/catalog.h"
#include "s3gw/call.h"

namespace tarn::s3gw {

/// The four headers of RFC 9110, unparsed; nullopt = not sent.
struct Preconditions {
  std::optional<std::string> if_match, if_none_match, if_modified_since, if_unmodified_since;

  bool empty() const {
    return !if_match && !if_none_match && !if_modified_since && !if_unmodified_since;
  }
};

/// Header names are `prefix` + "if-match" and so on: "" or "x-amz-copy-source-".
Preconditions read_preconditions(const Call& call, std::string_view prefix);

struct Verdict {
  enum class Kind { proceed, not_modified, failed };
  Kind kind = Kind::proceed;
  std::string_view header = {};  // the one that failed

  friend bool operator==(const Verdict&, const Verdict&) = default;
};

/// In RFC 9110's order. Dates that do not parse or lie in the future are ignored.
Verdict evaluate(const Preconditions& conditions, std::string_view etag, Timestamp last_modified,
                 Timestamp now);

/// "*" or a comma list of ETags, weak ones and bare ones included.
bool etag_matches(std::string_view list, std::string_view etag);

/// The condition of If-Match or If-None-Match on what a write replaces; empty without either.
/// Throws for both at once.
catalog::Condition write_condition(const Call& call);

/// The x-amz-copy-source-if-* headers: every failure is 412.
catalog::Condition source_condition(const Call& call);

}  // namespace tarn::s3gw
