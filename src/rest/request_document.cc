#include "rest/request_document.h"

#include <algorithm>

#include "base/format.h"

namespace tarn::rest {

namespace {

Refusal refuse(std::string_view text) {
  return {format("request body has an error: {}", text)};
}

}  // namespace

std::optional<Refusal> check_content_type(const api::BodyRule& rule, const http::Request& request) {
  const std::string_view value = request.header("Content-Type").value_or("");
  std::string_view media_type = value.substr(0, value.find(';'));
  while (media_type.ends_with(' '))
    media_type.remove_suffix(1);
  if (std::ranges::find(rule.media_types, media_type) != rule.media_types.end()) {
    return std::nullopt;
  }
  return refuse(format("header Content-Type has unexpected value \"{}\"", value));
}

std::expected<api::JsonDocument, Refusal> read_document(const api::BodyRule& rule,
                                                        std::string_view text) {
  auto document = api::JsonDocument::parse(text);
  if (!document) {
    return std::unexpected(refuse("failed to decode request body: " + document.error().message));
  }
  if (const auto wrong = find_violation(*rule.json, document->root())) {
    return std::unexpected(refuse(*wrong));
  }
  return *std::move(document);
}

Task<DocumentResult> receive_document(Context& ctx, const api::BodyRule& rule,
                                      http::Request& request, std::uint64_t bytes_max) {
  std::string text;
  if (request.content_length() != 0U) {
    if (request.content_length()) {
      if (auto refusal = check_content_type(rule, request)) {
        co_return std::unexpected(*std::move(refusal));
      }
    }
    text = co_await io::read_all(ctx, request.body(), bytes_max);
  }
  if (text.empty()) {
    if (rule.required) co_return std::unexpected(refuse("value is required but missing"));
    co_return std::nullopt;
  }
  if (auto refusal = check_content_type(rule, request)) {
    co_return std::unexpected(*std::move(refusal));
  }
  auto document = read_document(rule, text);
  if (!document) co_return std::unexpected(std::move(document.error()));
  co_return *std::move(document);
}

}  // namespace tarn::rest
