// Catalog: reading pull requests and runs of actions.
#include <functional>

#include "base/format.h"
#include "catalog/catalog_parts.h"
#include "catalog/recorded_codec.h"

namespace tarn::catalog {

namespace {

constexpr std::string_view kPullPrefix = "pulls/";
constexpr std::string_view kActions = "actions";
constexpr std::uint64_t kOutputBytesMax = 64 * 1024 * 1024;

/// Records in key order from after `request.after`, decoded, up to a page of those `decode` keeps.
template <class Item>
Task<versioning::Page<Item>> read_page(
    Context& ctx, kv::Store& kv, std::string partition, std::string prefix,
    versioning::PageRequest request, std::function<std::optional<Item>(std::string_view)> decode) {
  versioning::Page<Item> page;
  const std::string after = request.after.empty() ? std::string() : prefix + request.after;
  auto cursor = kv.scan(partition, {.from = after, .prefix = prefix + request.prefix});
  while (cursor->next() || co_await cursor->fill(ctx)) {
    if (cursor->key() == after) continue;
    std::optional<Item> item = decode(cursor->value());
    if (!item) continue;
    if (page.items.size() == request.amount) {
      page.has_more = true;
      break;
    }
    page.items.push_back(*std::move(item));
  }
  co_return page;
}

std::string runs_prefix(const versioning::Repository& repository) {
  return format("repos/{}/runs/", repository.id.str());
}

std::string tasks_prefix(const versioning::Repository& repository, std::string_view run_id) {
  return format("repos/{}/tasks/{}/", repository.id.str(), run_id);
}

}  // namespace

Task<versioning::Page<PullRequest>> Catalog::list_pull_requests(
    Context& ctx, const versioning::Repository& repository, versioning::PageRequest request,
    std::optional<bool> open) {
  return read_page<PullRequest>(ctx, impl_->kv, repository.partition(), std::string(kPullPrefix),
                                std::move(request),
                                [open](std::string_view bytes) -> std::optional<PullRequest> {
                                  PullRequest pull = decode_pull_request(bytes);
                                  const bool is_open = pull.status == PullRequest::Status::open;
                                  if (open && *open != is_open) return std::nullopt;
                                  return pull;
                                });
}

Task<std::optional<PullRequest>> Catalog::find_pull_request(
    Context& ctx, const versioning::Repository& repository, std::string_view id) {
  const auto stored =
      co_await impl_->kv.get(ctx, repository.partition(), std::string(kPullPrefix).append(id));
  if (!stored) co_return std::nullopt;
  co_return decode_pull_request(*stored);
}

Task<versioning::Page<ActionRun>> Catalog::list_runs(Context& ctx,
                                                     const versioning::Repository& repository,
                                                     versioning::PageRequest request,
                                                     RunFilter filter) {
  if (filter.branch.empty() && filter.commit.empty()) {
    co_return co_await read_page<ActionRun>(ctx, impl_->kv, std::string(kActions),
                                            runs_prefix(repository), std::move(request),
                                            &decode_action_run);
  }
  // A slash ends the name, so that branch "a" does not show the runs of "ab" (8.3, 2).
  std::string prefix = filter.commit.empty()
                           ? format("repos/{}/branches/{}/", repository.id.str(), filter.branch)
                           : format("repos/{}/commits/{}/", repository.id.str(), filter.commit);
  const auto keys = co_await read_page<std::string>(
      ctx, impl_->kv, std::string(kActions), std::move(prefix), std::move(request), &decode_index);
  std::vector<kv::Address> addresses;
  for (const std::string& key : keys.items)
    addresses.push_back({std::string(kActions), key});
  versioning::Page<ActionRun> page{.has_more = keys.has_more};
  for (const auto& run : co_await impl_->kv.get_many(ctx, std::move(addresses))) {
    if (run) page.items.push_back(decode_action_run(*run));
  }
  co_return page;
}

Task<std::optional<ActionRun>> Catalog::find_run(Context& ctx,
                                                 const versioning::Repository& repository,
                                                 std::string_view run_id) {
  const auto stored = co_await impl_->kv.get(ctx, kActions, runs_prefix(repository).append(run_id));
  if (!stored) co_return std::nullopt;
  co_return decode_action_run(*stored);
}

Task<versioning::Page<HookRun>> Catalog::list_hook_runs(Context& ctx,
                                                        const versioning::Repository& repository,
                                                        std::string_view run_id,
                                                        versioning::PageRequest request) {
  return read_page<HookRun>(ctx, impl_->kv, std::string(kActions), tasks_prefix(repository, run_id),
                            std::move(request), &decode_hook_run);
}

Task<std::optional<std::string>> Catalog::hook_output(Context& ctx,
                                                      const versioning::Repository& repository,
                                                      std::string_view run_id,
                                                      std::string_view hook_run_id) {
  const auto stored =
      co_await impl_->kv.get(ctx, kActions, tasks_prefix(repository, run_id).append(hook_run_id));
  if (!stored) co_return std::nullopt;
  if (decode_hook_run(*stored).skipped()) co_return std::string();
  // The folder does not follow committed.block_storage_prefix (5.7).
  const block::ObjectRef log{
      .storage_namespace = repository.storage_namespace,
      .address = format("_lakefs/actions/log/{}/{}.log", run_id, hook_run_id)};
  const auto source = co_await impl_->objects.get(ctx, log);
  if (source == nullptr) co_return std::nullopt;
  co_return co_await io::read_all(ctx, *source, kOutputBytesMax);
}

}  // namespace tarn::catalog
