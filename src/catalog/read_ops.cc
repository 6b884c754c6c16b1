// Catalog: reading and listing.
#include <algorithm>

#include "base/bytes.h"
#include "base/error.h"
#include "base/format.h"
#include "base/log.h"
#include "catalog/catalog_parts.h"
#include "catalog/listing.h"

namespace tarn::catalog {

namespace {

/// A flat page reads on to its end; one of folders seeks over what it folds.
std::uint32_t likely_records(const ListParams& params) {
  constexpr std::size_t kFolded = 32;
  return static_cast<std::uint32_t>(
      params.delimiter.empty() ? std::min<std::size_t>(params.amount + 1, 10'000) : kFolded);
}

}  // namespace

block::ObjectRef object_of(const versioning::Repository& repository, const Entry& entry) {
  return {.storage_namespace = repository.storage_namespace,
          .address = entry.address,
          .type = entry.address_type};
}

void require_path(std::string_view path) {
  if (path.empty()) {
    throw Error(ErrorCode::invalid_argument, "missing path: required value: validation error");
  }
  if (path.size() > kPathBytesMax) {
    throw Error(ErrorCode::invalid_argument,
                format("argument path: invalid value: validation error: {} is above maximum "
                       "length ({})",
                       path.size(), kPathBytesMax));
  }
  if (!is_valid_utf8(path)) {
    throw Error(ErrorCode::invalid_argument,
                "argument path: invalid value: validation error: not valid UTF-8");
  }
}

Catalog::Catalog(Parts parts, CatalogConfig config)
    : impl_(std::make_unique<Impl>(parts, std::move(config))) {}

Catalog::~Catalog() = default;

versioning::Engine& Catalog::engine() {
  return impl_->engine;
}

const block::StoreInfo& Catalog::store_info() const {
  return impl_->objects.info();
}

Task<std::optional<Entry>> Catalog::Impl::visible(Context& ctx,
                                                  const versioning::Repository& repository,
                                                  const BranchId& branch, std::string_view path) {
  auto record = co_await engine.get_branch(ctx, repository, branch);
  const CommitId head = record.commit_id;
  const versioning::ResolvedRef ref{.kind = versioning::ResolvedRef::Kind::branch,
                                    .branch = std::move(record),
                                    .name = branch.str(),
                                    .commit_id = head,
                                    .staged = true};
  const auto value = co_await engine.get(ctx, repository, ref, path);
  if (!value) co_return std::nullopt;
  co_return decode_entry(value->data);
}

Task<std::optional<Entry>> Catalog::find(Context& ctx, const versioning::Repository& repository,
                                         std::string_view ref, std::string_view path) {
  require_path(path);
  const auto resolved = co_await impl_->engine.resolve(ctx, repository, ref);
  const auto value = co_await impl_->engine.get(ctx, repository, resolved, path);
  if (!value) co_return std::nullopt;
  co_return decode_entry(value->data);
}

Task<std::unique_ptr<io::ByteSource>> Catalog::open(Context& ctx,
                                                    const versioning::Repository& repository,
                                                    const Entry& entry,
                                                    std::optional<block::ByteRange> range) {
  auto source = co_await impl_->objects.get(ctx, object_of(repository, entry), range);
  if (source == nullptr) {
    log::write(log::Level::warn, ctx, "object data missing in the store",
               {{"repository", repository.id.str()}, {"address", entry.address}});
    throw Error(ErrorCode::data_missing, "No data");
  }
  co_return source;
}

Task<bool> Catalog::list(Context& ctx, const versioning::Repository& repository,
                         std::string_view ref, ListParams params, ListSink& sink) {
  const auto resolved = co_await impl_->engine.resolve(ctx, repository, ref);
  const auto records = impl_->engine.list(
      repository, resolved, listing_start(params.prefix, params.delimiter, params.after),
      likely_records(params));
  std::size_t items = 0;
  while (records->next() || co_await records->fill(ctx)) {
    const auto& record = records->record();
    if (!record.key.starts_with(params.prefix)) break;
    if (items == params.amount) co_return true;
    ++items;
    if (const auto folded = folded_prefix(record.key, params.prefix, params.delimiter)) {
      sink.folder(*folded);
      records->seek(after_prefix(*folded));
    } else {
      sink.object(record.key, view_entry(record.data));
    }
  }
  co_return false;
}

Task<Listing> Catalog::list(Context& ctx, const versioning::Repository& repository,
                            std::string_view ref, ListParams params) {
  struct Collect final : ListSink {
    void object(std::string_view path, const EntryView& entry) override {
      items.push_back({.path = std::string(path), .entry = decode_entry(entry.data)});
    }

    void folder(std::string_view prefix) override {
      items.push_back({.path = std::string(prefix), .is_prefix = true});
    }

    std::vector<ListItem> items;
  };

  Collect collect;
  const bool has_more = co_await list(ctx, repository, ref, std::move(params), collect);
  co_return Listing{.items = std::move(collect.items), .has_more = has_more};
}

Task<DiffListing> Catalog::page_of(Context& ctx, versioning::DiffStream& differences,
                                   ListParams params) {
  differences.seek(listing_start(params.prefix, params.delimiter, params.after));
  DiffListing listing;
  while (differences.next() || co_await differences.fill(ctx)) {
    const auto& difference = differences.difference();
    if (!difference.key.starts_with(params.prefix)) break;
    if (listing.items.size() == params.amount) {
      listing.has_more = true;
      break;
    }
    if (const auto folded = folded_prefix(difference.key, params.prefix, params.delimiter)) {
      listing.items.push_back(
          {.type = difference.type, .path = std::string(*folded), .is_prefix = true});
      differences.seek(after_prefix(listing.items.back().path));
    } else {
      listing.items.push_back({.type = difference.type,
                               .path = difference.key,
                               .entry = decode_entry(difference.value.data)});
    }
  }
  co_return listing;
}

Task<std::optional<std::string>> Catalog::storage_class(Context& ctx,
                                                        const versioning::Repository& repository,
                                                        const Entry& entry) {
  if (!impl_->objects.info().storage_classes) co_return std::nullopt;
  auto info = co_await impl_->objects.head(ctx, object_of(repository, entry));
  if (!info) throw Error(ErrorCode::object_not_found, "not found");
  co_return std::move(info->storage_class);
}

std::string Catalog::display_address(const versioning::Repository& repository,
                                     const Entry& entry) const {
  return impl_->objects.display_address(object_of(repository, entry));
}

ShownAddresses Catalog::shown_addresses(const versioning::Repository& repository) const {
  return {impl_->objects, repository.storage_namespace};
}

std::string_view ShownAddresses::of(const EntryView& entry) {
  ref_.address = entry.address;
  ref_.type = entry.address_type;
  shown_ = objects_.display_address(ref_);
  return shown_;
}

}  // namespace tarn::catalog
