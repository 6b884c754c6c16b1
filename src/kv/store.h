// Ordered key/value store for metadata: the persistence seam under versioning, catalog and auth.
// Backends: mem, rocks, postgres, dynamo; the interface is made for the round trips of the last
// two. Each passes kv/testing/store_suite.h. Source of the contract: storage-format.md 1.1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/context.h"
#include "base/task.h"

namespace tarn::kv {

inline constexpr std::size_t kAddressBytesMax = 1'024;             // partition, key; each
inline constexpr std::size_t kValueBytesMax = 16 * 1'024 * 1'024;  // embedded backends
inline constexpr std::uint32_t kPageKeysMax = 10'000;

/// Names one value: keys are ordered bytewise within their partition.
struct Address {
  std::string partition;
  std::string key;
};

/// The condition of a conditional write. A value is compared with the *stored* bytes, so hand back
/// exactly what get() returned, never a re-encoding.
class Expect {
 public:
  enum class Kind : std::uint8_t { absent, present, value };

  static Expect absent() { return Expect(Kind::absent, {}); }

  static Expect present() { return Expect(Kind::present, {}); }

  static Expect value(std::string stored) { return Expect(Kind::value, std::move(stored)); }

  Kind kind() const { return kind_; }

  const std::string& stored() const { return stored_; }

 private:
  Expect(Kind kind, std::string stored) : kind_(kind), stored_(std::move(stored)) {}

  Kind kind_;
  std::string stored_;
};

/// Losing a race is an outcome the caller plans for, not an error.
enum class [[nodiscard]] SetIf : std::uint8_t { stored, lost };

/// One step of run(). Build with the named constructors.
struct Op {
  enum class Kind : std::uint8_t { get, set, set_if, erase };

  /// Another record and what it must hold.
  struct Guarded {
    Address guard;
    std::string stored;
  };

  static Op get(std::string partition, std::string key);
  static Op set(std::string partition, std::string key, std::string value);
  static Op set_if(std::string partition, std::string key, std::string value, Expect expect);
  static Op erase(std::string partition, std::string key);
  /// `write`, of any kind, only while another record, the guard, holds exactly `guard_stored`. The
  /// guard is looked at by the write itself, so the answer is never older than the call. What it
  /// promises depends on Store::guard().
  static Op only_while(Op write, Address guard, std::string guard_stored);
  /// `write` of a record that is a guard. Where guard() is exact it stays so against these only.
  static Op of_guard(Op write);

  Kind kind;
  Address address;
  std::string value;                    // set, set_if
  std::optional<Expect> expect;         // set_if
  std::optional<Guarded> guarded = {};  // only_while
  bool changes_guard = false;           // of_guard

  /// Whether it may be lost.
  bool conditional() const { return expect.has_value() || guarded.has_value(); }
};

/// How much an Op::only_while of a store promises.
enum class Guard : std::uint8_t {
  none,   // it is refused: Error{not_implemented}
  close,  // it may miss a change of the guard that is stored together with the write: look after it
  exact,  // it is atomic with writes by Op::of_guard: once one has been answered, a write that it
          // makes fail has not happened, and will not
};

struct OpResult {
  std::optional<std::string> found;  // get: the value, or nullopt
  // set_if, only_while: false = lost, nothing changed; otherwise true. An erase that found nothing
  // to erase has not lost.
  bool stored = true;
};

struct ScanOptions {
  std::string from = {};            // first key, inclusive; empty = start of the partition
  std::string prefix = {};          // only keys with it; a `from` below it starts at the prefix
  std::uint32_t page_keys = 1'000;  // most keys fetched per round trip, 1..10'000
  // How many the reader is likely to want one after the other, from the start or from where it
  // seeks: the first page has no more, the ones after it grow.
  std::uint32_t likely_keys = 32;
};

/// One record with its address: what a copy of a whole store is made of.
struct Row {
  Address address;
  std::string value;
};

/// Keys of one partition in order. Reads pages lazily. It sees writes made after it was opened, or
/// not: backends differ. Must not outlive its store.
///   while (cursor->next() || co_await cursor->fill(ctx)) use(cursor->key(), cursor->value());
class Cursor {
 public:
  virtual ~Cursor() = default;

  /// Moves to the next key if it has been fetched already; false = call fill().
  virtual bool next() = 0;
  /// Fetches the next page and moves to its first key; false = the end (and stays so until seek()).
  /// Throws as Store does.
  virtual Task<bool> fill(Context& ctx) = 0;
  /// The following next()/fill() lands on the first key >= `key` (never outside the prefix). May
  /// move backwards. Cheap when the key lies in the page already fetched.
  virtual void seek(std::string_view key) = 0;

  /// Valid after a true next()/fill(), until the next call to either or to seek().
  virtual std::string_view key() const = 0;
  virtual std::string_view value() const = 0;

 protected:
  Cursor() = default;
  Cursor(const Cursor&) = delete;
  Cursor& operator=(const Cursor&) = delete;
};

/// Safe to call from any executor; every method is a suspension point. Partition and key are
/// 1..1'024 bytes (Error{invalid_argument} otherwise), values at most 400 KiB where DynamoDB is to
/// be an option and 16 MiB at all (Error{too_large}); a zero-length value is a value.
///
/// Throws Error{unavailable} when the backend cannot be reached before ctx.deadline() or its queue
/// is full, Error{throttled} when it asks to slow down, Error{storage_full} when it cannot grow,
/// Error{corrupt} when a stored row does not parse, Error{deadline_exceeded}.
/// A write that throws may or may not have happened; one that returned is durable.
class Store {
 public:
  virtual ~Store() = default;

  /// The value under the key, or nullopt. Absence is ordinary: it never throws.
  virtual Task<std::optional<std::string>> get(Context& ctx, std::string_view partition,
                                               std::string_view key) = 0;

  /// As many gets in one round trip; results in the order of `addresses`. Not a snapshot.
  virtual Task<std::vector<std::optional<std::string>>> get_many(
      Context& ctx, std::vector<Address> addresses) = 0;

  /// Runs the steps in order, in one round trip where the backend can: a get after a write of the
  /// same run sees it, and sees every write acknowledged before run() was called. Each step is
  /// atomic and a lost set_if does not stop the ones after it; nothing else is promised between
  /// steps (no isolation from others, no rollback). All writes are durable when it returns.
  virtual Task<std::vector<OpResult>> run(Context& ctx, std::vector<Op> ops) = 0;

  /// What Op::only_while can be relied on for.
  virtual Guard guard() const { return Guard::none; }

  /// Opens without I/O; the first fill() fetches.
  virtual std::unique_ptr<Cursor> scan(std::string_view partition, ScanOptions options) = 0;

  /// Rows of all partitions: up to `rows_max` (1..10'000, fewer when they are large) of those that
  /// follow `after` (nullopt: from the beginning) in the backend's own order, which is one and the
  /// same for every call. Empty = the end; `after` itself need not exist. For copying and checking
  /// a store nobody writes to: rows written meanwhile are seen, or not. Error{not_implemented}
  /// where a backend cannot.
  virtual Task<std::vector<Row>> read_rows(Context& ctx, std::optional<Address> after,
                                           std::uint32_t rows_max);

  /// Embedded backends: a copy of the store as it is at one moment, in a new `directory` (its
  /// parent exists), while reads and writes go on. It opens as a store of its own. Error{
  /// not_implemented} where the database has its own tools for that.
  virtual Task<> checkpoint(Context& ctx, std::string directory);

  /// Refuses new work (Error{unavailable}) and waits for what is under way. Idempotent.
  virtual Task<> close() = 0;

  // One-step forms of run().
  Task<> set(Context& ctx, std::string_view partition, std::string_view key, std::string value);
  Task<SetIf> set_if(Context& ctx, std::string_view partition, std::string_view key,
                     std::string value, Expect expect);
  Task<> erase(Context& ctx, std::string_view partition, std::string_view key);

 protected:
  Store() = default;
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;
};

/// Throws Error{invalid_argument} unless partition and key are within their limits. For backends.
void check_address(std::string_view partition, std::string_view key);
/// Checks the address and the value's size of every step. For backends.
void check_ops(const std::vector<Op>& ops);
/// `condition` against what is stored now: the decision of a set_if. For embedded backends.
bool holds(const Expect& condition, const std::optional<std::string_view>& stored);
/// Throws Error{not_implemented} for guarded steps. For backends whose guard() is none.
void refuse_guarded(const std::vector<Op>& ops);
/// The options of a scan, checked and with page sizes clamped to 1..kPageKeysMax. For backends.
ScanOptions check_scan(std::string_view partition, ScanOptions options);

}  // namespace tarn::kv
