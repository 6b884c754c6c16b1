#include "sst/table_id.h"

#include <charconv>

#include "base/bytes.h"
#include "sst/ident.h"

namespace tarn::sst {

namespace {

constexpr std::size_t kPendingBytes = 16 * 1024;

}  // namespace

TableIdHasher::TableIdHasher() : hasher_(Hasher::Kind::sha256) {
  pending_.reserve(kPendingBytes);
}

void TableIdHasher::add(std::string_view key, std::string_view value) {
  append_counted(key);
  append_counted(value);
}

std::string TableIdHasher::finish(const Properties& properties) {
  flush();
  hasher_.update(IdentEncoder().add_string_map(properties).bytes());
  return to_hex(hasher_.finish());
}

void TableIdHasher::append_counted(std::string_view bytes) {
  constexpr std::size_t kFrameBytesMax = 21;  // decimal length and separator
  if (pending_.size() + kFrameBytesMax + bytes.size() > kPendingBytes) flush();
  char length[20];
  pending_.append(length, std::to_chars(length, length + sizeof length, bytes.size()).ptr);
  if (bytes.size() + kFrameBytesMax > kPendingBytes) {
    flush();
    hasher_.update(bytes);
  } else {
    pending_.append(bytes);
  }
  pending_.push_back('|');
}

void TableIdHasher::flush() {
  hasher_.update(pending_);
  pending_.clear();
}

}  // namespace tarn::sst
