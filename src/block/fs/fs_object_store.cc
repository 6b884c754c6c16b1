#include "block/fs/fs_object_store.h"

#include <algorithm>
#include <cerrno>
#include <exception>
#include <utility>

#include <fcntl.h>

#include <boost/asio/this_coro.hpp>
#include <sys/statvfs.h>

#include "base/error.h"
#include "block/fs/fs_store_state.h"
#include "block/fs/walk.h"
#include "block/part_list.h"

namespace tarn::block {

using fs::Buffer;
using fs::kPieceBytes;
using fs::OpenFilePtr;
using fs::TempFile;

namespace {

constexpr std::uint64_t kCopyBytesPerJob = 64ULL << 20;
constexpr std::size_t kWholeBytesMax = 24 * 1024;      // read by the job that opens
constexpr std::size_t kSendBytesPerTurn = 1ULL << 20;  // a reader must not hold a thread for long
constexpr std::size_t kListObjectsMax = 10'000;
constexpr std::uint64_t kRoomBytesMin = 1ULL << 20;  // with less, the store calls itself full

LocalRoots roots_of(const FsConfig& config) {
  const auto absolute = [](const std::string& path) {
    if (!path.starts_with('/')) {
      throw Error(ErrorCode::invalid_argument, "block store paths must be absolute: " + path);
    }
    return clean_path(path);
  };
  LocalRoots roots{absolute(config.root), {}};
  std::ranges::transform(config.allowed_external_prefixes,
                         std::back_inserter(roots.external_prefixes), absolute);
  return roots;
}

[[noreturn]] void throw_shorter() {
  throw Error(ErrorCode::corrupt, "an object became shorter while it was read");
}

/// Fills `buffer` with the `count` bytes at `at`; they are there, or the file was tampered with.
void read_exactly(fs::Files& files, const fs::OpenFile& file, char* out, std::size_t count,
                  std::uint64_t at) {
  if (fs::read_some(files, file.fd.get(), out, count, at) != count) throw_shorter();
}

/// What the job that opens an object brings back: a small object whole.
struct Opened {
  OpenFilePtr file;
  Span span;
  std::optional<std::string> whole;
};

/// Has the kernel send up to `count` bytes; stops early when the socket is full.
io::Sent send_blocking(fs::Files& files, const fs::OpenFile& file, int socket, std::uint64_t at,
                       std::size_t count) {
  ssize_t bytes = 0;
  do {
    bytes = files.send(socket, file.fd.get(), at, count);
  } while (bytes < 0 && errno == EINTR);
  if (bytes == 0) throw_shorter();
  if (bytes > 0) {
    const auto sent = static_cast<std::size_t>(bytes);
    return {.bytes = sent, .stop = sent < count ? io::Sent::Stop::full : io::Sent::Stop::turn_over};
  }
  switch (errno) {
    case EAGAIN: return {.stop = io::Sent::Stop::full};
    case EPIPE:
    case ECONNRESET:
    case ENOTCONN:
    case ETIMEDOUT: return {.stop = io::Sent::Stop::peer_gone};
    case EINVAL:
    case ENOSYS:
    case EOPNOTSUPP: return {.stop = io::Sent::Stop::unsupported};
    default: fs::throw_errno(errno, "send");
  }
}

class FileSource final : public io::ByteSource {
 public:
  FileSource(io::BlockingPool& pool, fs::Files& files, fs::BufferPool& buffers, Opened opened)
      : pool_(pool),
        files_(files),
        buffers_(buffers),
        file_(std::move(opened.file)),
        size_(opened.span.count),
        at_(opened.span.first),
        left_(opened.span.count) {}

  Task<std::string_view> read(Context& ctx) override {
    if (left_ == 0) {
      buffer_.reset();
      file_.reset();
      co_return std::string_view();
    }
    if (buffer_ == nullptr) buffer_ = buffers_.take();
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(left_, kPieceBytes));
    co_await pool_.run(ctx, [&files = files_, file = file_, buffer = buffer_, count, at = at_] {
      read_exactly(files, *file, buffer->bytes.get(), count, at);
      buffer->size = count;
    });
    take(count);
    co_return buffer_->view();
  }

  bool can_send() const override { return true; }

  // On the pool where the file has to come from the disk first, and from then on: what is read
  // ahead comes from there as well. Otherwise two threads would hand it over for nothing.
  Task<io::Sent> send_some(Context& ctx, int socket) override {
    if (left_ == 0) co_return io::Sent{};
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(left_, kSendBytesPerTurn));
    if (!may_wait_) may_wait_ = !files_.is_cached(file_->fd.get(), at_, count);
    io::Sent sent;
    if (may_wait_) {
      sent = co_await pool_.run(ctx, [&files = files_, file = file_, socket, count, at = at_] {
        return send_blocking(files, *file, socket, at, count);
      });
    } else {
      sent = send_blocking(files_, *file_, socket, at_, count);
    }
    take(sent.bytes);
    co_return sent;
  }

  std::optional<std::uint64_t> size() const override { return size_; }

 private:
  void take(std::uint64_t bytes) {
    at_ += bytes;
    left_ -= bytes;
  }

  io::BlockingPool& pool_;
  fs::Files& files_;
  fs::BufferPool& buffers_;
  OpenFilePtr file_;
  std::shared_ptr<Buffer> buffer_;  // once something was read
  std::uint64_t size_, at_, left_;
  bool may_wait_ = !file_->on_local_disk;
};

Opened open_object(fs::Volume& volume, const LocalPath& path,
                   const std::optional<ByteRange>& range) {
  Opened opened;
  opened.file = volume.open_file(path);
  if (opened.file == nullptr) return opened;
  opened.span = clamp_range(range, opened.file->size);
  const auto [first, count] = opened.span;
  if (count <= kWholeBytesMax) {
    // libstdc++ 12 passes the grown capacity as the size: use the one we asked for.
    const auto wanted = static_cast<std::size_t>(count);
    opened.whole.emplace().resize_and_overwrite(wanted, [&](char* to, std::size_t) {
      read_exactly(volume.files(), *opened.file, to, wanted, first);
      return wanted;
    });
    return opened;
  }
  ::posix_fadvise(opened.file->fd.get(), static_cast<off_t>(first), static_cast<off_t>(count),
                  POSIX_FADV_SEQUENTIAL);
  // A disk that cannot be read is noticed while an answer can still say so.
  char byte = 0;
  read_exactly(volume.files(), *opened.file, &byte, 1, first);
  return opened;
}

}  // namespace

FsObjectStore::State::State(FsConfig settings, io::BlockingPool& jobs, fs::Files& files)
    : config(std::move(settings)),
      pool(jobs),
      volume(files, roots_of(config), config.temp_bytes_max, config.sync),
      syncer(files, jobs),
      info{.type = "local",
           .namespace_regex = "^local://",
           .namespace_example = "local://example-bucket/",
           .default_namespace_prefix = config.default_namespace_prefix,
           .presign_support = false,
           .import_support = config.import_enabled} {}

LocalPath FsObjectStore::State::readable(const ObjectRef& ref) const {
  auto path = resolve_local(volume.roots(), ref);
  if (!path) throw Error(ErrorCode::invalid_argument, std::move(path.error().message));
  return *std::move(path);
}

LocalPath FsObjectStore::State::writable(const ObjectRef& ref) const {
  auto path = readable(ref);
  if (path.base != 0) {
    throw Error(ErrorCode::invalid_argument, "objects outside the store's root are read-only");
  }
  return path;
}

Task<> FsObjectStore::State::sync(fs::DirectoryPtr directory) {
  if (config.sync) co_await syncer.sync(std::move(directory));
}

FsObjectStore::State::Published FsObjectStore::State::publish_now(TempFile& file,
                                                                  const std::string& path) {
  try {
    struct ::stat status = {};
    if (volume.files().fstat(file.fd(), &status) != 0) fs::throw_errno(errno, "stat");
    auto directory = volume.publish(file, path);
    return {file.size(), fs::Uploads::stamp_of(status), std::move(directory)};
  } catch (...) {
    file.discard();  // here and not on the event loop, where the last owner may be
    throw;
  }
}

Task<FsObjectStore::State::Published> FsObjectStore::State::store(Context& ctx, std::string path,
                                                                  io::ByteSource& body,
                                                                  PutOptions options) {
  const auto announced = body.size();
  if (announced > options.bytes_max) throw Error(ErrorCode::too_large, "object is too large");
  fs::Pieces pieces(body, options.bytes_max);
  auto first = buffers->take();
  co_await pieces.fill(ctx, *first);
  if (!pieces.ended()) {
    auto file = co_await create_temp(ctx, announced.value_or(0));
    co_return co_await or_discard(
        stream_and_publish(ctx, pieces, std::move(first), file, options, std::move(path)), file);
  }
  co_return co_await finish(ctx, nullptr, std::move(first), std::move(options), std::move(path));
}

Task<FsObjectStore::State::Published> FsObjectStore::State::finish(Context& ctx,
                                                                   std::shared_ptr<TempFile> file,
                                                                   std::shared_ptr<Buffer> last,
                                                                   PutOptions options,
                                                                   std::string path) {
  return pool.run_until_told<Published>(
      ctx, [this, file = std::move(file), last = std::move(last), options = std::move(options),
            path = std::move(path)](io::Callback<Published> told) mutable {
        Published done;
        try {
          if (options.digests != nullptr) options.digests->update(last->view());
          if (options.accept) options.accept();
          if (file == nullptr) file = volume.temp().create();
          file->append(last->view());
          done = publish_now(*file, path);
        } catch (...) {
          auto failure = std::current_exception();
          if (file != nullptr) file->discard();
          told(std::move(failure), {});
          return;
        }
        last.reset();
        if (!config.sync) {
          told(nullptr, std::move(done));
          return;
        }
        fs::DirectoryPtr directory = done.directory;
        syncer.sync_here(std::move(directory), [told = std::move(told), done = std::move(done)](
                                                   std::exception_ptr error, char) mutable {
          told(std::move(error), std::move(done));
        });
      });
}

Task<FsObjectStore::State::Published> FsObjectStore::State::stream_and_publish(
    Context& ctx, fs::Pieces& pieces, std::shared_ptr<Buffer> first, std::shared_ptr<TempFile> file,
    PutOptions options, std::string path) {
  auto last = co_await stream(ctx, pieces, std::move(first), file, options.digests);
  co_return co_await finish(ctx, std::move(file), std::move(last), std::move(options),
                            std::move(path));
}

Task<FsObjectStore::State::Published> FsObjectStore::State::copy_and_publish(
    Context& ctx, std::shared_ptr<TempFile> file, OpenFilePtr source, std::string path) {
  co_await append(ctx, file, std::move(source));
  co_return co_await publish(ctx, std::move(file), std::move(path));
}

Task<std::shared_ptr<Buffer>> FsObjectStore::State::stream(Context& ctx, fs::Pieces& pieces,
                                                           std::shared_ptr<Buffer> full,
                                                           std::shared_ptr<TempFile> file,
                                                           Digests* digests) {
  auto spare = buffers->take();
  fs::StartedJob job;
  std::exception_ptr failure;
  try {
    while (!pieces.ended()) {
      ctx.check_deadline();
      co_await job.wait();
      job = fs::StartedJob(pool, [file, full, digests] {
        if (digests != nullptr) digests->update(full->view());
        file->append(full->view());
      });
      // Bytes that are all at hand, such as a range file's, need no buffer.
      for (auto large = pieces.take_large(); !large.empty(); large = pieces.take_large()) {
        co_await job.wait();
        job = fs::StartedJob(pool, [file, large, digests] {
          if (digests != nullptr) digests->update(large);
          file->append(large);
        });
        co_await job.wait();
        ctx.check_deadline();
      }
      std::swap(full, spare);
      full->size = 0;
      co_await pieces.fill(ctx, *full);
    }
    co_await job.wait();
  } catch (...) {
    failure = std::current_exception();
  }
  if (!failure) co_return full;
  // The job still uses the caller's digests: a cancelled coroutine, too, must wait for its end.
  co_await boost::asio::this_coro::throw_if_cancelled(false);
  try {
    co_await job.wait();
  } catch (const Error&) {
    // The first failure is the one to tell.
  }
  co_await boost::asio::this_coro::throw_if_cancelled(true);
  std::rethrow_exception(failure);
}

Task<std::shared_ptr<TempFile>> FsObjectStore::State::create_temp(Context& ctx,
                                                                  std::uint64_t bytes_expected) {
  return pool.run(ctx, [this, bytes_expected] {
    std::shared_ptr<TempFile> file = volume.temp().create();
    file->expect(bytes_expected);
    return file;
  });
}

Task<> FsObjectStore::State::append(Context& ctx, std::shared_ptr<TempFile> file,
                                    OpenFilePtr source) {
  for (std::uint64_t at = 0; at < source->size; at += kCopyBytesPerJob) {
    const auto count = std::min(source->size - at, kCopyBytesPerJob);
    co_await pool.run(
        ctx, [file, source, at, count] { file->append_from(source->fd.get(), at, count); });
  }
}

Task<FsObjectStore::State::Published> FsObjectStore::State::publish(Context& ctx,
                                                                    std::shared_ptr<TempFile> file,
                                                                    std::string path) {
  auto done = co_await pool.run(ctx, [this, file, path] { return publish_now(*file, path); });
  co_await sync(done.directory);
  co_return done;
}

Task<FsObjectStore::State::Published> FsObjectStore::State::or_discard(
    Task<Published> work, std::shared_ptr<TempFile> file) {
  std::exception_ptr failure;
  try {
    co_return co_await std::move(work);
  } catch (...) {
    failure = std::current_exception();
  }
  // On the pool, since removing a large file takes a while; cancelled or expired or not.
  co_await boost::asio::this_coro::throw_if_cancelled(false);
  Context unlimited;
  try {
    co_await pool.run(unlimited, [file] { file->discard(); });
  } catch (const Error&) {
    file->discard();  // the pool's queue is full
  }
  co_await boost::asio::this_coro::throw_if_cancelled(true);
  std::rethrow_exception(failure);
}

FsObjectStore::FsObjectStore(std::unique_ptr<State> state) : state_(std::move(state)) {}

FsObjectStore::~FsObjectStore() = default;

Task<std::unique_ptr<FsObjectStore>> FsObjectStore::open(Context& ctx, FsConfig config,
                                                         io::BlockingPool& pool, fs::Files* files) {
  fs::Files& calls = files != nullptr ? *files : fs::system_files();
  auto state = co_await pool.run(ctx, [&pool, &calls, settings = std::move(config)]() mutable {
    return std::make_unique<State>(std::move(settings), pool, calls);
  });
  co_return std::unique_ptr<FsObjectStore>(new FsObjectStore(std::move(state)));
}

Task<PutResult> FsObjectStore::put(Context& ctx, const ObjectRef& ref, io::ByteSource& body,
                                   PutOptions options) {
  const auto pass = state_->gate.enter();
  auto target = state_->writable(ref);
  const auto done = co_await state_->store(ctx, std::move(target.path), body, options);
  co_return PutResult{done.size};
}

Task<std::unique_ptr<io::ByteSource>> FsObjectStore::get(Context& ctx, const ObjectRef& ref,
                                                         std::optional<ByteRange> range) {
  const auto pass = state_->gate.enter();
  auto opened = co_await state_->pool.run(ctx, [this, path = state_->readable(ref), range] {
    return open_object(state_->volume, path, range);
  });
  if (opened.file == nullptr) co_return nullptr;
  if (opened.whole) co_return std::make_unique<io::StringSource>(*std::move(opened.whole));
  co_return std::make_unique<FileSource>(state_->pool, state_->volume.files(), *state_->buffers,
                                         std::move(opened));
}

Task<std::optional<ObjectInfo>> FsObjectStore::head(Context& ctx, const ObjectRef& ref) {
  const auto pass = state_->gate.enter();
  const auto found = co_await state_->pool.run(
      ctx, [this, path = state_->readable(ref)] { return state_->volume.stat_file(path); });
  if (!found) co_return std::nullopt;
  co_return ObjectInfo{found->size, found->modified, {}};
}

void FsObjectStore::check(const ObjectRef& ref) const {
  static_cast<void>(state_->readable(ref));
}

Task<> FsObjectStore::remove(Context& ctx, const ObjectRef& ref) {
  const auto pass = state_->gate.enter();
  co_await state_->pool.run(
      ctx, [this, target = state_->writable(ref)] { state_->volume.remove_file(target.path); });
}

Task<PutResult> FsObjectStore::copy(Context& ctx, const ObjectRef& from, const ObjectRef& to) {
  const auto pass = state_->gate.enter();
  auto target = state_->writable(to);
  auto source = co_await state_->pool.run(
      ctx, [this, path = state_->readable(from)] { return state_->volume.open_file(path); });
  if (source == nullptr) {
    throw Error(ErrorCode::data_missing, "the object to copy does not exist");
  }
  auto file = co_await state_->create_temp(ctx, source->size);
  const auto done = co_await state_->or_discard(
      state_->copy_and_publish(ctx, file, std::move(source), std::move(target.path)), file);
  co_return PutResult{done.size};
}

Task<ListPage> FsObjectStore::list(Context& ctx, std::string_view storage_namespace,
                                   std::string_view prefix, std::string_view after,
                                   std::size_t objects_max) {
  const auto pass = state_->gate.enter();
  auto place = resolve_local_namespace(state_->volume.roots(), storage_namespace,
                                       state_->config.import_enabled);
  if (!place) throw Error(ErrorCode::invalid_argument, std::move(place.error().message));
  co_return co_await state_->pool.run(
      ctx,
      [this, place = *std::move(place), wanted = std::string(prefix), above = std::string(after),
       count = std::min(objects_max, kListObjectsMax), deadline = ctx.deadline()] {
        const auto top = state_->volume.open_directory(place);
        if (!top) return ListPage{};
        return fs::walk(state_->volume.files(), top.get(),
                        {.prefix = wanted,
                         .after = above,
                         .objects_max = count,
                         .hide_private = place.base == 0 && place.path.empty(),
                         .deadline = deadline});
      });
}

std::string FsObjectStore::display_address(const ObjectRef& ref) const {
  return display_local(state_->volume.roots().root, ref);
}

const StoreInfo& FsObjectStore::info() const {
  return state_->info;
}

Task<> FsObjectStore::probe(Context& ctx) {
  const auto pass = state_->gate.enter();
  co_await state_->pool.run(ctx, [this] {
    struct ::stat root{};
    fs::Volume& volume = state_->volume;
    if (volume.files().fstat(volume.root(), &root) != 0) {
      fs::throw_errno(errno, "the root directory cannot be read");
    }
    if (root.st_nlink == 0) throw Error(ErrorCode::unavailable, "the root directory is gone");
    struct ::statvfs disk{};
    if (::fstatvfs(volume.root(), &disk) != 0) return;
    if ((disk.f_flag & ST_RDONLY) != 0) fs::throw_errno(EROFS, "probe");
    const bool no_inodes = disk.f_files > 0 && disk.f_favail == 0;
    if (no_inodes || disk.f_bavail * disk.f_frsize < kRoomBytesMin) {
      fs::throw_errno(ENOSPC, "probe");
    }
  });
}

Task<> FsObjectStore::close() {
  return state_->gate.close();
}

}  // namespace tarn::block
