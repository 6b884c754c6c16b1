#include "kv/store.h"

#include <algorithm>
#include <utility>

#include "base/error.h"

namespace tarn::kv {
namespace {

std::vector<Op> one(Op op) {
  std::vector<Op> ops;
  ops.push_back(std::move(op));
  return ops;
}

}  // namespace

Op Op::get(std::string partition, std::string key) {
  return Op{Kind::get, {std::move(partition), std::move(key)}, {}, {}};
}

Op Op::set(std::string partition, std::string key, std::string value) {
  return Op{Kind::set, {std::move(partition), std::move(key)}, std::move(value), {}};
}

Op Op::set_if(std::string partition, std::string key, std::string value, Expect expect) {
  return Op{
      Kind::set_if, {std::move(partition), std::move(key)}, std::move(value), std::move(expect)};
}

Op Op::erase(std::string partition, std::string key) {
  return Op{Kind::erase, {std::move(partition), std::move(key)}, {}, {}};
}

Op Op::only_while(Op write, Address guard, std::string guard_stored) {
  TARN_ASSERT(write.kind != Kind::get && !write.guarded);
  write.guarded = Guarded{std::move(guard), std::move(guard_stored)};
  return write;
}

Op Op::of_guard(Op write) {
  TARN_ASSERT(write.kind != Kind::get);
  write.changes_guard = true;
  return write;
}

Task<> Store::set(Context& ctx, std::string_view partition, std::string_view key,
                  std::string value) {
  co_await run(ctx, one(Op::set(std::string(partition), std::string(key), std::move(value))));
}

Task<SetIf> Store::set_if(Context& ctx, std::string_view partition, std::string_view key,
                          std::string value, Expect expect) {
  auto results = co_await run(ctx, one(Op::set_if(std::string(partition), std::string(key),
                                                  std::move(value), std::move(expect))));
  co_return results.at(0).stored ? SetIf::stored : SetIf::lost;
}

Task<> Store::erase(Context& ctx, std::string_view partition, std::string_view key) {
  co_await run(ctx, one(Op::erase(std::string(partition), std::string(key))));
}

// NOLINTBEGIN(performance-unnecessary-value-param): the signatures of those who implement them
Task<std::vector<Row>> Store::read_rows(Context&, std::optional<Address>, std::uint32_t) {
  throw Error(ErrorCode::not_implemented, "this metadata store cannot list all its rows");
}

Task<> Store::checkpoint(Context&, std::string) {
  throw Error(ErrorCode::not_implemented,
              "this metadata store makes no copies of itself: use the database's own backup");
}

// NOLINTEND(performance-unnecessary-value-param)

void check_address(std::string_view partition, std::string_view key) {
  if (partition.empty()) throw Error(ErrorCode::invalid_argument, "missing partition key");
  if (key.empty()) throw Error(ErrorCode::invalid_argument, "missing key");
  if (partition.size() > kAddressBytesMax || key.size() > kAddressBytesMax) {
    throw Error(ErrorCode::invalid_argument, "key longer than 1024 bytes");
  }
}

void check_ops(const std::vector<Op>& ops) {
  for (const Op& op : ops) {
    check_address(op.address.partition, op.address.key);
    if (op.value.size() > kValueBytesMax) {
      throw Error(ErrorCode::too_large, "metadata record larger than 16 MiB");
    }
    if (op.guarded) check_address(op.guarded->guard.partition, op.guarded->guard.key);
    TARN_ASSERT((op.kind == Op::Kind::set_if) == op.expect.has_value());
  }
}

bool holds(const Expect& condition, const std::optional<std::string_view>& stored) {
  switch (condition.kind()) {
    case Expect::Kind::absent: return !stored.has_value();
    case Expect::Kind::present: return stored.has_value();
    case Expect::Kind::value: return stored == condition.stored();
  }
  std::unreachable();
}

void refuse_guarded(const std::vector<Op>& ops) {
  if (std::ranges::any_of(ops, [](const Op& op) { return op.guarded.has_value(); })) {
    throw Error(ErrorCode::not_implemented, "this metadata store ties no write to another record");
  }
}

ScanOptions check_scan(std::string_view partition, ScanOptions options) {
  if (partition.empty()) throw Error(ErrorCode::invalid_argument, "missing partition key");
  if (partition.size() > kAddressBytesMax) {
    throw Error(ErrorCode::invalid_argument, "key longer than 1024 bytes");
  }
  options.page_keys = std::clamp<std::uint32_t>(options.page_keys, 1, kPageKeysMax);
  options.likely_keys = std::clamp<std::uint32_t>(options.likely_keys, 1, options.page_keys);
  return options;
}

}  // namespace tarn::kv
