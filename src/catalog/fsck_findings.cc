#include "catalog/fsck_findings.h"

#include <algorithm>
#include <charconv>
#include <new>
#include <utility>

#include "base/hash.h"

namespace tarn::catalog {

std::string_view to_string(Finding finding) {
  switch (finding) {
    case Finding::repository_unreadable: return "repository unreadable";
    case Finding::branch_unreadable: return "branch unreadable";
    case Finding::branch_to_nowhere: return "branch to nowhere";
    case Finding::default_branch_missing: return "default branch missing";
    case Finding::tag_unreadable: return "tag unreadable";
    case Finding::tag_to_nowhere: return "tag to nowhere";
    case Finding::commit_unreadable: return "commit unreadable";
    case Finding::commit_id_mismatch: return "commit id mismatch";
    case Finding::commit_parent_missing: return "commit parent missing";
    case Finding::metarange_missing: return "metarange missing";
    case Finding::metarange_corrupt: return "metarange corrupt";
    case Finding::range_missing: return "range missing";
    case Finding::range_corrupt: return "range corrupt";
    case Finding::range_id_mismatch: return "range id mismatch";
    case Finding::range_bounds_mismatch: return "range bounds mismatch";
    case Finding::entry_unreadable: return "entry unreadable";
    case Finding::object_missing: return "object missing";
    case Finding::object_size_mismatch: return "object size mismatch";
    case Finding::object_content_mismatch: return "object content mismatch";
    case Finding::object_unreachable: return "object unreachable";
    case Finding::staged_entry_unreadable: return "staged entry unreadable";
    case Finding::staging_token_shared: return "staging token shared";
    case Finding::staging_token_condemned: return "staging token condemned";
    case Finding::sealed_token_dangling: return "sealed token dangling";
    case Finding::staging_token_leaked: return "staging token leaked";
    case Finding::upload_record_dangling: return "upload record dangling";
  }
  std::unreachable();
}

Severity severity_of(Finding finding) {
  switch (finding) {
    case Finding::sealed_token_dangling:
    case Finding::staging_token_leaked:
    case Finding::upload_record_dangling: return Severity::leftover;
    default: return Severity::damage;
  }
}

std::string_view to_string(RepairKind kind) {
  switch (kind) {
    case RepairKind::none: return "none";
    case RepairKind::safe: return "safe";
    case RepairKind::refs: return "refs";
    case RepairKind::staged: return "staged";
  }
  std::unreachable();
}

std::uint64_t short_name(std::string_view id) {
  std::uint64_t name = 0;
  if (id.size() == 64) {
    const auto [end, failed] = std::from_chars(id.data(), id.data() + 16, name, 16);
    if (failed == std::errc() && end == id.data() + 16) return name;
  }
  return fnv1a_64(id);
}

FindingBits Findings::add(FsckReport& report, Problem problem) {
  ++(severity_of(problem.finding) == Severity::damage ? report.damage : report.leftovers);
  last_kept_ = ++report.found[problem.finding] <= kProblemsKept;
  const std::size_t number = last_kept_ ? std::min(problems_.size(), kShared) : kShared;
  if (last_kept_) problems_.push_back(std::move(problem));
  return FindingBits{1} << number;
}

void Findings::flush() {
  for (const Problem& problem : problems_)
    on_problem_(problem);
  problems_.clear();
  last_kept_ = false;
}

bool NameSet::insert(std::uint64_t name) {
  if (name == 0) return !std::exchange(has_zero_, true);
  if ((used_ + 1) * 4 > slots_.size() * 3) grow();
  if (!place(name)) return false;
  ++used_;
  return true;
}

void NameSet::clear() {
  slots_.clear();
  slots_.shrink_to_fit();
  used_ = 0;
  has_zero_ = false;
}

bool NameSet::place(std::uint64_t name) {
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t at = name * 0x9e3779b97f4a7c15ULL >> 32 & mask;; at = (at + 1) & mask) {
    if (slots_[at] == name) return false;
    if (slots_[at] != 0) continue;
    slots_[at] = name;
    return true;
  }
}

void NameSet::grow() {
  std::vector<std::uint64_t> old(std::max<std::size_t>(1'024, slots_.size() * 2));
  old.swap(slots_);
  for (const std::uint64_t name : old) {
    if (name != 0) place(name);
  }
}

bool RecentNames::contains(std::uint64_t name) const {
  return slots_ != nullptr && slots_[name % kSlots] == name;
}

void RecentNames::insert(std::uint64_t name) {
  if (slots_ == nullptr) {
    slots_.reset(static_cast<std::uint64_t*>(std::calloc(kSlots, sizeof(std::uint64_t))));
    if (slots_ == nullptr) throw std::bad_alloc();
  }
  slots_[name % kSlots] = name;
}

}  // namespace tarn::catalog
