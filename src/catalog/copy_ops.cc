// Catalog: copying objects, within and between repositories.
#include "base/error.h"
#include "catalog/catalog_parts.h"

namespace tarn::catalog {

Task<Entry> Catalog::copy(Context& ctx, const CopySource& source,
                          const versioning::Repository& target, const BranchId& branch,
                          std::string_view path, CopyParams params) {
  const versioning::WriteOptions options{.force = params.force};
  co_await impl_->check_write(ctx, target, branch, path, params.condition, options);
  const auto repository = co_await impl_->engine.get_repository(ctx, source.repository);
  auto found = co_await find(ctx, *repository, source.ref, source.path);
  if (!found) throw Error(ErrorCode::object_not_found, "not found");
  if (params.source_condition) params.source_condition(found);
  Entry entry = *std::move(found);
  const block::ObjectRef from = object_of(*repository, entry);
  entry.address = impl_->names.next();
  entry.address_type = block::AddressType::relative;
  entry.last_modified = impl_->clock.now();
  if (params.metadata) entry.metadata = *std::move(params.metadata);
  if (params.content_type) entry.content_type = *std::move(params.content_type);
  const block::ObjectRef to = object_of(target, entry);
  const auto copied = co_await impl_->objects.copy(ctx, from, to);
  entry.size = copied.size;
  co_await impl_->put_new(ctx, target, branch, path, entry, params.condition, options);
  co_return entry;
}

}  // namespace tarn::catalog
