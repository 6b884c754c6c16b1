// The commits of a repository as a graph small enough to hold: what reaches what, and which refs
// lead to a damaged commit. Synchronous.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <vector>

#include "base/id.h"
#include "catalog/fsck_findings.h"

namespace tarn::catalog {

/// Add every commit, in ascending order of ids; then link(); then ask.
class CommitGraph {
 public:
  using Node = std::uint32_t;

  struct MissingParent {
    Node child;
    std::uint64_t parent;  // its short name
  };

  void clear();
  void add(std::string_view id, const std::vector<CommitId>& parents);
  /// Finds everybody's parents; returns those that do not exist, as many as `most`.
  std::vector<MissingParent> link(std::size_t most);

  std::size_t size() const { return names_.size(); }

  std::optional<Node> find(std::string_view id) const;

  std::uint64_t name(Node node) const { return names_[node]; }

  /// Marks a commit and all its ancestors.
  void reach(Node from);

  bool reached(Node node) const { return reached_[node]; }

  void hit(Node node, FindingBits bits);
  /// After the last hit(): tells the descendants.
  void spread();

  FindingBits hits(Node node) const { return own_.empty() ? 0 : own_[node]; }

  /// Of a commit and all its ancestors.
  FindingBits hits_in_history(Node node) const { return all_.empty() ? 0 : all_[node]; }

 private:
  static constexpr Node kNone = std::numeric_limits<Node>::max();

  std::optional<Node> find_name(std::uint64_t name) const;

  std::vector<std::uint64_t> names_;
  std::vector<std::uint32_t> ends_;          // of a node's parents in parents_
  std::vector<std::uint64_t> parent_names_;  // until link()
  std::vector<Node> parents_;
  std::vector<bool> reached_;
  std::vector<FindingBits> own_, all_;
};

}  // namespace tarn::catalog
