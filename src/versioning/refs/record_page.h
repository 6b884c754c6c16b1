// One page of the records under a folder of a partition: what every listing by id does.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

#include "base/context.h"
#include "base/task.h"
#include "io/sync.h"
#include "kv/store.h"
#include "versioning/refs/keys.h"
#include "versioning/refs/ref_types.h"

namespace tarn::versioning {

/// Decodes the records whose id passes `keep_id` and gives those that pass `keep`, until one more
/// than the page holds has been seen.
template <class T, class KeepId, class Keep>
Task<Page<T>> read_page(Context& ctx, kv::Store& kv, std::string partition, std::string_view folder,
                        PageRequest request, T (*decode)(std::string_view), KeepId keep_id,
                        Keep keep) {
  constexpr std::size_t kYieldEvery = 500;
  const std::size_t amount = std::max<std::size_t>(request.amount, 1);
  const std::string after = request.after.empty() ? "" : keys::join(folder, request.after);
  kv::ScanOptions options;
  options.prefix = keys::join(folder, request.prefix);
  options.from = std::max(options.prefix, after);
  options.page_keys = static_cast<std::uint32_t>(std::min<std::size_t>(amount + 2, 1'000));
  options.likely_keys = options.page_keys;
  auto cursor = kv.scan(partition, std::move(options));
  Page<T> page;
  for (std::size_t seen = 1; cursor->next() || co_await cursor->fill(ctx); ++seen) {
    if (seen % kYieldEvery == 0) co_await io::yield();
    if (cursor->key() == after || !keep_id(cursor->key().substr(folder.size()))) continue;
    T record = decode(cursor->value());
    if (!keep(record)) continue;
    if (page.items.size() == amount) {
      page.has_more = true;
      break;
    }
    page.items.push_back(std::move(record));
  }
  co_return page;
}

inline constexpr auto kKeepAll = [](const auto&) { return true; };

}  // namespace tarn::versioning
