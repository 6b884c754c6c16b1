// What a check of one repository has found so far, bounded; and which commits it hits.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "catalog/fsck.h"

namespace tarn::catalog {

/// One bit for each of the first 63 findings of a repository; the last is for all others.
using FindingBits = std::uint64_t;

/// A 64-bit name of an id or an address. Ids are digests: their beginning. A collision, one in 2^64
/// per pair, hides one check.
std::uint64_t short_name(std::string_view id);

class Findings {
 public:
  explicit Findings(std::function<void(const Problem&)> on_problem)
      : on_problem_(std::move(on_problem)) {}

  /// Counts the problem and keeps it while there is room. Returns its bit.
  FindingBits add(FsckReport& report, Problem problem);

  /// The problem last added; nullptr if there was no room for it.
  Problem* last() { return last_kept_ ? &problems_.back() : nullptr; }

  /// By number in order of addition; nullptr if it was not kept.
  Problem* find(std::size_t number) {
    return number < problems_.size() ? &problems_[number] : nullptr;
  }

  /// The number the next kept problem gets.
  std::size_t next() const { return problems_.size(); }

  /// Those of `bits` that are kept, except the shared last one.
  template <class Use>
  void for_each(FindingBits bits, Use use) {
    for (std::size_t i = 0; i < problems_.size() && i < kShared; ++i) {
      if ((bits >> i & 1) != 0) use(problems_[i]);
    }
  }

  bool empty() const { return problems_.empty(); }

  /// Hands over what was kept and forgets it. What was counted stays counted.
  void flush();

 private:
  static constexpr std::size_t kShared = 63;

  std::function<void(const Problem&)> on_problem_;
  std::vector<Problem> problems_;
  bool last_kept_ = false;
};

/// A set of short names: open addressing, 8 bytes a slot, at most three quarters full.
class NameSet {
 public:
  /// False if it was there.
  bool insert(std::uint64_t name);
  void clear();

 private:
  void grow();
  bool place(std::uint64_t name);

  std::vector<std::uint64_t> slots_;
  std::size_t used_ = 0;
  bool has_zero_ = false;
};

/// Remembers short names in bounded memory: an old one may be forgotten, and is then checked again.
class RecentNames {
 public:
  /// True if `name` was inserted and is remembered.
  bool contains(std::uint64_t name) const;
  void insert(std::uint64_t name);

  void clear() { slots_.reset(); }

 private:
  struct Free {
    void operator()(std::uint64_t* slots) const { std::free(slots); }
  };

  static constexpr std::size_t kSlots = 1U << 22;  // 32 MiB
  std::unique_ptr<std::uint64_t[], Free> slots_;   // from calloc: pages nobody touches cost nothing
};

}  // namespace tarn::catalog
