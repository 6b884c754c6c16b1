// One call of one operation, as its handler sees it: what was asked, by whom, and how to answer.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "api/json_reader.h"
#include "api/json_writer.h"
#include "api/pagination.h"
#include "auth/authority.h"
#include "base/context.h"
#include "base/id.h"
#include "base/task.h"
#include "base/time.h"
#include "catalog/catalog.h"
#include "http/message.h"
#include "rest/parameters.h"
#include "versioning/engine.h"

namespace tarn::rest {

struct ApiConfig {
  // Reported as the server's version. Clients written for lakeFS compare it with their own and warn
  // about a difference, so it names the lakeFS release whose API this is.
  std::string version = "1.84.0";
  std::string default_namespace_prefix;  // "" = the store's
  std::uint64_t json_body_bytes_max = 16ULL << 20;
  bool secure_cookies = false;  // as when this server, or one in front of it, speaks TLS
};

/// The collaborators of every handler.
struct Services {
  catalog::Catalog& catalog;
  versioning::Engine& engine;
  auth::Authority& authority;
  Clock& clock;
  const ApiConfig& config;
};

/// Lives as long as the handler runs. Parameters and body have passed the contract, and the caller
/// has the permissions of the operation's row.
struct Call {
  Context& ctx;
  const Services& services;
  http::Request& request;
  http::Response& response;
  const Parameters& params;
  const std::optional<auth::Principal>& principal;
  const std::optional<api::JsonDocument>& document;

  // --- what was asked ---
  /// The body; only where the contract requires one.
  api::JsonView body() const;
  /// Error{invalid_argument} for an illegal name, else as Engine::get_repository().
  Task<std::shared_ptr<const versioning::Repository>> repository() const;
  BranchId branch() const;
  TagId tag() const;
  /// "prefix", "after" and "amount".
  versioning::PageRequest page() const;
  catalog::ListParams list_params() const;
  std::size_t amount() const;
  /// The name commits are made under.
  const std::string& committer() const;

  // --- answers ---
  template <class T>
  Task<> reply(std::uint16_t status, const T& model) {
    return reply_json(status, api::to_json(model));
  }

  Task<> reply_json(std::uint16_t status, std::string document);
  /// Status only.
  Task<> reply_empty(std::uint16_t status);
  Task<> reply_text(std::uint16_t status, std::string text);
  /// 200 with bytes to be kept under `name`, which is written as it is.
  Task<> reply_file(std::string_view name, std::string bytes);
};

/// Error{invalid_argument} with the text clients know: `argument` is e.g. "argument branch".
BranchId require_branch(std::string_view text, std::string_view argument = "argument branch");
/// The text of a reference: no spaces. `argument` as above.
const std::string& require_ref(const std::string& text, std::string_view argument = "argument ref");
TagId require_tag(std::string_view text);
RepositoryId require_repository(std::string_view text);

/// The page's head: `last` is the id of the last item.
api::Pagination paginate(std::size_t results, bool has_more, std::string_view last);

}  // namespace tarn::rest
