#include "versioning/model_test_support.h"

#include <algorithm>
#include <functional>
#include <random>
#include <set>
#include <utility>

#include "base/format.h"

namespace tarn::versioning::model {

namespace {

const std::string* find(const Tree& tree, const std::string& key) {
  const auto found = tree.find(key);
  return found == tree.end() ? nullptr : &found->second;
}

bool same(const std::string* a, const std::string* b) {
  return a == nullptr || b == nullptr ? a == b : *a == *b;
}

std::set<std::string> keys_of(std::initializer_list<const Tree*> trees) {
  std::set<std::string> keys;
  for (const Tree* tree : trees) {
    for (const auto& [key, value] : *tree)
      keys.insert(key);
  }
  return keys;
}

std::string difference(const std::string& key, const std::string* left, const std::string* right) {
  if (right == nullptr) return "-" + key + "=" + *left;
  return (left == nullptr ? "+" : "~") + key + "=" + *right;
}

struct Weight {
  OpKind kind;
  unsigned weight;
};

constexpr std::array kWeights = std::to_array<Weight>({
    {OpKind::set, 12},          {OpKind::set_run, 8},          {OpKind::set_if_absent, 4},
    {OpKind::update, 3},        {OpKind::remove, 6},           {OpKind::remove_no_tombstone, 4},
    {OpKind::commit, 12},       {OpKind::commit_empty, 2},     {OpKind::create_branch, 4},
    {OpKind::delete_branch, 2}, {OpKind::create_tag, 2},       {OpKind::delete_tag, 1},
    {OpKind::merge, 12},        {OpKind::revert, 5},           {OpKind::cherry_pick, 5},
    {OpKind::reset_key, 3},     {OpKind::reset_prefix, 3},     {OpKind::reset_branch, 2},
    {OpKind::hard_reset, 2},    {OpKind::repoint, 2},          {OpKind::diff, 5},
    {OpKind::compare, 5},       {OpKind::diff_uncommitted, 4}, {OpKind::list, 6},
    {OpKind::get, 4},
});

}  // namespace

std::size_t State::merge_base(std::size_t left, std::size_t right) const {
  if (left == right) return left;
  std::set<std::pair<std::int32_t, std::size_t>, std::greater<>> queue;
  std::map<std::size_t, unsigned> sides;
  queue.emplace(commits[left].generation, left);
  queue.emplace(commits[right].generation, right);
  sides[left] = 1;
  sides[right] = 2;
  while (!queue.empty()) {
    const std::size_t at = queue.begin()->second;
    queue.erase(queue.begin());
    for (const std::size_t parent : commits[at].parents) {
      const auto [known, fresh] = sides.try_emplace(parent, 0);
      if (fresh) queue.emplace(commits[parent].generation, parent);
      known->second |= sides[at];
      if (known->second == 3) return parent;
    }
  }
  return 0;
}

std::vector<std::size_t> State::history(std::size_t head) const {
  std::set<std::size_t, std::greater<>> seen{head};
  for (auto at = seen.begin(); at != seen.end(); ++at)  // parents are older: they come later
    seen.insert(commits[*at].parents.begin(), commits[*at].parents.end());
  return {seen.begin(), seen.end()};
}

Tree overlaid(Tree tree, const Staging& staging) {
  for (const auto& [key, value] : staging) {
    if (value) {
      tree[key] = *value;
    } else {
      tree.erase(key);
    }
  }
  return tree;
}

Merged merged(const Tree& destination, const Tree& source, const Tree& base,
              MergeStrategy strategy) {
  Merged result;
  for (const std::string& key : keys_of({&destination, &source, &base})) {
    const std::string* d = find(destination, key);
    const std::string* s = find(source, key);
    const std::string* b = find(base, key);
    const std::string* chosen = same(s, b) ? d : s;
    if (!same(d, s) && !same(d, b) && !same(s, b)) {
      ++result.conflicts;
      if (strategy == MergeStrategy::destination_wins) chosen = d;
    }
    if (chosen != nullptr) result.tree[key] = *chosen;
  }
  return result;
}

Rows listing(const Tree& tree) {
  Rows rows;
  for (const auto& [key, value] : tree)
    rows.push_back(key + "=" + value);
  return rows;
}

Rows two_dot(const Tree& left, const Tree& right) {
  Rows rows;
  for (const std::string& key : keys_of({&left, &right})) {
    const std::string* l = find(left, key);
    const std::string* r = find(right, key);
    if (!same(l, r)) rows.push_back(difference(key, l, r));
  }
  return rows;
}

Rows three_dot(const Tree& destination, const Tree& source, const Tree& base) {
  Rows rows;
  for (const std::string& key : keys_of({&destination, &source, &base})) {
    const std::string* d = find(destination, key);
    const std::string* s = find(source, key);
    const std::string* b = find(base, key);
    if (same(s, b) || same(s, d)) continue;
    rows.push_back(same(d, b) ? difference(key, d, s) : "!" + key);
  }
  return rows;
}

std::string to_text(const std::vector<Op>& ops) {
  constexpr std::array kNames = std::to_array<std::string_view>({"set",
                                                                 "set_run",
                                                                 "set_if_absent",
                                                                 "update",
                                                                 "remove",
                                                                 "remove_no_tombstone",
                                                                 "commit",
                                                                 "commit_empty",
                                                                 "create_branch",
                                                                 "delete_branch",
                                                                 "create_tag",
                                                                 "delete_tag",
                                                                 "merge",
                                                                 "revert",
                                                                 "cherry_pick",
                                                                 "reset_key",
                                                                 "reset_prefix",
                                                                 "reset_branch",
                                                                 "hard_reset",
                                                                 "repoint",
                                                                 "diff",
                                                                 "compare",
                                                                 "diff_uncommitted",
                                                                 "list",
                                                                 "get"});
  std::string text;
  for (const Op& op : ops) {
    const auto& p = op.pick;
    text += format("  {{OpKind::{}, {{{}U, {}U, {}U, {}U, {}U}}}},\n",
                   kNames.at(static_cast<std::size_t>(op.kind)), p[0], p[1], p[2], p[3], p[4]);
  }
  return text;
}

std::vector<Op> random_ops(std::uint64_t seed, std::size_t count) {
  std::mt19937_64 random(seed);
  unsigned total = 0;
  for (const Weight& entry : kWeights)
    total += entry.weight;
  std::vector<Op> ops(count);
  for (Op& op : ops) {
    auto left = static_cast<unsigned>(random() % total);
    const auto* entry = kWeights.begin();
    for (; left >= entry->weight; ++entry)
      left -= entry->weight;
    op.kind = entry->kind;
    for (std::uint32_t& pick : op.pick)
      pick = static_cast<std::uint32_t>(random() % 1'000'000);
  }
  return ops;
}

}  // namespace tarn::versioning::model
