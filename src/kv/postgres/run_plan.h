// How the steps of run() become statements. Pure: what may share a transaction, and in which order,
// is decided here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "kv/postgres/statements.h"
#include "kv/store.h"

namespace tarn::kv {

/// One pipelined part of a run: gets, then writes that one transaction commits, then gets that see
/// them. Steps [begin, gets_end) [gets_end, writes_end) [writes_end, end).
struct RunPart {
  std::size_t begin = 0;
  std::size_t gets_end = 0;
  std::size_t writes_end = 0;
  std::size_t end = 0;

  bool writes() const { return writes_end > gets_end; }

  friend bool operator==(const RunPart&, const RunPart&) = default;
};

/// The part that begins at step `begin`. Writes end before a get, before a second write to the same
/// address, before a conditional one that follows one without condition (its decision must not be
/// older than they are visible), and between a guarded one and a write of its guard. If more writes
/// follow, the part has no gets at its end: they are asked with the next part, in the order of the
/// steps.
RunPart plan_part(std::span<const Op> ops, std::size_t begin);

/// The bytes that the writes of a part carry.
std::size_t bytes_of(std::span<const Op> ops);

/// Writes of one transaction that one statement executes. More than one only for set_many and
/// set_while, and for erase_any and erase_while, which share a partition; guarded ones share their
/// guard.
struct WriteStatement {
  Statement statement;
  std::vector<const Op*> ops;
};

/// `writes`, no address twice, as statements in the order of their addresses: every transaction
/// locks rows in that order, so none waits for another in a circle.
std::vector<WriteStatement> arrange_writes(std::vector<const Op*> writes);

/// A lock that a transaction takes before its writes, by number.
struct GuardLock {
  std::int64_t number;
  bool shared;

  friend bool operator==(const GuardLock&, const GuardLock&) = default;
};

/// The locks that make Op::only_while exact, in the one order that all transactions take them:
/// shared for who relies on a guard, not so for who changes it. The database gives them in the
/// order of asking, so that neither side starves the other, as row locks would.
std::vector<GuardLock> guard_locks(std::span<const Op* const> writes);

}  // namespace tarn::kv
