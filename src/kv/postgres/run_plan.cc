#include "kv/postgres/run_plan.h"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <tuple>
#include <utility>

#include "base/format.h"
#include "base/hash.h"

namespace tarn::kv {

namespace {

constexpr std::size_t kStatementOpsMax = 1'000;
constexpr std::size_t kStatementBytesMax = 4 * 1'024 * 1'024;

using AddressView = std::pair<std::string_view, std::string_view>;

AddressView address_of(const Op& op) {
  return {op.address.partition, op.address.key};
}

bool is_get(const Op& op) {
  return op.kind == Op::Kind::get;
}

Statement single(const Op& op) {
  const bool guarded = op.guarded.has_value();
  switch (op.kind) {
    case Op::Kind::get: return Statement::get;
    case Op::Kind::set: return guarded ? Statement::set_while : Statement::set;
    case Op::Kind::erase: return guarded ? Statement::erase_while : Statement::erase;
    case Op::Kind::set_if:
      switch (op.expect->kind()) {
        case Expect::Kind::absent: return guarded ? Statement::insert_while : Statement::insert;
        case Expect::Kind::present: return guarded ? Statement::replace_while : Statement::replace;
        case Expect::Kind::value:
          return guarded ? Statement::replace_if_while : Statement::replace_if;
      }
  }
  std::unreachable();
}

/// The statement for several that join.
Statement several(const Op& op) {
  if (op.guarded) return single(op);
  return op.kind == Op::Kind::set ? Statement::set_many : Statement::erase_any;
}

AddressView guard_of(const Op& op) {
  return {op.guarded->guard.partition, op.guarded->guard.key};
}

/// Whether `op` can be executed by the statement that `group` is the beginning of.
bool joins(const WriteStatement& group, const Op& op) {
  const Op& first = *group.ops.front();
  if (op.kind != first.kind || op.kind == Op::Kind::set_if) return false;
  if (op.guarded.has_value() != first.guarded.has_value()) return false;
  // All of them happen, or none.
  const bool same_guard = !op.guarded || (guard_of(op) == guard_of(first) &&
                                          op.guarded->stored == first.guarded->stored);
  if (!same_guard) return false;
  // An upsert locks in the order of its arrays and may span partitions; a delete needs one.
  return op.kind == Op::Kind::set || op.address.partition == first.address.partition;
}

}  // namespace

RunPart plan_part(std::span<const Op> ops, std::size_t begin) {
  RunPart part{.begin = begin, .gets_end = begin};
  while (part.gets_end < ops.size() && is_get(ops[part.gets_end]))
    ++part.gets_end;
  part.writes_end = part.gets_end;
  std::set<AddressView> written;
  std::set<AddressView> guards;
  bool blind = false;  // a write without a condition is among them
  while (part.writes_end < ops.size()) {
    const Op& op = ops[part.writes_end];
    if (is_get(op) || (op.conditional() && blind)) break;
    if (guards.contains(address_of(op))) break;
    if (op.guarded && written.contains(guard_of(op))) break;
    if (!written.insert(address_of(op)).second) break;
    if (op.guarded) guards.insert(guard_of(op));
    blind = blind || !op.conditional();
    ++part.writes_end;
  }
  part.end = part.writes_end;
  while (part.end < ops.size() && is_get(ops[part.end]))
    ++part.end;
  if (part.end < ops.size() && part.writes()) part.end = part.writes_end;
  return part;
}

std::size_t bytes_of(std::span<const Op> ops) {
  std::size_t bytes = 0;
  for (const Op& op : ops) {
    bytes += op.address.partition.size() + op.address.key.size() + op.value.size();
    if (op.expect) bytes += op.expect->stored().size();
    if (op.guarded) bytes += op.guarded->guard.key.size() + op.guarded->stored.size();
  }
  return bytes;
}

std::vector<WriteStatement> arrange_writes(std::vector<const Op*> writes) {
  std::ranges::sort(writes, {}, [](const Op* op) { return address_of(*op); });
  std::vector<WriteStatement> statements;
  std::size_t bytes = 0;
  for (const Op* op : writes) {
    const std::size_t op_bytes = bytes_of({op, 1});
    const bool join = !statements.empty() && joins(statements.back(), *op) &&
                      statements.back().ops.size() < kStatementOpsMax &&
                      bytes + op_bytes <= kStatementBytesMax;
    if (!join) {
      statements.push_back({single(*op), {}});
      bytes = 0;
    } else {
      statements.back().statement = several(*op);
    }
    statements.back().ops.push_back(op);
    bytes += op_bytes;
  }
  return statements;
}

std::vector<GuardLock> guard_locks(std::span<const Op* const> writes) {
  std::map<std::int64_t, bool> shared_by_number;
  const auto add = [&](const Address& guard, bool shared) {
    const auto number =
        static_cast<std::int64_t>(fnv1a_64(format("tarn guard {} {}", guard.partition, guard.key)));
    const auto [entry, is_new] = shared_by_number.try_emplace(number, shared);
    entry->second = entry->second && shared;
  };
  for (const Op* op : writes) {
    if (op->guarded) add(op->guarded->guard, true);
    if (op->changes_guard) add(op->address, false);
  }
  std::vector<GuardLock> locks;
  locks.reserve(shared_by_number.size());
  for (const auto& [number, shared] : shared_by_number)
    locks.push_back({number, shared});
  return locks;
}

}  // namespace tarn::kv
