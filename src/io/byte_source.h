// A body being read: request bodies, object contents, files. Pull, in bounded pieces.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/context.h"
#include "base/task.h"

namespace tarn::io {

/// What send_some() did.
struct Sent {
  enum class Stop : std::uint8_t {
    turn_over,    // there may be room for more: ask again
    full,         // the socket takes no more until it can be written to again
    peer_gone,    // nor ever will
    unsupported,  // read() has to do it
  };
  std::uint64_t bytes = 0;
  Stop stop = Stop::turn_over;
};

/// Single consumer. Destroying it early is allowed and releases what it holds.
class ByteSource {
 public:
  virtual ~ByteSource() = default;

  /// The next piece, valid until the next call; empty at the end (and again if called after it).
  /// Throws Error when the bytes cannot be had or do not verify (a broken upload, a bad checksum):
  /// whoever stores the bytes must then discard what it has.
  virtual Task<std::string_view> read(Context& ctx) = 0;

  /// In place of read(), and before it: all the bytes, where they are in memory as a whole and may
  /// be kept for longer than a piece. Null where they have to be read.
  virtual std::shared_ptr<const std::string> whole() { return nullptr; }

  /// Whether the bytes are a file's, and many enough to be worth send_some(). size() is known then.
  virtual bool can_send() const { return false; }

  /// In place of read(): lets the kernel move some of the next bytes to `socket`, without a copy
  /// through this process. The socket must not block, and stay open until this returns, on
  /// whichever thread that uses it; a peer that has gone may raise SIGPIPE. Both ways of reading
  /// may be mixed: each goes on where the other stopped. Throws what read() throws, also where
  /// bytes are missing that size() promised; no more than size() are ever sent.
  virtual Task<Sent> send_some(Context& ctx, int socket);

  /// Total bytes this source will yield, if known before reading.
  virtual std::optional<std::uint64_t> size() const = 0;

 protected:
  ByteSource() = default;
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;
};

/// A source over a string, its own or one that others read as well.
class StringSource final : public ByteSource {
 public:
  explicit StringSource(std::string bytes)
      : bytes_(std::make_shared<const std::string>(std::move(bytes))) {}

  explicit StringSource(std::shared_ptr<const std::string> bytes) : bytes_(std::move(bytes)) {}

  Task<std::string_view> read(Context& ctx) override;

  std::shared_ptr<const std::string> whole() override { return bytes_; }

  std::optional<std::uint64_t> size() const override { return bytes_->size(); }

 private:
  const std::shared_ptr<const std::string> bytes_;  // shared with who asked for the whole
  bool done_ = false;
};

/// Reads everything, at most `bytes_max`; throws Error{too_large} beyond it.
Task<std::string> read_all(Context& ctx, ByteSource& source, std::uint64_t bytes_max);

}  // namespace tarn::io
