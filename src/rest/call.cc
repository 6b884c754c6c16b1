#include "rest/call.h"

#include <utility>

#include "base/error.h"
#include "base/format.h"

namespace tarn::rest {

namespace {

constexpr std::size_t kDefaultAmount = 100;

template <class Id>
Id require_id(std::string_view text, std::string_view argument, std::string_view kind) {
  auto id = Id::parse(text);
  if (!id) {
    throw Error(ErrorCode::invalid_argument,
                format("{}: {} id: invalid value: validation error", argument, kind));
  }
  return *std::move(id);
}

Task<> send_owned(Context& ctx, http::Response& response, std::string body) {
  co_await response.send(ctx, body);
}

}  // namespace

api::JsonView Call::body() const {
  TARN_ASSERT(document.has_value());
  return document->root();
}

Task<std::shared_ptr<const versioning::Repository>> Call::repository() const {
  const RepositoryId id = require_repository(params.text("repository"));
  co_return co_await services.engine.get_repository(ctx, id);
}

BranchId Call::branch() const {
  return require_branch(params.text("branch"));
}

TagId Call::tag() const {
  return require_tag(params.text("tag"));
}

std::size_t Call::amount() const {
  const std::int64_t amount = params.integer("amount");
  return amount <= 0 ? kDefaultAmount : static_cast<std::size_t>(amount);
}

versioning::PageRequest Call::page() const {
  return {.prefix = params.text("prefix"), .after = params.text("after"), .amount = amount()};
}

catalog::ListParams Call::list_params() const {
  return {.prefix = params.text("prefix"),
          .delimiter = params.text("delimiter"),
          .after = params.text("after"),
          .amount = amount()};
}

const std::string& Call::committer() const {
  TARN_ASSERT(principal.has_value());
  return principal->user.committer();
}

Task<> Call::reply_json(std::uint16_t status, std::string text) {
  response.set_status(status);
  // Without a charset: the web UI compares the whole value.
  response.add_header("Content-Type", "application/json");
  response.add_header("X-Content-Type-Options", "nosniff");
  return send_owned(ctx, response, std::move(text));
}

Task<> Call::reply_empty(std::uint16_t status) {
  response.set_status(status);
  return response.send(ctx, {});
}

Task<> Call::reply_text(std::uint16_t status, std::string text) {
  response.set_status(status);
  response.add_header("Content-Type", "text/plain; charset=utf-8");
  return send_owned(ctx, response, std::move(text));
}

Task<> Call::reply_file(std::string_view name, std::string bytes) {
  response.set_status(200);
  response.add_header("Content-Type", "application/octet-stream");
  response.add_header("Content-Disposition", format("attachment; filename={}", name));
  response.add_header("X-Content-Type-Options", "nosniff");
  return send_owned(ctx, response, std::move(bytes));
}

BranchId require_branch(std::string_view text, std::string_view argument) {
  return require_id<BranchId>(text, argument, "branch");
}

const std::string& require_ref(const std::string& text, std::string_view argument) {
  if (text.find_first_of(" \t\n\v\f\r") != std::string::npos) {
    throw Error(ErrorCode::invalid_argument,
                format("{}: ref: invalid value: validation error", argument));
  }
  return text;
}

TagId require_tag(std::string_view text) {
  return require_id<TagId>(text, "argument tagID", "tag");
}

RepositoryId require_repository(std::string_view text) {
  return require_id<RepositoryId>(text, "argument repository", "repository");
}

api::Pagination paginate(std::size_t results, bool has_more, std::string_view last) {
  return {.has_more = has_more,
          .next_offset = has_more ? std::string(last) : std::string(),
          .results = static_cast<std::int64_t>(results)};
}

}  // namespace tarn::rest
