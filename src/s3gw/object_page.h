// Pages of a bucket's listing over all its branches (A6.3): keys are "branch/path", ordered as
// bytes, rolled up by a delimiter.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/context.h"
#include "base/task.h"
#include "catalog/catalog.h"

namespace tarn::s3gw {

struct PageQuery {
  std::string prefix;
  std::string delimiter;  // "" = none
  std::string after;      // exclusive: a key, a common prefix, or any text
  std::size_t amount = 1'000;
};

struct PageItem {
  std::string key;  // whole; a common prefix ends with the delimiter
  bool is_prefix = false;
  catalog::Entry entry;
};

struct ObjectPage {
  std::vector<PageItem> items;
  bool has_more = false;
};

/// A prefix with a '/' lists below one reference, whatever its kind; nothing if it is unknown.
/// Otherwise the listing runs over the branches that are not hidden, reading only those the page
/// needs. Common prefixes that are whole branches ("main/") stand for empty branches, too.
Task<ObjectPage> list_page(Context& ctx, catalog::Catalog& catalog,
                           const versioning::Repository& repository, PageQuery query);

}  // namespace tarn::s3gw
