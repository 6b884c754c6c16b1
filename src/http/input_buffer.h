// Bytes received and not yet used. Memory moves only in prepare(), which is not called while a
// request's views point into it.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

namespace tarn::http {

class InputBuffer {
 public:
  std::string_view data() const { return {bytes_.get() + begin_, end_ - begin_}; }

  bool empty() const { return begin_ == end_; }

  void consume(std::size_t count) { begin_ += count; }

  /// Room for at least one byte after data(), growing by doubling from 8 KiB. Callers bound data().
  std::span<char> prepare();

  void commit(std::size_t count) { end_ += count; }

  /// Replaces data(). `rest` may point into this buffer.
  void assign(std::string_view rest);

 private:
  void move_to(std::size_t capacity);

  std::unique_ptr<char[]> bytes_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace tarn::http
