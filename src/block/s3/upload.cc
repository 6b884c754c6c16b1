#include "block/s3/upload.h"

#include <algorithm>
#include <exception>
#include <map>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/this_coro.hpp>

#include "base/error.h"
#include "block/part_list.h"
#include "block/s3/checked_body.h"
#include "io/task_group.h"

namespace tarn::block::s3 {

namespace {

using State = S3ObjectStore::State;
using Permit = io::Semaphore::Permit;

constexpr std::uint64_t kSmallBodyBytes = 256 * 1024;  // may always be in memory
constexpr std::uint64_t kInlineHashBytesMax = 64 * 1024;
constexpr std::uint64_t kPartsInOnePut = 8;  // of a body that is in memory anyway
constexpr std::uint32_t kPartsBeforeGrowth = 1'000;
constexpr std::size_t kGrownPartBytesMax = 512 * 1024 * 1024;

/// What the parts of one upload share. They all run on the uploader's loop, which waits for them.
struct Batch {
  Context& ctx;
  State& store;
  const Target& target;
  const std::string upload_id;
  io::Semaphore slots;
  std::map<std::uint32_t, std::string> etags{};
  std::exception_ptr failure{};
};

Task<> send_one(Batch& batch, std::uint32_t number, Bytes bytes) {
  batch.etags[number] =
      co_await batch.store.send_part(batch.ctx, batch.target, batch.upload_id, number, bytes);
}

/// Holds its permits until the part has been sent. What goes wrong is the uploader's to throw.
Task<> run_part(Batch& batch, std::uint32_t number, Bytes bytes, Permit slot, Permit buffer) {
  static_cast<void>(slot);
  static_cast<void>(buffer);
  try {
    co_await send_one(batch, number, std::move(bytes));
  } catch (...) {
    if (!batch.failure) batch.failure = std::current_exception();
  }
}

class Upload {
 public:
  Upload(Batch& batch, BodyCutter& cutter, std::optional<std::uint64_t> size)
      : batch_(batch), cutter_(cutter), size_(size) {}

  /// Sends `first` and everything after it.
  Task<> run(std::string first, io::TaskGroup& group) {
    const boost::asio::any_io_executor executor = co_await boost::asio::this_coro::executor;
    auto bytes = std::make_shared<const std::string>(std::move(first));
    for (std::uint32_t number = 1;; ++number) {
      if (number > kPartNumberMax) throw Error(ErrorCode::too_large, "object is too large");
      Permit slot = co_await batch_.slots.acquire(batch_.ctx);
      rethrow_failure();
      // The uploader's own buffer goes on to the next part; one more is needed to fill it
      // meanwhile.
      Permit buffer = batch_.store.buffers.try_acquire();
      if (buffer) {
        group.spawn(executor, "s3 part",
                    run_part(batch_, number, std::move(bytes), std::move(slot), std::move(buffer)));
      } else {
        co_await send_one(batch_, number, std::move(bytes));
      }
      if (cutter_.ended()) co_return;
      const std::size_t wanted = part_bytes_of(batch_.store.config, number + 1, size_);
      bytes = std::make_shared<const std::string>(co_await cutter_.next(batch_.ctx, wanted));
    }
  }

  void rethrow_failure() const {
    if (batch_.failure) std::rethrow_exception(batch_.failure);
  }

 private:
  Batch& batch_;
  BodyCutter& cutter_;
  std::optional<std::uint64_t> size_;
};

Task<> send_and_complete(Batch& batch, BodyCutter& cutter, std::string first,
                         std::optional<std::uint64_t> size, const PutOptions& options,
                         io::TaskGroup& group) {
  Upload upload(batch, cutter, size);
  co_await upload.run(std::move(first), group);
  co_await group.join();
  upload.rethrow_failure();
  if (options.accept) options.accept();
  std::vector<Part> parts;
  for (const auto& [number, etag] : batch.etags)
    parts.push_back({.number = number, .etag = etag});
  co_await batch.store.complete_upload(batch.ctx, batch.target, batch.upload_id, parts);
}

Task<> put_in_parts(Context& ctx, State& store, const Target& target, BodyCutter& cutter,
                    std::string first, std::optional<std::uint64_t> size,
                    const PutOptions& options) {
  Batch batch{.ctx = ctx,
              .store = store,
              .target = target,
              .upload_id = co_await store.create_upload(ctx, target),
              .slots = io::Semaphore(std::max<std::size_t>(1, store.config.parts_at_once))};
  io::TaskGroup group;
  std::exception_ptr failure;
  try {
    co_await send_and_complete(batch, cutter, std::move(first), size, options, group);
  } catch (...) {
    failure = std::current_exception();
  }
  if (!failure) co_return;
  // Also for one whose caller has left: the parts use this frame, and must not stay in the store.
  co_await boost::asio::this_coro::throw_if_cancelled(false);
  group.cancel();
  co_await group.join();
  co_await store.give_up_upload(target, batch.upload_id);
  co_await boost::asio::this_coro::throw_if_cancelled(true);
  std::rethrow_exception(failure);
}

/// An MD5 nobody else wanted is taken of small bodies only: it costs more than all the rest.
State::Known known_of(const std::string& bytes, const PutOptions& options) {
  if (options.digests != nullptr) {
    const Digests::Values& values = options.digests->values();
    return {.md5 = values.md5, .sha256 = values.sha256};
  }
  if (bytes.size() > kInlineHashBytesMax) return {};
  return {.md5 = md5(bytes), .sha256 = {}};
}

Task<PutResult> put_shared(Context& ctx, State& store, const Target& target, Bytes bytes,
                           const PutOptions& options) {
  if (options.accept) options.accept();
  const std::uint64_t size = bytes->size();
  State::Known known = known_of(*bytes, options);
  co_await store.put_whole(ctx, target, std::move(bytes), std::move(known));
  co_return PutResult{size};
}

}  // namespace

std::size_t part_bytes_of(const S3Config& config, std::uint32_t number,
                          std::optional<std::uint64_t> body_bytes) {
  if (body_bytes) {
    const std::uint64_t needed = *body_bytes / kPartNumberMax + 1;
    return std::max<std::uint64_t>(config.part_bytes, needed);
  }
  const std::uint32_t steps = (number - 1) / kPartsBeforeGrowth;
  return std::min(config.part_bytes << steps, std::max(config.part_bytes, kGrownPartBytesMax));
}

Task<PutResult> put_body(Context& ctx, State& store, Target target, io::ByteSource& body,
                         PutOptions options) {
  const auto size = body.size();
  if (size && *size > options.bytes_max) throw Error(ErrorCode::too_large, "object is too large");
  if (options.digests == nullptr && size && *size <= kPartsInOnePut * store.config.part_bytes) {
    if (Bytes whole = body.whole())
      co_return co_await put_shared(ctx, store, target, whole, options);
  }
  Permit buffer;
  if (!size || *size > kSmallBodyBytes) buffer = co_await store.take_buffer(ctx);
  BodyCutter cutter(body, options);
  std::string first = co_await cutter.next(ctx, part_bytes_of(store.config, 1, size));
  if (!cutter.ended()) {
    co_await put_in_parts(ctx, store, target, cutter, std::move(first), size, options);
    co_return PutResult{cutter.bytes()};
  }
  if (options.accept) options.accept();
  const auto bytes = std::make_shared<const std::string>(std::move(first));
  co_await store.put_whole(ctx, target, bytes, known_of(*bytes, options));
  co_return PutResult{cutter.bytes()};
}

}  // namespace tarn::block::s3
