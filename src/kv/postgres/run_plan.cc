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
  switch (op.kind) {
    case Op::Kind::get: return Statement::get;
    case Op::Kind::set: return Statement::set;
    case Op::Kind::set_while: return Statement::set_while;
    case Op::Kind::erase: return Statement::erase;
    case Op::Kind::set_if:
      switch (op.expect->kind()) {
        case Expect::Kind::absent: return Statement::insert;
        case Expect::Kind::present: return Statement::replace;
        case Expect::Kind::value: return Statement::replace_if;
      }
  }
  std::unreachable();
}

/// Whether `op` can be executed by the statement that `group` is the beginning of.
bool joins(const WriteStatement& group, const Op& op) {
  const Op& first = *group.ops.front();
  if (op.kind != first.kind || op.kind == Op::Kind::set_if) return false;
  if (op.kind == Op::Kind::set_while) {  // all of them are stored, or none
    return op.guard.partition == first.guard.partition && op.guard.key == first.guard.key &&
           op.expect->stored() == first.expect->stored();
  }
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
  bool blind = false;  // a set or an erase is among the writes
  while (part.writes_end < ops.size()) {
    const Op& op = ops[part.writes_end];
    if (is_get(op) || (op.expect && blind)) break;
    if (op.kind == Op::Kind::set_while && written.contains({op.guard.partition, op.guard.key}))
      break;
    if (!written.insert(address_of(op)).second) break;
    blind = blind || !op.expect;
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
    if (op.expect) bytes += op.expect->stored().size() + op.guard.key.size();
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
    } else if (op->kind != Op::Kind::set_while) {
      statements.back().statement =
          op->kind == Op::Kind::set ? Statement::set_many : Statement::erase_any;
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
    if (op->kind == Op::Kind::set_while) add(op->guard, true);
    if (op->changes_guard) add(op->address, false);
  }
  std::vector<GuardLock> locks;
  for (const auto& [number, shared] : shared_by_number)
    locks.push_back({number, shared});
  return locks;
}

}  // namespace tarn::kv
