// JSON bodies: read within a limit, checked against the contract.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>

#include "api/contract.h"
#include "api/json_reader.h"
#include "base/context.h"
#include "base/task.h"
#include "http/message.h"
#include "rest/parameters.h"

namespace tarn::rest {

/// What is wrong with the request before its body is read; nullopt if nothing is.
std::optional<Refusal> check_content_type(const api::BodyRule& rule, const http::Request& request);

/// Why `text` is not a body `rule` accepts, or the document.
std::expected<api::JsonDocument, Refusal> read_document(const api::BodyRule& rule,
                                                        std::string_view text);

using DocumentResult = std::expected<std::optional<api::JsonDocument>, Refusal>;

/// nullopt: there is no body and none is needed. Throws Error{too_large} beyond `bytes_max`.
Task<DocumentResult> receive_document(Context& ctx, const api::BodyRule& rule,
                                      http::Request& request, std::uint64_t bytes_max);

}  // namespace tarn::rest
