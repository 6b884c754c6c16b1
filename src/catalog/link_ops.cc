// Catalog: objects whose bytes a client wrote itself (lakefs-http-behaviour.md 16.10, 17).
#include <algorithm>
#include <exception>

#include "base/error.h"
#include "base/format.h"
#include "catalog/catalog_parts.h"

namespace tarn::catalog {

namespace {

constexpr std::string_view kDataFolder = "data/";

/// The part of `address` below `space`, nullopt if it lies elsewhere.
std::optional<std::string> below(std::string_view address, std::string_view space) {
  while (space.ends_with('/'))
    space.remove_suffix(1);
  if (!address.starts_with(space) || address.size() <= space.size() + 1 ||
      address[space.size()] != '/') {
    return std::nullopt;
  }
  return std::string(address.substr(space.size() + 1));
}

std::string cleaned_checksum(std::string_view text) {
  std::string out;
  std::ranges::copy_if(text, std::back_inserter(out), [](char c) { return c != '"' && c != ' '; });
  return out;
}

/// Why `address` is no URI, in the words of the reference; nullopt: it has a scheme.
std::optional<std::string_view> uri_problem(std::string_view address) {
  if (address.empty()) return "empty url";
  if (address.front() == ':') return "missing protocol scheme";
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  const auto in_scheme = [&](char c) {
    return is_letter(c) || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
  };
  const auto colon = std::ranges::find_if_not(address, in_scheme);
  if (!is_letter(address.front()) || colon == address.end() || *colon != ':') {
    return "invalid URI for request";
  }
  return std::nullopt;
}

void require_uri(std::string_view address) {
  if (const auto problem = uri_problem(address)) {
    throw Error(ErrorCode::invalid_argument,
                format("could not parse URI: parse \"{}\": {}", address, *problem));
  }
}

Entry entry_of(const ExternalObject& object, Timestamp now) {
  return {.address = object.physical_address,
          .address_type = block::AddressType::full,
          .last_modified = object.mtime ? Timestamp{.seconds = *object.mtime, .nanos = 0} : now,
          .size = object.size,
          .etag = cleaned_checksum(object.checksum),
          .metadata = object.metadata,
          .content_type =
              object.content_type.empty() ? std::string(kDefaultContentType) : object.content_type};
}

}  // namespace

IssuedAddress Catalog::issue_address(const versioning::Repository& repository,
                                     const BranchId& branch, std::string_view path) {
  require_path(path);
  IssuedAddress issued;
  issued.relative =
      impl_->signer.sign({.repository = repository.id.str(), .branch = branch.str(), .path = path},
                         impl_->names.next());
  issued.physical_address = impl_->objects.display_address(
      {.storage_namespace = repository.storage_namespace, .address = issued.relative});
  return issued;
}

std::optional<std::string> Catalog::Impl::verify_issued(const versioning::Repository& repository,
                                                        std::string_view branch,
                                                        std::string_view path,
                                                        std::string_view physical_address) const {
  auto relative = below(physical_address, repository.storage_namespace);
  if (!relative) {
    const std::string shown = objects.display_address(
        {.storage_namespace = repository.storage_namespace, .address = "data"});
    relative =
        below(physical_address, shown.substr(0, shown.size() - std::string_view("/data").size()));
  }
  if (!relative || !relative->starts_with(kDataFolder)) return std::nullopt;
  signer.verify({.repository = repository.id.str(), .branch = branch, .path = path}, *relative,
                clock.now());
  return relative;
}

Task<Entry> Catalog::link(Context& ctx, const versioning::Repository& repository,
                          const BranchId& branch, std::string_view path, ExternalObject object,
                          Condition condition, bool force) {
  const versioning::WriteOptions options{.force = force};
  Entry entry = entry_of(object, impl_->clock.now());
  if (entry.etag.empty()) throw Error(ErrorCode::invalid_argument, "checksum is required");
  require_uri(entry.address);
  if (auto relative = impl_->verify_issued(repository, branch.str(), path, entry.address)) {
    entry.address = *std::move(relative);
    entry.address_type = block::AddressType::relative;
  }
  co_await impl_->check_write(ctx, repository, branch, path, condition, options);
  co_await impl_->put_entry(ctx, repository, branch, path, entry, condition, options);
  co_return entry;
}

Task<Entry> Catalog::stage(Context& ctx, const versioning::Repository& repository,
                           const BranchId& branch, std::string_view path, ExternalObject object,
                           bool force) {
  const versioning::WriteOptions options{.force = force};
  require_uri(object.physical_address);
  const std::string& regex = impl_->objects.info().namespace_regex;
  if (!object.physical_address.starts_with(regex.substr(1))) {
    throw Error(
        ErrorCode::invalid_argument,
        format("physical address is not valid for block adapter: {}", impl_->objects.info().type));
  }
  require_path(path);
  // Full even inside the namespace, and the checksum as given: the entry, and so the range's name,
  // is to be the one the reference writes.
  Entry entry = entry_of(object, impl_->clock.now());
  entry.etag = object.checksum;
  // Refuses traversal and places outside the allowed prefixes, unless the branch refuses first.
  std::exception_ptr refused;
  try {
    impl_->objects.check(object_of(repository, entry));
  } catch (const Error&) {
    refused = std::current_exception();
  }
  if (refused) {
    co_await impl_->check_write(ctx, repository, branch, path, {}, options);
    std::rethrow_exception(refused);
  }
  co_await impl_->put_entry(ctx, repository, branch, path, entry, {}, options);
  co_return entry;
}

}  // namespace tarn::catalog
