// Catalog: creating repositories (lakefs-http-behaviour.md 11.2, storage-format.md 5.5).
#include <exception>

#include "base/error.h"
#include "base/format.h"
#include "base/log.h"
#include "catalog/catalog_parts.h"

namespace tarn::catalog {

namespace {

constexpr std::string_view kProbeText =
    "this is dummy data - created by lakeFS to check accessibility";

Task<> require_unused(Context& ctx, block::ObjectStore& objects, const block::ObjectRef& marker) {
  if (!co_await objects.head(ctx, marker)) co_return;
  throw Error(ErrorCode::invalid_argument,
              format("failed to create repository: found lakeFS objects in the storage (:{}) "
                     "key({}): storage namespace already in use",
                     marker.storage_namespace, marker.address));
}

/// Writes the marker and reads it back: proof that the namespace can be used.
Task<> probe(Context& ctx, block::ObjectStore& objects, const block::ObjectRef& marker) {
  std::string read;
  std::string reason;
  try {
    io::StringSource body{std::string(kProbeText)};
    co_await objects.put(ctx, marker, body);
    const auto source = co_await objects.get(ctx, marker);
    if (source != nullptr) read = co_await io::read_all(ctx, *source, kProbeText.size());
  } catch (const Error& error) {
    reason = ": " + error.message();
  }
  if (read != kProbeText) {
    throw Error(ErrorCode::invalid_argument,
                "failed to create repository: failed to access storage" + reason);
  }
}

bool matches_scheme(std::string_view storage_namespace, std::string_view regex) {
  // The stores' patterns are all "^scheme://".
  return regex.starts_with('^') && storage_namespace.starts_with(regex.substr(1));
}

}  // namespace

Task<versioning::Repository> Catalog::create_repository(Context& ctx, NewRepository params) {
  const auto id = RepositoryId::parse(params.name);
  if (!id) {
    throw Error(ErrorCode::invalid_argument,
                "argument repository: repository id: invalid value: validation error");
  }
  const std::string branch = params.default_branch.empty() ? "main" : params.default_branch;
  const auto default_branch = BranchId::parse(branch);
  if (!default_branch) {
    throw Error(ErrorCode::invalid_argument,
                "argument default_branch: branch id: invalid value: validation error");
  }
  const auto existing = co_await impl_->engine.list_repositories(
      ctx, {.prefix = params.name, .after = {}, .amount = 1});
  if (!existing.items.empty() && existing.items.front().id == *id) {
    throw Error(ErrorCode::already_exists, "error creating repository: not unique");
  }
  if (!params.storage_id.empty()) {
    throw Error(ErrorCode::invalid_argument, "storage id: invalid value: validation error");
  }
  const std::string& regex = impl_->objects.info().namespace_regex;
  if (!matches_scheme(params.storage_namespace, regex)) {
    throw Error(ErrorCode::invalid_argument,
                format("failed to match required regex {}: invalid namespace", regex));
  }
  const bool marked = !params.bare && !params.read_only;
  const block::ObjectRef root{.storage_namespace = params.storage_namespace, .address = "dummy"};
  block::ObjectRef marker = root;
  marker.address = impl_->config.block_storage_prefix + "/dummy";
  if (marked) {
    if (impl_->config.ensure_readable_root_namespace) {
      co_await require_unused(ctx, impl_->objects, root);
    }
    co_await require_unused(ctx, impl_->objects, marker);
  }
  std::exception_ptr failure;
  try {
    if (marked) co_await probe(ctx, impl_->objects, marker);
    co_return co_await impl_->engine.create_repository(
        ctx, {.id = *id,
              .storage_namespace = std::move(params.storage_namespace),
              .default_branch = *default_branch,
              .storage_id = {},
              .read_only = params.read_only,
              .bare = params.bare});
  } catch (const Error&) {
    failure = std::current_exception();
  }
  if (marked) co_await impl_->drop_marker(ctx, *id, marker);
  std::rethrow_exception(failure);
}

Task<> Catalog::Impl::drop_marker(Context& ctx, const RepositoryId& id,
                                  const block::ObjectRef& marker) {
  try {
    // It may be there after all, if only the answer was lost.
    const auto found =
        co_await engine.list_repositories(ctx, {.prefix = id.str(), .after = {}, .amount = 1});
    if (!found.items.empty() && found.items.front().id == id) co_return;
    co_await objects.remove(ctx, marker);
  } catch (const Error& error) {
    log::write(log::Level::warn, ctx, "the marker of a repository that was not created stays",
               {{"namespace", marker.storage_namespace}, {"error", error.message()}});
  }
}

}  // namespace tarn::catalog
