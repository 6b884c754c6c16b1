// Catalog: putting and removing objects.
#include <exception>

#include "base/bytes.h"
#include "base/error.h"
#include "base/log.h"
#include "catalog/catalog_parts.h"

namespace tarn::catalog {

namespace {

/// After a lost connection to the KV the entry may be there, and with it the need for its bytes:
/// only what was certainly refused may be removed.
bool certainly_not_stored(ErrorCode code) {
  return code == ErrorCode::precondition_failed || code == ErrorCode::branch_not_found ||
         code == ErrorCode::protected_branch || code == ErrorCode::invalid_argument ||
         code == ErrorCode::not_found || code == ErrorCode::object_not_found;
}

}  // namespace

block::PutOptions Catalog::Impl::put_options(
    block::Digests& digests,
    const std::function<void(const block::Digests::Values&)>& verify) const {
  block::PutOptions options{.digests = &digests, .bytes_max = config.upload_bytes_max};
  if (verify) options.accept = [&digests, &verify] { verify(digests.values()); };
  return options;
}

Condition only_if_absent() {
  return [](const std::optional<Entry>& visible) {
    if (visible) throw Error(ErrorCode::precondition_failed, "path already exists");
  };
}

Task<> Catalog::Impl::check_write(Context& ctx, const versioning::Repository& repository,
                                  const BranchId& branch, std::string_view path,
                                  const Condition& condition, versioning::WriteOptions options) {
  require_path(path);
  if (condition) condition(co_await visible(ctx, repository, branch, path));
  co_await engine.check_write(ctx, repository, branch, options);
}

Task<> Catalog::Impl::put_entry(Context& ctx, const versioning::Repository& repository,
                                const BranchId& branch, std::string_view path, const Entry& entry,
                                const Condition& condition, versioning::WriteOptions options) {
  versioning::Value value = encode_entry(entry);
  if (!condition) {
    co_await engine.set(ctx, repository, branch, path, std::move(value), options);
    co_return;
  }
  co_await engine.update(
      ctx, repository, branch, path,
      [&](const std::optional<versioning::Value>& visible_value) {
        condition(visible_value ? std::optional(decode_entry(visible_value->data)) : std::nullopt);
        return value;
      },
      options);
}

Task<> Catalog::Impl::put_new(Context& ctx, const versioning::Repository& repository,
                              const BranchId& branch, std::string_view path, const Entry& entry,
                              const Condition& condition, versioning::WriteOptions options) {
  std::exception_ptr refused;
  try {
    co_await put_entry(ctx, repository, branch, path, entry, condition, options);
  } catch (const Error& error) {
    if (!certainly_not_stored(error.code())) throw;
    refused = std::current_exception();
  }
  if (!refused) co_return;
  co_await drop_bytes(ctx, object_of(repository, entry));
  std::rethrow_exception(refused);
}

Task<> Catalog::Impl::drop_bytes(Context& ctx, const block::ObjectRef& ref) {
  try {
    co_await objects.remove(ctx, ref);
  } catch (const Error& error) {
    log::write(log::Level::warn, ctx, "bytes of a failed upload stay in the store",
               {{"address", ref.address}, {"error", error.message()}});
  }
}

Task<Uploaded> Catalog::upload(Context& ctx, const versioning::Repository& repository,
                               const BranchId& branch, std::string_view path, io::ByteSource& body,
                               UploadParams params) {
  const versioning::WriteOptions options{.force = params.force};
  co_await impl_->check_write(ctx, repository, branch, path, params.condition, options);
  block::Digests digests(params.digests);
  Uploaded uploaded;
  uploaded.entry.address = impl_->names.next();
  const block::ObjectRef ref = object_of(repository, uploaded.entry);
  co_await impl_->objects.put(ctx, ref, body, impl_->put_options(digests, params.verify));
  uploaded.digests = digests.values();
  uploaded.entry.size = uploaded.digests.size;
  uploaded.entry.etag = to_hex(uploaded.digests.md5);
  uploaded.entry.last_modified = impl_->clock.now();
  uploaded.entry.metadata = std::move(params.metadata);
  uploaded.entry.content_type =
      params.content_type.empty() ? std::string(kDefaultContentType) : params.content_type;
  co_await impl_->put_new(ctx, repository, branch, path, uploaded.entry, params.condition, options);
  co_return uploaded;
}

Task<std::vector<std::optional<Error>>> Catalog::remove(Context& ctx,
                                                        const versioning::Repository& repository,
                                                        const BranchId& branch,
                                                        std::vector<std::string> paths,
                                                        versioning::WriteOptions options) {
  return impl_->engine.remove(ctx, repository, branch, std::move(paths), options);
}

Task<> Catalog::set_metadata(Context& ctx, const versioning::Repository& repository,
                             const BranchId& branch, std::string_view path,
                             versioning::Metadata metadata, versioning::WriteOptions options) {
  require_path(path);
  const std::string where = repository.id.str() + "/" + branch.str() + "/" + std::string(path);
  co_await impl_->engine.update(
      ctx, repository, branch, path,
      [&](const std::optional<versioning::Value>& visible) {
        if (!visible) {
          throw Error(ErrorCode::object_not_found,
                      "update user metadata on " + where + ": not found");
        }
        Entry entry = decode_entry(visible->data);
        entry.metadata = metadata;
        return encode_entry(entry);
      },
      options);
}

}  // namespace tarn::catalog
