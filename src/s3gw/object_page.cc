#include "s3gw/object_page.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/error.h"
#include "catalog/listing.h"
#include "s3gw/branch_order.h"

namespace tarn::s3gw {

namespace {

constexpr std::size_t kBranchesPerRead = 256;
constexpr std::size_t kKeysPerRead = 256;

bool names_no_reference(ErrorCode code) {
  return code == ErrorCode::not_found || code == ErrorCode::branch_not_found ||
         code == ErrorCode::tag_not_found || code == ErrorCode::commit_not_found ||
         code == ErrorCode::invalid_argument;
}

/// Greater than every key that begins with `text`: keys are UTF-8, which has no such byte.
std::string past_all(std::string_view text) {
  return std::string(text).append("\xff");
}

class Lister {
 public:
  Lister(catalog::Catalog& catalog, const versioning::Repository& repository, PageQuery& query)
      : catalog_(catalog), repository_(repository), query_(query) {}

  Task<> below_reference(Context& ctx);
  Task<> over_branches(Context& ctx);

  ObjectPage take();

 private:
  /// One item more than the page holds tells that there are more.
  bool full() const { return items_.size() > query_.amount; }

  /// Where a listing below "ref/" begins; nullopt = all of it lies before the marker.
  std::optional<std::string> start_below(std::string_view ref) const;
  Task<catalog::Listing> read(Context& ctx, std::string_view ref, catalog::ListParams params);
  Task<> one_branch(Context& ctx, const std::string& name);
  Task<> whole_branch(Context& ctx, const std::string& name, std::string folded, std::string start);
  Task<> folded_keys(Context& ctx, const std::string& name, std::string start);
  Task<> add_listing(Context& ctx, std::string_view ref, catalog::ListParams params);
  void add_prefix(std::string prefix);

  catalog::Catalog& catalog_;
  const versioning::Repository& repository_;
  const PageQuery& query_;
  std::vector<PageItem> items_;
  std::string done_;  // a common prefix that was dealt with: what begins with it is skipped
};

std::optional<std::string> Lister::start_below(std::string_view ref) const {
  const std::string root = std::string(ref) + '/';
  if (query_.after < root) return "";
  if (!query_.after.starts_with(root)) return std::nullopt;
  return query_.after.substr(root.size());
}

Task<catalog::Listing> Lister::read(Context& ctx, std::string_view ref,
                                    catalog::ListParams params) {
  try {
    co_return co_await catalog_.list(ctx, repository_, ref, std::move(params));
  } catch (const Error& error) {
    if (!names_no_reference(error.code())) throw;
  }
  co_return catalog::Listing{};
}

Task<> Lister::add_listing(Context& ctx, std::string_view ref, catalog::ListParams params) {
  params.amount = query_.amount + 1 - items_.size();
  auto listing = co_await read(ctx, ref, std::move(params));
  const std::string root = std::string(ref) + '/';
  for (auto& item : listing.items) {
    items_.push_back(
        {.key = root + item.path, .is_prefix = item.is_prefix, .entry = std::move(item.entry)});
  }
}

void Lister::add_prefix(std::string prefix) {
  done_ = prefix;
  items_.push_back({.key = std::move(prefix), .is_prefix = true, .entry = {}});
}

Task<> Lister::below_reference(Context& ctx) {
  const auto slash = query_.prefix.find('/');
  const std::string ref = query_.prefix.substr(0, slash);
  auto start = start_below(ref);
  if (ref.empty() || !start) co_return;
  co_await add_listing(ctx, ref,
                       {.prefix = query_.prefix.substr(slash + 1),
                        .delimiter = query_.delimiter,
                        .after = *std::move(start)});
}

/// All of a branch rolls up into `folded`, which ends within "name/". It is shown if something
/// is left of it behind the marker.
Task<> Lister::whole_branch(Context& ctx, const std::string& name, std::string folded,
                            std::string start) {
  const bool is_branch = folded == name + '/';  // shown even when empty
  if (folded <= query_.after && !query_.after.starts_with(folded)) co_return;
  if (folded == query_.after) {
    done_ = std::move(folded);
    co_return;
  }
  if (!is_branch || query_.after.starts_with(folded)) {
    const auto any = co_await read(ctx, name, {.after = std::move(start), .amount = 1});
    if (any.items.empty()) co_return;
  }
  add_prefix(std::move(folded));
}

/// Keys of one branch, rolled up here: the delimiter may begin in the branch's name.
Task<> Lister::folded_keys(Context& ctx, const std::string& name, std::string start) {
  const std::string root = name + '/';
  while (!full()) {
    const auto listing = co_await read(ctx, name, {.after = start, .amount = kKeysPerRead});
    for (const auto& item : listing.items) {
      if (full()) co_return;
      start = item.path;
      std::string key = root + item.path;
      if (!done_.empty() && key.starts_with(done_)) continue;
      const auto folded = catalog::folded_prefix(key, query_.prefix, query_.delimiter);
      if (!folded) {
        items_.push_back({.key = std::move(key), .entry = item.entry});
        continue;
      }
      const std::string prefix(*folded);
      start = past_all(prefix.substr(std::min(root.size(), prefix.size())));
      if (prefix == query_.after) {
        done_ = prefix;
      } else {
        add_prefix(prefix);
      }
      break;  // read on behind the group
    }
    const bool skipped = !listing.items.empty() && start.ends_with('\xff');
    if (!skipped && !listing.has_more) co_return;
  }
}

Task<> Lister::one_branch(Context& ctx, const std::string& name) {
  const std::string root = name + '/';
  if (!done_.empty() && root.starts_with(done_)) co_return;
  auto start = start_below(name);
  if (!start) co_return;
  if (query_.delimiter.empty()) {
    co_await add_listing(ctx, name, {.after = *std::move(start)});
  } else if (const auto folded = catalog::folded_prefix(root, query_.prefix, query_.delimiter)) {
    co_await whole_branch(ctx, name, std::string(*folded), *std::move(start));
  } else {
    co_await folded_keys(ctx, name, *std::move(start));
  }
}

Task<> Lister::over_branches(Context& ctx) {
  const std::string first = query_.after.substr(0, query_.after.find('/'));
  BranchOrder order;
  std::vector<std::string> ready;
  for (std::string& name : earlier_names(first)) {
    const auto id = BranchId::parse(name);
    if (!id || !name.starts_with(query_.prefix)) continue;
    const auto branch = co_await catalog_.engine().find_branch(ctx, repository_, *id);
    if (branch && !branch->hidden) order.add(std::move(name), ready);
  }
  versioning::PageRequest page{.prefix = query_.prefix, .after = first, .amount = kBranchesPerRead};
  for (bool more = true; more && !full();) {
    const auto branches = co_await catalog_.engine().list_branches(ctx, repository_, page, false);
    for (const auto& branch : branches.items)
      order.add(branch.id.str(), ready);
    more = branches.has_more && !branches.items.empty();
    if (more) page.after = branches.items.back().id.str();
    if (!more) order.finish(ready);
    for (const std::string& name : std::exchange(ready, {})) {
      if (full()) break;
      co_await one_branch(ctx, name);
    }
  }
}

ObjectPage Lister::take() {
  ObjectPage page{.items = std::move(items_)};
  page.has_more = page.items.size() > query_.amount;
  if (page.has_more) page.items.resize(query_.amount);
  return page;
}

}  // namespace

Task<ObjectPage> list_page(Context& ctx, catalog::Catalog& catalog,
                           const versioning::Repository& repository, PageQuery query) {
  Lister lister(catalog, repository, query);
  if (query.prefix.find('/') != std::string::npos) {
    co_await lister.below_reference(ctx);
  } else {
    co_await lister.over_branches(ctx);
  }
  co_return lister.take();
}

}  // namespace tarn::s3gw
