// The multipart operations of FsObjectStore.
#include <cerrno>
#include <utility>

#include "base/bytes.h"
#include "base/error.h"
#include "base/log.h"
#include "block/fs/fs_object_store.h"
#include "block/fs/fs_store_state.h"
#include "block/part_list.h"

namespace tarn::block {

namespace {

using fs::FoundPart;

/// Part files stand in the directory of a namespace, which a full address does not have.
void refuse_full(const ObjectRef& ref) {
  if (is_full(ref)) {
    throw Error(ErrorCode::invalid_argument,
                "multipart uploads need an address relative to its storage namespace");
  }
}

/// The part as a file, whose MD5 is computed if nobody remembers it. Throws if it is gone.
FoundPart identify(fs::Volume& volume, fs::Uploads& uploads, const LocalPath& target,
                   const std::string& id, std::uint32_t number, Context::Deadline deadline) {
  auto part = uploads.part(target, id, number);
  if (!part) throw_bad_part(number);
  if (!part->md5.empty()) return *std::move(part);
  const auto file = volume.open_file({0, fs::Uploads::part_path(target, id, number), {}});
  if (file == nullptr) throw_bad_part(number);
  FoundPart found{number, fs::Uploads::stamp_of(*file), {}};
  found.md5 = fs::Uploads::compute_md5(volume.files(), *file, deadline);
  uploads.remember(id, found);
  return found;
}

/// The same file that was identified, or Error: it was replaced meanwhile.
fs::OpenFilePtr open_part(fs::Volume& volume, const LocalPath& target, const std::string& id,
                          const FoundPart& part) {
  auto file = volume.open_file({0, fs::Uploads::part_path(target, id, part.number), {}});
  if (file == nullptr || fs::Uploads::stamp_of(*file) != part.stamp) throw_bad_part(part.number);
  return file;
}

}  // namespace

Task<FsObjectStore::State::Published> FsObjectStore::State::join_and_publish(
    Context& ctx, std::shared_ptr<fs::TempFile> file, LocalPath target, std::string upload_id,
    std::vector<FoundPart> parts) {
  for (const FoundPart& part : parts) {
    auto source = co_await pool.run(ctx, [this, target, upload_id, part] {
      return open_part(volume, target, upload_id, part);
    });
    co_await append(ctx, file, std::move(source));
  }
  co_return co_await publish(ctx, std::move(file), std::move(target.path));
}

Task<std::string> FsObjectStore::create_multipart(Context& ctx, const ObjectRef& ref) {
  const auto pass = state_->gate.enter();
  refuse_full(ref);
  co_return co_await state_->pool.run(
      ctx, [this, target = state_->writable(ref)] { return state_->uploads.create(target); });
}

Task<std::string> FsObjectStore::upload_part(Context& ctx, const ObjectRef& ref,
                                             std::string_view upload_id, std::uint32_t number,
                                             io::ByteSource& body, PutOptions options) {
  const auto pass = state_->gate.enter();
  refuse_full(ref);
  check_part_number(number);
  const auto target = state_->writable(ref);
  const std::string id(upload_id);
  const bool begun_here = co_await state_->pool.run(
      ctx, [this, target, id] { return state_->uploads.require(target, id); });
  Digests own;
  if (options.digests == nullptr) options.digests = &own;
  const auto path = fs::Uploads::part_path(target, id, number);
  const auto done = co_await state_->store(ctx, path, body, options);
  FoundPart part{number, done.stamp, options.digests->finish_md5()};
  co_await state_->pool.run(ctx, [this, target, id, part, path, begun_here] {
    if (!state_->uploads.still_there(target, id, begun_here)) {
      state_->volume.remove_file(path);  // completed or aborted while the part came in
      throw_upload_not_found();
    }
    state_->uploads.remember(id, part);
  });
  co_return to_hex(part.md5);
}

Task<ObjectInfo> FsObjectStore::complete_multipart(Context& ctx, const ObjectRef& ref,
                                                   std::string_view upload_id,
                                                   std::vector<Part> parts) {
  const auto pass = state_->gate.enter();
  refuse_full(ref);
  State& state = *state_;
  const auto target = state.writable(ref);
  const std::string id(upload_id);
  co_await state.pool.run(ctx, [&state, target, id] { return state.uploads.require(target, id); });
  check_part_list(parts);

  std::vector<FoundPart> found;
  std::vector<std::string> md5s;
  std::uint64_t size = 0;
  for (const Part& part : parts) {
    found.push_back(co_await state.pool.run(
        ctx, [&state, target, id, number = part.number, deadline = ctx.deadline()] {
          return identify(state.volume, state.uploads, target, id, number, deadline);
        }));
    if (!part_etag_matches(part.etag, found.back().md5)) throw_bad_part(part.number);
    md5s.push_back(found.back().md5);
    size += found.back().stamp.size;
  }

  if (found.size() == 1) {
    auto directory = co_await state.pool.run(ctx, [&state, target, id, part = found.front()] {
      const auto file = open_part(state.volume, target, id, part);
      // The reference does not flush its parts.
      if (state.config.sync && state.volume.files().sync_data(file->fd.get()) != 0) {
        fs::throw_errno(errno, "sync");
      }
      fs::DirectoryPtr opened;
      if (!state.volume.rename(fs::Uploads::part_path(target, id, part.number), target.path,
                               opened)) {
        throw_bad_part(part.number);
      }
      return opened;
    });
    co_await state.sync(std::move(directory));
  } else {
    const auto file = co_await state.create_temp(ctx, size);
    co_await state.or_discard(state.join_and_publish(ctx, file, target, id, std::move(found)),
                              file);
  }

  // The object is there: nothing after this may make the completion fail.
  Context unlimited;
  auto modified = co_await state.pool.run(unlimited, [&state, target, id] {
    const auto info = state.volume.stat_file(target);
    try {
      state.uploads.forget(target, id);
    } catch (const Error& error) {
      log::warn("parts of a completed upload could not be removed", {{"error", error.message()}});
    }
    return info ? info->modified : SystemClock().now();
  });
  co_return ObjectInfo{size, modified, joined_etag(md5s)};
}

Task<> FsObjectStore::abort_multipart(Context& ctx, const ObjectRef& ref,
                                      std::string_view upload_id) {
  const auto pass = state_->gate.enter();
  refuse_full(ref);
  co_await state_->pool.run(ctx,
                            [this, target = state_->writable(ref), id = std::string(upload_id)] {
                              state_->uploads.forget(target, id);
                            });
}

Task<std::vector<PartInfo>> FsObjectStore::list_parts(Context& ctx, const ObjectRef& ref,
                                                      std::string_view upload_id,
                                                      std::uint32_t after, std::size_t parts_max) {
  const auto pass = state_->gate.enter();
  refuse_full(ref);
  State& state = *state_;
  const auto target = state.writable(ref);
  const std::string id(upload_id);
  const auto found = co_await state.pool.run(ctx, [&state, target, id, after, parts_max] {
    state.uploads.require(target, id);
    return state.uploads.parts(target, id, after, parts_max);
  });
  std::vector<PartInfo> page;
  for (FoundPart part : found) {
    if (part.md5.empty()) {
      part = co_await state.pool.run(
          ctx, [&state, target, id, number = part.number, deadline = ctx.deadline()] {
            return identify(state.volume, state.uploads, target, id, number, deadline);
          });
    }
    page.push_back({part.number, to_hex(part.md5), part.stamp.size, part.stamp.modified});
  }
  co_return page;
}

}  // namespace tarn::block
