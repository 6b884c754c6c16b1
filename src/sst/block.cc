#include "sst/block.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/error.h"
#include "sst/varint.h"

namespace tarn::sst {

namespace {

constexpr std::size_t kTargetBytes = 4'096;
constexpr std::size_t kThresholdBytes = (kTargetBytes * 90 + 99) / 100;
constexpr std::uint32_t kRestartBytes = 4;
constexpr unsigned char kSetKind = 1;

[[noreturn]] void throw_corrupt(const char* what) {
  throw Error(ErrorCode::corrupt, std::string("table block: ") + what);
}

struct EntryView {
  std::uint64_t shared;
  std::string_view unshared;
  std::string_view value;
};

// Parses the entry at `at`; returns the position after it.
std::size_t parse_entry(std::string_view entries, std::size_t at, EntryView& entry) {
  const char* from = entries.data() + at;
  const char* const end = entries.data() + entries.size();
  std::uint64_t unshared;
  std::uint64_t value;
  if (end - from >= 3 && ((from[0] | from[1] | from[2]) & 0x80) == 0) {
    entry.shared = static_cast<unsigned char>(from[0]);
    unshared = static_cast<unsigned char>(from[1]);
    value = static_cast<unsigned char>(from[2]);
    from += 3;
  } else {
    from = get_uvarint(from, end, entry.shared);
    if (from != nullptr) from = get_uvarint(from, end, unshared);
    if (from != nullptr) from = get_uvarint(from, end, value);
    if (from == nullptr) throw_corrupt("broken entry header");
  }
  const auto room = static_cast<std::uint64_t>(end - from);
  if (unshared > room || value > room - unshared) throw_corrupt("entry passes the end");
  entry.unshared = {from, static_cast<std::size_t>(unshared)};
  entry.value = {from + unshared, static_cast<std::size_t>(value)};
  return static_cast<std::size_t>(from - entries.data()) + unshared + value;
}

}  // namespace

std::size_t common_prefix(std::string_view a, std::string_view b) {
  const std::size_t size = std::min(a.size(), b.size());
  std::size_t i = 0;
  for (; i + 8 <= size; i += 8) {
    const std::uint64_t differing = load_le64(a.data() + i) ^ load_le64(b.data() + i);
    if (differing != 0) return i + static_cast<std::size_t>(std::countr_zero(differing)) / 8;
  }
  while (i < size && a[i] == b[i])
    ++i;
  return i;
}

BlockBuilder::BlockBuilder(std::uint32_t restart_interval) : restart_interval_(restart_interval) {
  bytes_.reserve(kTargetBytes + kTargetBytes / 4);
}

void BlockBuilder::add(std::string_view key, std::string_view trailer, std::size_t shared,
                       std::string_view value) {
  if (until_restart_ == 0) {
    restarts_.push_back(static_cast<std::uint32_t>(bytes_.size()));
    until_restart_ = restart_interval_;
    shared = 0;
  }
  --until_restart_;
  ++entries_;
  char header[3 * kUvarintBytesMax];
  char* end = put_uvarint(header, shared);
  end = put_uvarint(end, key.size() + trailer.size() - shared);
  end = put_uvarint(end, value.size());
  bytes_.append(header, end);
  bytes_.append(key.substr(shared));
  bytes_.append(trailer);
  bytes_.append(value);
}

bool BlockBuilder::is_full_for(std::size_t key_bytes, std::size_t value_bytes) const {
  if (entries_ == 0) return false;
  std::size_t size = estimate();
  if (size >= kTargetBytes) return true;
  if (size <= kThresholdBytes) return false;
  size += key_bytes + value_bytes;
  if (until_restart_ == 0) size += kRestartBytes;
  size += 4;  // the reference's allowance for the shared length
  size += uvarint_length(key_bytes) + uvarint_length(value_bytes);
  return size > kTargetBytes;
}

bool BlockBuilder::equals(std::string_view payload) const {
  if (entries_ == 0 || payload.size() != estimate() || !payload.starts_with(bytes_)) return false;
  const char* restart = payload.data() + bytes_.size();
  for (const std::uint32_t offset : restarts_) {
    if (load_le32(restart) != offset) return false;
    restart += kRestartBytes;
  }
  return load_le32(restart) == restarts_.size();
}

void BlockBuilder::resume(std::string_view payload, std::uint32_t entries) {
  TARN_ASSERT(entries_ == 0 && entries > 0);
  const std::size_t room = payload.size() - kRestartBytes;
  const std::size_t restarts = load_le32(payload.data() + room);
  const std::size_t size = room - restarts * kRestartBytes;
  bytes_.assign(payload.substr(0, size));
  restarts_.clear();
  for (std::size_t i = 0; i < restarts; ++i)
    restarts_.push_back(load_le32(payload.data() + size + i * kRestartBytes));
  entries_ = entries;
  until_restart_ = (restart_interval_ - entries % restart_interval_) % restart_interval_;
}

std::string_view BlockBuilder::finish() {
  if (restarts_.empty()) restarts_.push_back(0);
  for (const std::uint32_t offset : restarts_)
    append_le32(bytes_, offset);
  append_le32(bytes_, static_cast<std::uint32_t>(restarts_.size()));
  return bytes_;
}

void BlockBuilder::reset() {
  bytes_.clear();
  restarts_.clear();
  until_restart_ = 0;
  entries_ = 0;
}

BlockIterator::BlockIterator(std::string_view payload, KeyForm form)
    : trailer_bytes_(form == KeyForm::raw ? 0 : kTrailerBytes), form_(form) {
  if (payload.size() < kRestartBytes) throw_corrupt("too short");
  const std::size_t room = payload.size() - kRestartBytes;
  restart_count_ = load_le32(payload.data() + room);
  if (restart_count_ == 0 || restart_count_ > room / kRestartBytes) {
    throw_corrupt("impossible number of restarts");
  }
  entries_ = payload.substr(0, room - std::size_t{restart_count_} * kRestartBytes);
  restarts_ = payload.data() + entries_.size();
  key_.assign(trailer_bytes_, '\0');
}

bool BlockIterator::next() {
  if (at_ >= entries_.size()) return false;
  EntryView entry;
  const std::size_t after = parse_entry(entries_, at_, entry);
  // Before the first entry, key_ holds what stands for "no key": nothing to share.
  if (entry.shared > (at_ == 0 ? 0 : key_.size())) throw_corrupt("shares more than there is");
  key_.resize(entry.shared);
  key_.append(entry.unshared);
  check_key();
  value_ = entry.value;
  at_ = after;
  return true;
}

bool BlockIterator::seek_first() {
  at_ = 0;
  return next();
}

bool BlockIterator::seek_ge(std::string_view key) {
  if (entries_.empty()) return false;
  // The last restart whose key is less than `key`, else the first one.
  std::uint32_t low = 0;
  std::uint32_t high = restart_count_;
  while (high - low > 1) {
    const std::uint32_t middle = low + (high - low) / 2;
    (restart_key(middle) < key ? low : high) = middle;
  }
  at_ = restart_offset(low);
  key_.clear();  // a restart shares nothing: next() refuses one that claims to
  while (next()) {
    if (this->key() >= key) return true;
  }
  return false;
}

void BlockIterator::check_restarts() const {
  if (entries_.empty()) return;
  std::uint32_t met = 0;
  for (std::size_t at = 0; at < entries_.size();) {
    EntryView entry;
    const std::size_t after = parse_entry(entries_, at, entry);
    if (met < restart_count_ && restart_offset(met) == at) {
      if (entry.shared != 0) throw_corrupt("restart with a shared key");
      ++met;
    }
    if (met == 0) break;
    at = after;
  }
  if (met != restart_count_) throw_corrupt("restart between entries");
}

void BlockIterator::check_key() const {
  if (key_.size() < trailer_bytes_) throw_corrupt("key without a trailer");
  if (form_ == KeyForm::record &&
      static_cast<unsigned char>(key_[key_.size() - kTrailerBytes]) != kSetKind) {
    throw_corrupt("record of an unknown kind");
  }
}

std::uint32_t BlockIterator::restart_offset(std::uint32_t restart) const {
  const std::uint32_t offset = load_le32(restarts_ + std::size_t{restart} * kRestartBytes);
  if (offset >= entries_.size()) throw_corrupt("restart outside the block");
  return offset;
}

std::string_view BlockIterator::restart_key(std::uint32_t restart) const {
  EntryView entry;
  parse_entry(entries_, restart_offset(restart), entry);
  if (entry.shared != 0) throw_corrupt("restart with a shared key");
  if (entry.unshared.size() < trailer_bytes_) throw_corrupt("key without a trailer");
  return entry.unshared.substr(0, entry.unshared.size() - trailer_bytes_);
}

}  // namespace tarn::sst
