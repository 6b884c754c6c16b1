// Files that are being written and have no name yet that anyone could read them by.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "block/fs/files.h"

namespace tarn::block::fs {

class TempFile;

/// One directory of this process's own below <root>/.tarn/tmp, locked for as long as it lives:
/// directories whose lock is free are leftovers of dead processes. Thread-safe, blocking.
class TempSpace {
 public:
  /// Removes leftovers and makes the directory. `parent` is the directory of all processes' ones
  /// and must outlive this. Throws.
  TempSpace(Files& files, int parent, std::uint64_t bytes_max, bool sync);
  /// Removes the directory; every TempFile is gone by then.
  ~TempSpace();
  TempSpace(const TempSpace&) = delete;
  TempSpace& operator=(const TempSpace&) = delete;

  std::unique_ptr<TempFile> create();

  /// Bytes that unfinished files hold or have announced.
  std::uint64_t bytes() const { return bytes_; }

  int directory() const { return directory_.get(); }

 private:
  friend class TempFile;
  void reserve(std::uint64_t bytes);  // throws Error{storage_full}

  void release(std::uint64_t bytes) { bytes_ -= bytes; }

  void remove_leftovers();

  Files& files_;
  int parent_;
  const std::uint64_t bytes_max_;
  const bool sync_;
  std::string name_;
  Fd directory_;
  std::atomic<std::uint64_t> bytes_ = 0;
  std::atomic<std::uint64_t> next_ = 0;
};

/// Written from front to back, then published under its real name, or removed when destroyed.
/// Blocking; one thread at a time. Must not outlive its TempSpace unless published or discarded.
class TempFile {
 public:
  ~TempFile() { discard(); }

  TempFile(const TempFile&) = delete;
  TempFile& operator=(const TempFile&) = delete;

  /// Announces that `bytes` in all will come: fails early when they cannot fit.
  void expect(std::uint64_t bytes);
  void append(std::string_view bytes);
  /// Appends `count` bytes of another file from `at`, inside the kernel where it can.
  void append_from(int from, std::uint64_t at, std::uint64_t count);
  /// Makes the bytes durable; nothing may be appended after it.
  void finish();
  /// Gives it its name in `directory`, replacing what had it. False if the directory is gone.
  bool publish(int directory, const std::string& name);
  /// Removes it. Idempotent, does not throw.
  void discard() noexcept;

  std::uint64_t size() const { return size_; }

  int fd() const { return fd_.get(); }

 private:
  friend class TempSpace;

  TempFile(TempSpace& space, std::string name, Fd fd)
      : space_(space), name_(std::move(name)), fd_(std::move(fd)) {}

  void grow_to(std::uint64_t bytes);
  void start_writeback();

  TempSpace& space_;
  std::string name_;  // empty once published or discarded
  Fd fd_;
  std::uint64_t size_ = 0, reserved_ = 0, written_back_ = 0;
};

}  // namespace tarn::block::fs
