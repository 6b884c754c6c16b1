// Differences (lakefs-http-behaviour.md 12 diffBranch, 14.2).
#include <utility>

#include "api/diff_models.h"
#include "rest/handlers.h"
#include "rest/models.h"

namespace tarn::rest {

namespace {

enum class Right : std::uint8_t { described, omitted };
/// Of removed objects: the size they had, or the reference's 0 for uncommitted changes.
enum class RemovedSize : std::uint8_t { kept, zero };

std::string_view name_of(versioning::DiffType type) {
  switch (type) {
    case versioning::DiffType::added: return "added";
    case versioning::DiffType::removed: return "removed";
    case versioning::DiffType::changed: return "changed";
    case versioning::DiffType::conflict: return "conflict";
  }
  std::unreachable();
}

api::Diff to_diff(const catalog::DiffItem& item, Right right, RemovedSize removed_size) {
  if (item.is_prefix) {
    return {.type = "prefix_changed", .path = item.path, .path_type = api::PathType::common_prefix};
  }
  api::Diff diff{.type = std::string(name_of(item.type)),
                 .path = item.path,
                 .size_bytes = static_cast<std::int64_t>(item.entry.size)};
  if (item.type == versioning::DiffType::removed && removed_size == RemovedSize::zero) {
    diff.size_bytes = 0;
  }
  if (right == Right::described) {
    diff.right = api::DiffObjectStat{.checksum = item.entry.etag,
                                     .mtime = item.entry.last_modified.seconds,
                                     .content_type = std::string(shown_content_type(item.entry)),
                                     .metadata = item.entry.metadata};
  }
  return diff;
}

Task<> reply_page(Call& call, std::unique_ptr<versioning::DiffStream> differences, Right right,
                  RemovedSize removed_size) {
  const auto listing =
      co_await call.services.catalog.page_of(call.ctx, *differences, call.list_params());
  api::PageOf<api::Diff> page;
  for (const auto& item : listing.items) {
    page.results.push_back(to_diff(item, right, removed_size));
  }
  page.pagination = paginate(page.results.size(), listing.has_more,
                             page.results.empty() ? std::string_view() : page.results.back().path);
  co_await call.reply(200, page);
}

}  // namespace

Task<> diff_branch(Call& call) {
  const auto repository = co_await call.repository();
  const BranchId branch = call.branch();
  auto differences = co_await call.services.engine.diff_uncommitted(call.ctx, *repository, branch);
  co_await reply_page(call, std::move(differences), Right::omitted, RemovedSize::zero);
}

Task<> diff_refs(Call& call) {
  const auto repository = co_await call.repository();
  versioning::Engine& engine = call.services.engine;
  const std::string& left = call.params.text("leftRef");
  const std::string& right = call.params.text("rightRef");
  std::unique_ptr<versioning::DiffStream> differences;
  if (call.params.text("type") == "two_dot") {
    differences = co_await engine.diff(call.ctx, *repository, left, right);
  } else {
    differences = co_await engine.compare(call.ctx, *repository, left, right);
  }
  const Right described =
      call.params.flag("include_right_stats") ? Right::described : Right::omitted;
  co_await reply_page(call, std::move(differences), described, RemovedSize::kept);
}

}  // namespace tarn::rest
