// Decorator that fails chosen calls, for the tests of whatever stands on an object store.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "base/error.h"
#include "block/forwarding_store.h"

namespace tarn::block::testing {

enum class Fault : std::uint8_t {
  before,  // nothing happened
  after,   // everything happened, the answer is lost
};

/// Counts calls that could fail in earnest, reads of the sources it hands out included, and throws
/// Error{code} instead of making the n-th, or instead of answering it. Probes, presigning and
/// closing are not counted. Thread-safe. `inner` outlives it.
class FaultyStore final : public ForwardingStore {
 public:
  explicit FaultyStore(ObjectStore& inner) : ForwardingStore(inner) {}

  /// The `nth` call from now on (1 = the next one) and the `times - 1` after it fail.
  void fail_nth(std::uint64_t nth, std::uint64_t times = 1, ErrorCode code = ErrorCode::unavailable,
                Fault fault = Fault::before);

  void never_fail() { fail_nth(0, 0); }

  /// Calls since the last fail_nth() or never_fail().
  std::uint64_t calls() const { return calls_; }

  Task<PutResult> put(Context& ctx, const ObjectRef& ref, io::ByteSource& body,
                      PutOptions options) override;
  Task<std::unique_ptr<io::ByteSource>> get(Context& ctx, const ObjectRef& ref,
                                            std::optional<ByteRange> range) override;
  Task<std::optional<ObjectInfo>> head(Context& ctx, const ObjectRef& ref) override;
  Task<> remove(Context& ctx, const ObjectRef& ref) override;
  /// As many calls of remove().
  Task<> remove_many(Context& ctx, std::vector<ObjectRef> refs) override;
  Task<PutResult> copy(Context& ctx, const ObjectRef& from, const ObjectRef& to) override;
  Task<ListPage> list(Context& ctx, std::string_view storage_namespace, std::string_view prefix,
                      std::string_view after, std::size_t objects_max) override;
  Task<std::string> create_multipart(Context& ctx, const ObjectRef& ref) override;
  Task<std::string> upload_part(Context& ctx, const ObjectRef& ref, std::string_view upload_id,
                                std::uint32_t number, io::ByteSource& body,
                                PutOptions options) override;
  Task<ObjectInfo> complete_multipart(Context& ctx, const ObjectRef& ref,
                                      std::string_view upload_id, std::vector<Part> parts) override;
  Task<> abort_multipart(Context& ctx, const ObjectRef& ref, std::string_view upload_id) override;
  Task<std::vector<PartInfo>> list_parts(Context& ctx, const ObjectRef& ref,
                                         std::string_view upload_id, std::uint32_t after,
                                         std::size_t parts_max) override;

  /// Counts a call; throws if its turn has come. True: throw lost() once it is done. For the
  /// sources.
  [[nodiscard]] bool step();
  [[noreturn]] void lost() const;

 private:
  std::atomic<std::uint64_t> calls_ = 0;
  std::atomic<std::uint64_t> first_ = 0, last_ = 0;  // failing calls, 1-based; 0 = none
  std::atomic<ErrorCode> code_ = ErrorCode::unavailable;
  std::atomic<Fault> fault_ = Fault::before;
};

}  // namespace tarn::block::testing
