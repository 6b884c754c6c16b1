#include "kv/copy.h"

#include <algorithm>
#include <exception>
#include <optional>
#include <utility>
#include <vector>

#include <boost/asio/this_coro.hpp>

#include "base/bytes.h"
#include "base/error.h"
#include "base/format.h"
#include "base/hash.h"
#include "io/task_group.h"
#include "kv/copy_record.h"

namespace tarn::kv {
namespace {

bool is_record(const Row& row) {
  return row.address.partition == kCopyPartition;
}

std::uint64_t bytes_of(const Row& row) {
  return row.address.key.size() + row.value.size();
}

std::string name_of(const Address& address) {
  const auto shown = [](const std::string& text) {
    return is_valid_utf8(text) ? text : "0x" + to_hex(text);
  };
  return format("partition {}, key {}", shown(address.partition), shown(address.key));
}

/// Walks a store page by page, without the records of copies.
class Walk {
 public:
  Walk(Store& store, std::uint32_t page_rows, std::optional<Address> after = {})
      : store_(store), page_rows_(page_rows), after_(std::move(after)) {}

  /// The next page in rows(); false at the end.
  Task<bool> next(Context& ctx) {
    do {
      rows_ = co_await store_.read_rows(ctx, after_, page_rows_);
      if (rows_.empty()) co_return false;
      after_ = rows_.back().address;
      std::erase_if(rows_, is_record);
    } while (rows_.empty());
    co_return true;
  }

  std::vector<Row>& rows() { return rows_; }

  const std::optional<Address>& after() const { return after_; }

 private:
  Store& store_;
  std::uint32_t page_rows_;
  std::optional<Address> after_;
  std::vector<Row> rows_;
};

Task<> run_writer(Context& ctx, Store& to, std::vector<Op> ops, std::exception_ptr& failed) {
  try {
    co_await to.run(ctx, std::move(ops));
  } catch (...) {
    // The first failure ends the copy, in the coroutine that waits for all writers.
    if (!failed) failed = std::current_exception();
  }
}

/// Writes in slices side by side; all of them have ended when it returns or throws.
Task<> write_page(Context& ctx, Store& to, std::vector<Op> ops, std::uint32_t writers) {
  constexpr std::size_t kSliceMin = 32;  // below it a run of its own is not worth it
  const std::size_t slice = std::max(kSliceMin, (ops.size() + writers - 1) / writers);
  const auto executor = co_await boost::asio::this_coro::executor;
  io::TaskGroup group;
  std::exception_ptr failed;
  for (std::size_t begin = 0; begin < ops.size(); begin += slice) {
    const auto first = ops.begin() + static_cast<std::ptrdiff_t>(begin);
    const auto last =
        ops.begin() + static_cast<std::ptrdiff_t>(std::min(begin + slice, ops.size()));
    std::vector<Op> part(std::make_move_iterator(first), std::make_move_iterator(last));
    group.spawn(executor, "copy_rows", run_writer(ctx, to, std::move(part), failed));
  }
  co_await group.join();
  if (failed) std::rethrow_exception(failed);
}

/// The target's side of one copy: its record, kept in step.
class Target {
 public:
  Target(Store& store, CopyRecord record) : store_(store), record_(std::move(record)) {}

  CopyRecord& record() { return record_; }

  /// Claims an empty target.
  Task<> begin(Context& ctx) { return replace(ctx, Expect::absent()); }

  /// Goes on with what is stored.
  void adopt(std::string stored) { stored_ = std::move(stored); }

  Task<> save(Context& ctx) { return replace(ctx, Expect::value(stored_)); }

 private:
  Task<> replace(Context& ctx, Expect expect) {
    std::string next = encode_copy_record(record_);
    if (next == stored_) co_return;
    const SetIf outcome =
        co_await store_.set_if(ctx, kCopyPartition, kCopyKey, next, std::move(expect));
    // Ours after all, if the answer to an earlier attempt was lost.
    if (outcome == SetIf::lost && co_await store_.get(ctx, kCopyPartition, kCopyKey) != next) {
      throw Error(ErrorCode::conflict, "another copy is writing to the target");
    }
    stored_ = std::move(next);
  }

  Store& store_;
  CopyRecord record_;
  std::string stored_;
};

Task<> erase_all(Context& ctx, Store& to, const CopyOptions& options, const CopyReport& report) {
  Walk walk(to, options.page_rows);
  std::uint64_t rows = 0;
  while (co_await walk.next(ctx)) {
    std::vector<Op> ops;
    for (Row& row : walk.rows()) {
      ops.push_back(Op::erase(std::move(row.address.partition), std::move(row.address.key)));
    }
    rows += ops.size();
    co_await write_page(ctx, to, std::move(ops), options.writers);
    report(CopyPhase::erasing, rows, 0);
  }
}

CopyRecord parse_stored(const std::string& stored) {
  auto record = parse_copy_record(stored);
  if (!record) throw Error(ErrorCode::corrupt, "the target's record of a copy does not parse");
  return *std::move(record);
}

Task<Target> open_target(Context& ctx, Store& to, const CopyOptions& options,
                         const CopyReport& report, bool& resumed) {
  auto stored = co_await to.get(ctx, kCopyPartition, kCopyKey);
  if (!stored) {
    if (!(co_await to.read_rows(ctx, std::nullopt, 1)).empty()) {
      throw Error(ErrorCode::already_exists,
                  "the target is not empty, and what it holds is not an unfinished copy");
    }
    Target target(to, {.source = options.source_name});
    co_await target.begin(ctx);
    co_return target;
  }
  CopyRecord record = parse_stored(*stored);
  if (options.start_over) {
    Target target(to, {.source = options.source_name});
    target.adopt(*std::move(stored));
    co_await target.save(ctx);
    co_await erase_all(ctx, to, options, report);
    co_return target;
  }
  if (record.source != options.source_name) {
    throw Error(ErrorCode::already_exists,
                format("the target is an unfinished copy of another source: {}", record.source));
  }
  resumed = true;
  Target target(to, std::move(record));
  target.adopt(*std::move(stored));
  co_return target;
}

/// The row a backend refuses for its size, by name: the operator has to look at it.
Error named(const Error& error, const std::vector<Row>& rows) {
  const auto largest = std::ranges::max_element(rows, {}, bytes_of);
  return Error(error.code(), format("{} ({}: {} bytes)", error.message(), name_of(largest->address),
                                    bytes_of(*largest)));
}

Task<> copy_page(Context& ctx, Store& to, const std::vector<Row>& rows, std::uint32_t writers) {
  std::vector<Op> ops;
  ops.reserve(rows.size());
  for (const Row& row : rows)
    ops.push_back(Op::set(row.address.partition, row.address.key, row.value));
  try {
    co_await write_page(ctx, to, std::move(ops), writers);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::too_large) throw;
    throw named(error, rows);
  }
}

}  // namespace

void RowDigest::add(const Row& row) {
  std::string bytes;
  bytes.reserve(16 + row.address.partition.size() + row.address.key.size() + row.value.size());
  append_be64(bytes, row.address.partition.size());
  bytes += row.address.partition;
  append_be64(bytes, row.address.key.size());
  bytes += row.address.key;
  bytes += row.value;
  const std::string hash = sha256(bytes);
  std::uint64_t carry = 0;
  for (std::size_t word = 0; word < sum_.size(); ++word) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < 8; ++i)
      value = value << 8 | static_cast<unsigned char>(hash[24 - 8 * word + i]);
    const std::uint64_t with_carry = value + carry;
    carry = with_carry < value ? 1 : 0;
    sum_[word] += with_carry;
    if (sum_[word] < with_carry) ++carry;
  }
}

std::string RowDigest::hex() const {
  std::string bytes;
  for (std::size_t word = sum_.size(); word-- > 0;)
    append_be64(bytes, sum_[word]);
  return to_hex(bytes);
}

Task<CopyOutcome> copy_store(Context& ctx, Store& from, Store& to, CopyOptions options,
                             const CopyReport& report) {
  options.writers = std::max(1U, options.writers);
  if (co_await from.get(ctx, kCopyPartition, kCopyKey)) {
    throw Error(ErrorCode::invalid_argument, "the source is an unfinished copy itself");
  }
  CopyOutcome outcome;
  Target target = co_await open_target(ctx, to, options, report, outcome.resumed);
  CopyRecord& record = target.record();
  Walk walk(from, options.page_rows, record.after);
  for (std::uint64_t page = 1; co_await walk.next(ctx); ++page) {
    co_await copy_page(ctx, to, walk.rows(), options.writers);
    record.after = walk.after();
    record.rows += walk.rows().size();
    for (const Row& row : walk.rows())
      record.bytes += bytes_of(row);
    if (page % std::max(1U, options.pages_per_record) == 0) co_await target.save(ctx);
    report(CopyPhase::copying, record.rows, record.bytes);
  }
  co_await target.save(ctx);
  outcome.rows = record.rows;
  outcome.bytes = record.bytes;
  co_return outcome;
}

Task<Contents> read_contents(Context& ctx, Store& store, std::uint32_t page_rows, CopyPhase phase,
                             const CopyReport& report) {
  Contents contents;
  Walk walk(store, page_rows);
  while (co_await walk.next(ctx)) {
    for (const Row& row : walk.rows()) {
      contents.digest.add(row);
      contents.bytes += bytes_of(row);
    }
    contents.rows += walk.rows().size();
    report(phase, contents.rows, contents.bytes);
  }
  co_return contents;
}

Task<std::uint64_t> locate_differences(Context& ctx, Store& from, Store& to,
                                       std::uint64_t differences_max, std::uint32_t page_rows,
                                       const CopyReport& report,
                                       const std::function<void(std::string_view)>& found) {
  std::uint64_t differences = 0;
  std::uint64_t seen = 0;
  for (const bool from_source : {true, false}) {
    Store& walked = from_source ? from : to;
    Store& other = from_source ? to : from;
    Walk walk(walked, page_rows);
    while (differences < differences_max && co_await walk.next(ctx)) {
      std::vector<Address> asked;
      for (const Row& row : walk.rows())
        asked.push_back(row.address);
      const auto others = co_await other.get_many(ctx, std::move(asked));
      for (std::size_t i = 0; i < others.size() && differences < differences_max; ++i) {
        const Row& row = walk.rows()[i];
        std::string_view what;
        if (!others[i]) {
          what = from_source ? "missing in the target" : "only in the target";
        } else if (from_source && *others[i] != row.value) {
          what = "has another value in the target";
        }
        if (what.empty()) continue;
        ++differences;
        found(format("{}: {}", name_of(row.address), what));
      }
      seen += walk.rows().size();
      report(CopyPhase::locating, seen, 0);
    }
  }
  co_return differences;
}

Task<> finish_copy(Context& ctx, Store& to) {
  co_await to.erase(ctx, kCopyPartition, kCopyKey);
}

Task<> check_no_unfinished_copy(Context& ctx, Store& store) {
  const auto stored = co_await store.get(ctx, kCopyPartition, kCopyKey);
  if (!stored) co_return;
  const auto record = parse_copy_record(*stored);
  throw Error(ErrorCode::conflict,
              format("the metadata store is an unfinished copy of {}: let 'tarn kv copy' finish it",
                     record ? record->source : "another one"));
}

}  // namespace tarn::kv
