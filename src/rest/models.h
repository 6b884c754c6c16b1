// From the domain's types to the wire's. Pure.
#pragma once

#include <string>
#include <string_view>

#include "api/auth_models.h"
#include "api/branch_models.h"
#include "api/commit_models.h"
#include "api/object_models.h"
#include "api/pagination.h"
#include "api/repository_models.h"
#include "auth/authority.h"
#include "catalog/catalog.h"
#include "rest/call.h"
#include "versioning/types.h"

namespace tarn::rest {

api::Repository to_model(const versioning::Repository& repository);
api::Ref to_model(const versioning::Branch& branch);
api::Ref to_model(const versioning::Tag& tag);
api::Commit to_model(const versioning::Commit& commit);
api::User to_model(const auth::User& user);
api::Credentials to_model(const auth::Credential& credential);
api::CredentialsWithSecret to_model(const auth::CredentialSecret& secret);

/// With metadata, which callers drop where the contract wants it absent.
api::ObjectStats to_model(std::string_view path, const catalog::Entry& entry, std::string address);

/// What a client sees as the type of an entry.
std::string_view shown_content_type(const catalog::Entry& entry);
std::string_view shown_content_type(const catalog::EntryView& entry);

/// A page of models of `page.items`; `id_of` names the last one for the next page.
template <class T, class IdOf>
auto to_page(const versioning::Page<T>& page, IdOf id_of) {
  api::PageOf<decltype(to_model(page.items.front()))> out;
  out.results.reserve(page.items.size());
  for (const T& item : page.items)
    out.results.push_back(to_model(item));
  out.pagination = paginate(page.items.size(), page.has_more,
                            page.items.empty() ? std::string_view() : id_of(page.items.back()));
  return out;
}

}  // namespace tarn::rest
