// What the operations of FsObjectStore share: included by its .cc files only.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "block/address.h"
#include "block/fs/directory_syncer.h"
#include "block/fs/fs_object_store.h"
#include "block/fs/pieces.h"
#include "block/fs/temp_space.h"
#include "block/fs/uploads.h"
#include "block/fs/volume.h"
#include "block/gate.h"
#include "io/blocking_pool.h"

namespace tarn::block {

struct FsObjectStore::State {
  State(FsConfig settings, io::BlockingPool& jobs, fs::Files& files);

  /// A file that has its name, and the directory to sync before anyone is told.
  struct Published {
    std::uint64_t size = 0;
    fs::PartStamp stamp;
    fs::DirectoryPtr directory;
  };

  /// Where `ref` may be read; where it may be written: only below the root. Throw.
  LocalPath readable(const ObjectRef& ref) const;
  LocalPath writable(const ObjectRef& ref) const;

  /// Stores a body durably under a path below the root.
  Task<Published> store(Context& ctx, std::string path, io::ByteSource& body, PutOptions options);
  /// In one job: the last piece, acceptance, publication and the directory's sync. A null file is
  /// made there.
  Task<Published> finish(Context& ctx, std::shared_ptr<fs::TempFile> file,
                         std::shared_ptr<fs::Buffer> last, PutOptions options, std::string path);
  /// Writes the body behind `first` to `file`, which it publishes as `path`.
  Task<Published> stream_and_publish(Context& ctx, fs::Pieces& pieces,
                                     std::shared_ptr<fs::Buffer> first,
                                     std::shared_ptr<fs::TempFile> file, PutOptions options,
                                     std::string path);
  /// Reads on while the pool hashes and writes. Returns the last piece, not yet written.
  Task<std::shared_ptr<fs::Buffer>> stream(Context& ctx, fs::Pieces& pieces,
                                           std::shared_ptr<fs::Buffer> first,
                                           std::shared_ptr<fs::TempFile> file, Digests* digests);
  /// Appends a whole file, a bounded piece per job.
  Task<> append(Context& ctx, std::shared_ptr<fs::TempFile> file, fs::OpenFilePtr source);
  Task<Published> copy_and_publish(Context& ctx, std::shared_ptr<fs::TempFile> file,
                                   fs::OpenFilePtr source, std::string path);
  Task<Published> join_and_publish(Context& ctx, std::shared_ptr<fs::TempFile> file,
                                   LocalPath target, std::string upload_id,
                                   std::vector<fs::FoundPart> parts);
  Task<std::shared_ptr<fs::TempFile>> create_temp(Context& ctx, std::uint64_t bytes_expected);
  /// Publishes and syncs.
  Task<Published> publish(Context& ctx, std::shared_ptr<fs::TempFile> file, std::string path);
  Task<> sync(fs::DirectoryPtr directory);
  /// Awaits `work`; if it fails, `file` is gone before the failure goes on.
  Task<Published> or_discard(Task<Published> work, std::shared_ptr<fs::TempFile> file);

  /// Blocking: for pool jobs.
  Published publish_now(fs::TempFile& file, const std::string& path);

  const FsConfig config;
  io::BlockingPool& pool;
  fs::Volume volume;
  fs::Uploads uploads{volume};
  fs::DirectorySyncer syncer;
  std::shared_ptr<fs::BufferPool> buffers = std::make_shared<fs::BufferPool>();
  Gate gate;
  StoreInfo info;
};

}  // namespace tarn::block
