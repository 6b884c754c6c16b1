#include "block/metered_store.h"

#include <array>
#include <chrono>
#include <exception>
#include <utility>

#include "base/error.h"
#include "base/metrics.h"

namespace tarn::block {

namespace {

using SteadyClock = std::chrono::steady_clock;

enum class Op : std::size_t {
  put,
  get,
  head,
  remove,
  remove_many,
  copy,
  list,
  create_multipart,
  upload_part,
  complete_multipart,
  abort_multipart,
  list_parts,
  count_
};

enum class Outcome : std::size_t { ok, missing, refused, failed, count_ };

constexpr auto kOps = static_cast<std::size_t>(Op::count_);
constexpr auto kOutcomes = static_cast<std::size_t>(Outcome::count_);

struct Series {
  std::array<std::array<metrics::Histogram*, kOutcomes>, kOps> seconds{};
  metrics::Counter& read_bytes =
      metrics::counter("tarn_block_read_bytes", "Bytes of objects handed out by the object store");
  metrics::Counter& written_bytes = metrics::counter(
      "tarn_block_written_bytes", "Bytes of objects and parts taken in by the object store");

  Series() {
    constexpr std::array<std::string_view, kOps> kOpNames = {"put",
                                                             "get",
                                                             "head",
                                                             "remove",
                                                             "remove_many",
                                                             "copy",
                                                             "list",
                                                             "create_multipart",
                                                             "upload_part",
                                                             "complete_multipart",
                                                             "abort_multipart",
                                                             "list_parts"};
    constexpr std::array<std::string_view, kOutcomes> kOutcomeNames = {"ok", "missing", "refused",
                                                                       "failed"};
    for (std::size_t op = 0; op < kOps; ++op) {
      for (std::size_t outcome = 0; outcome < kOutcomes; ++outcome) {
        seconds[op][outcome] =
            &metrics::histogram("tarn_block_op_seconds", "Time taken by object store operations",
                                {{"op", kOpNames[op]}, {"outcome", kOutcomeNames[outcome]}});
      }
    }
  }
};

Series& series() {
  static Series instance;
  return instance;
}

/// Observes one operation when it goes out of scope; what nobody called a success has failed.
class Timing {
 public:
  explicit Timing(Op op) : op_(op) {}

  Timing(const Timing&) = delete;
  Timing& operator=(const Timing&) = delete;

  ~Timing() {
    series().seconds[static_cast<std::size_t>(op_)][static_cast<std::size_t>(outcome_)]->observe(
        SteadyClock::now() - start_);
  }

  void set(Outcome outcome) { outcome_ = outcome; }

 private:
  Op op_;
  Outcome outcome_ = Outcome::failed;
  SteadyClock::time_point start_ = SteadyClock::now();
};

Outcome outcome_of(const Error& error) {
  switch (error.code()) {
    case ErrorCode::invalid_argument:
    case ErrorCode::too_large: return Outcome::refused;
    case ErrorCode::upload_not_found:
    case ErrorCode::data_missing: return Outcome::missing;
    default: return Outcome::failed;
  }
}

template <class T>
Outcome outcome_of_value(const T& value) {
  if constexpr (requires { static_cast<bool>(value); }) {
    return value ? Outcome::ok : Outcome::missing;
  } else {
    return Outcome::ok;
  }
}

template <class T>
Task<T> timed(Op op, Task<T> task) {
  Timing timing(op);
  try {
    if constexpr (std::is_void_v<T>) {
      co_await std::move(task);
      timing.set(Outcome::ok);
    } else {
      auto value = co_await std::move(task);
      timing.set(outcome_of_value(value));
      co_return std::move(value);
    }
  } catch (const Error& error) {
    timing.set(outcome_of(error));
    throw;
  }
}

class CountingSource final : public io::ByteSource {
 public:
  explicit CountingSource(std::unique_ptr<io::ByteSource> inner) : inner_(std::move(inner)) {}

  Task<std::string_view> read(Context& ctx) override {
    const auto piece = co_await inner_->read(ctx);
    series().read_bytes.add(piece.size());
    co_return piece;
  }

  bool can_send() const override { return inner_->can_send(); }

  Task<io::Sent> send_some(Context& ctx, int socket) override {
    const auto sent = co_await inner_->send_some(ctx, socket);
    series().read_bytes.add(sent.bytes);
    co_return sent;
  }

  std::optional<std::uint64_t> size() const override { return inner_->size(); }

 private:
  std::unique_ptr<io::ByteSource> inner_;
};

/// Counts what a backend takes from a body it does not own.
class CountedBody final : public io::ByteSource {
 public:
  explicit CountedBody(io::ByteSource& inner) : inner_(inner) {}

  Task<std::string_view> read(Context& ctx) override {
    const auto piece = co_await inner_.read(ctx);
    series().written_bytes.add(piece.size());
    co_return piece;
  }

  std::shared_ptr<const std::string> whole() override {
    auto bytes = inner_.whole();
    if (bytes) series().written_bytes.add(bytes->size());
    return bytes;
  }

  std::optional<std::uint64_t> size() const override { return inner_.size(); }

 private:
  io::ByteSource& inner_;
};

}  // namespace

MeteredStore::MeteredStore(std::unique_ptr<ObjectStore> inner)
    : ForwardingStore(*inner), owned_(std::move(inner)) {
  series();
}

MeteredStore::~MeteredStore() = default;

Task<PutResult> MeteredStore::put(Context& ctx, const ObjectRef& ref, io::ByteSource& body,
                                  PutOptions options) {
  CountedBody counted(body);
  co_return co_await timed(Op::put, inner().put(ctx, ref, counted, options));
}

Task<std::unique_ptr<io::ByteSource>> MeteredStore::get(Context& ctx, const ObjectRef& ref,
                                                        std::optional<ByteRange> range) {
  auto source = co_await timed(Op::get, inner().get(ctx, ref, range));
  if (source == nullptr) co_return nullptr;
  co_return std::make_unique<CountingSource>(std::move(source));
}

Task<std::optional<ObjectInfo>> MeteredStore::head(Context& ctx, const ObjectRef& ref) {
  return timed(Op::head, inner().head(ctx, ref));
}

Task<> MeteredStore::remove(Context& ctx, const ObjectRef& ref) {
  return timed(Op::remove, inner().remove(ctx, ref));
}

Task<> MeteredStore::remove_many(Context& ctx, std::vector<ObjectRef> refs) {
  return timed(Op::remove_many, inner().remove_many(ctx, std::move(refs)));
}

Task<PutResult> MeteredStore::copy(Context& ctx, const ObjectRef& from, const ObjectRef& to) {
  return timed(Op::copy, inner().copy(ctx, from, to));
}

Task<ListPage> MeteredStore::list(Context& ctx, std::string_view storage_namespace,
                                  std::string_view prefix, std::string_view after,
                                  std::size_t objects_max) {
  return timed(Op::list, inner().list(ctx, storage_namespace, prefix, after, objects_max));
}

Task<std::string> MeteredStore::create_multipart(Context& ctx, const ObjectRef& ref) {
  return timed(Op::create_multipart, inner().create_multipart(ctx, ref));
}

Task<std::string> MeteredStore::upload_part(Context& ctx, const ObjectRef& ref,
                                            std::string_view upload_id, std::uint32_t number,
                                            io::ByteSource& body, PutOptions options) {
  CountedBody counted(body);
  co_return co_await timed(Op::upload_part,
                           inner().upload_part(ctx, ref, upload_id, number, counted, options));
}

Task<ObjectInfo> MeteredStore::complete_multipart(Context& ctx, const ObjectRef& ref,
                                                  std::string_view upload_id,
                                                  std::vector<Part> parts) {
  return timed(Op::complete_multipart,
               inner().complete_multipart(ctx, ref, upload_id, std::move(parts)));
}

Task<> MeteredStore::abort_multipart(Context& ctx, const ObjectRef& ref,
                                     std::string_view upload_id) {
  return timed(Op::abort_multipart, inner().abort_multipart(ctx, ref, upload_id));
}

Task<std::vector<PartInfo>> MeteredStore::list_parts(Context& ctx, const ObjectRef& ref,
                                                     std::string_view upload_id,
                                                     std::uint32_t after, std::size_t parts_max) {
  return timed(Op::list_parts, inner().list_parts(ctx, ref, upload_id, after, parts_max));
}

}  // namespace tarn::block
