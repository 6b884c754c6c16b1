// A request as the client signed it, free of any HTTP library, and which scheme it was signed with.
#pragma once

#include <cstddef>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "aws/s3_error.h"

namespace tarn::aws {

/// Everything exactly as received: nothing decoded, normalised, added or merged. Views must outlive
/// the calls they are passed to; results own their bytes.
struct SignedRequest {
  std::string_view method;
  std::string_view raw_path;   // without the query; empty counts as "/"
  std::string_view raw_query;  // without the '?'
  std::vector<std::pair<std::string_view, std::string_view>> headers;
};

bool equal_ignoring_case(std::string_view a, std::string_view b);
bool starts_with_ignoring_case(std::string_view text, std::string_view prefix);
std::string to_lower(std::string_view text);
/// Without spaces and tabs at both ends.
std::string_view trim(std::string_view text);

/// The first field of that name, trimmed; nullopt when there is none.
std::optional<std::string_view> find_header(const SignedRequest& request, std::string_view name);
std::size_t count_headers(const SignedRequest& request, std::string_view name);

/// What a raw '+' in a query means. Signers never send one for a space; some servers read it so.
enum class QueryPlus { literal, space };

struct QueryItem {
  std::string name;   // percent-decoded once
  std::string value;  // likewise; empty when there is no '='
  bool has_value = false;
};

/// Splits on '&' only, drops empty items. A broken escape stays as it is.
std::vector<QueryItem> split_query(std::string_view raw_query, QueryPlus plus = QueryPlus::literal);
/// Value of the first item of exactly that name.
const QueryItem* find_item(const std::vector<QueryItem>& items, std::string_view name);

enum class Scheme { anonymous, v4_header, v4_query, v2_header, v2_query };

/// Which signature a request carries (B1); a form's policy is seen by the form's reader.
/// Refuses two signatures at once and schemes we do not speak.
std::expected<Scheme, S3Error> find_scheme(const SignedRequest& request);

}  // namespace tarn::aws
