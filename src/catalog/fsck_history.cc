#include "catalog/fsck_history.h"

#include <algorithm>

namespace tarn::catalog {

void CommitGraph::clear() {
  *this = CommitGraph();
}

void CommitGraph::add(std::string_view id, const std::vector<CommitId>& parents) {
  names_.push_back(short_name(id));
  for (const CommitId& parent : parents)
    parent_names_.push_back(short_name(parent.str()));
  ends_.push_back(static_cast<std::uint32_t>(parent_names_.size()));
}

std::optional<CommitGraph::Node> CommitGraph::find_name(std::uint64_t name) const {
  const auto at = std::ranges::lower_bound(names_, name);
  if (at == names_.end() || *at != name) return std::nullopt;
  return static_cast<Node>(at - names_.begin());
}

std::optional<CommitGraph::Node> CommitGraph::find(std::string_view id) const {
  return find_name(short_name(id));
}

std::vector<CommitGraph::MissingParent> CommitGraph::link(std::size_t most) {
  std::vector<MissingParent> missing;
  parents_.reserve(parent_names_.size());
  for (Node node = 0, at = 0; node < names_.size(); ++node) {
    for (; at < ends_[node]; ++at) {
      const auto parent = find_name(parent_names_[at]);
      if (!parent && missing.size() < most) missing.push_back({node, parent_names_[at]});
      parents_.push_back(parent.value_or(kNone));
    }
  }
  parent_names_ = {};
  reached_.resize(names_.size());
  return missing;
}

void CommitGraph::reach(Node from) {
  std::vector<Node> pending;
  const auto enter = [&](Node node) {
    if (node == kNone || reached_[node]) return;
    reached_[node] = true;
    pending.push_back(node);
  };
  enter(from);
  while (!pending.empty()) {
    const Node node = pending.back();
    pending.pop_back();
    for (std::uint32_t at = node == 0 ? 0 : ends_[node - 1]; at < ends_[node]; ++at)
      enter(parents_[at]);
  }
}

void CommitGraph::hit(Node node, FindingBits bits) {
  if (own_.empty()) own_.resize(names_.size());
  own_[node] |= bits;
}

// Depth first, each node after its parents. Ids are digests, so there are no cycles; a damaged
// record that makes one only loses some hits.
void CommitGraph::spread() {
  if (own_.empty()) return;
  all_ = own_;
  std::vector<bool> entered(names_.size());

  struct Step {
    Node node;
    std::uint32_t next;
  };

  std::vector<Step> path;
  const auto enter = [&](Node node) {
    entered[node] = true;
    path.push_back({node, node == 0 ? 0 : ends_[node - 1]});
  };
  for (Node start = 0; start < names_.size(); ++start) {
    if (!entered[start]) enter(start);
    while (!path.empty()) {
      const Node node = path.back().node;
      if (path.back().next < ends_[node]) {
        const Node parent = parents_[path.back().next++];
        if (parent != kNone && !entered[parent]) enter(parent);
        continue;
      }
      for (std::uint32_t at = node == 0 ? 0 : ends_[node - 1]; at < ends_[node]; ++at) {
        if (parents_[at] != kNone) all_[node] |= all_[parents_[at]];
      }
      path.pop_back();
    }
  }
}

}  // namespace tarn::catalog
