// The payload of a block: sorted entries with prefix-compressed keys and restart points
// (storage-format.md 3.8). A builder for each kind of block and an iterator that trusts nothing.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tarn::sst {

/// What follows a user key inside data and index blocks: LE64(sequence * 256 + kind).
inline constexpr std::size_t kTrailerBytes = 8;
inline constexpr std::string_view kSetTrailer{"\x01\0\0\0\0\0\0\0", kTrailerBytes};

class BlockBuilder {
 public:
  /// Every `restart_interval`-th key is stored whole.
  explicit BlockBuilder(std::uint32_t restart_interval);

  /// Appends an entry with key `key` ‖ `trailer`; the caller keeps keys ascending. `shared` is how
  /// many of the key's first bytes equal the previous entry's; ignored at a restart.
  void add(std::string_view key, std::string_view trailer, std::size_t shared,
           std::string_view value);

  /// The cut rule of 3.9: whether an entry with these lengths belongs in a new block.
  bool is_full_for(std::size_t key_bytes, std::size_t value_bytes) const;

  /// Bytes of the payload if finished now; 4 for an untouched block.
  std::size_t estimate() const { return bytes_.size() + 4 * restarts_.size() + 4; }

  std::uint32_t entries() const { return entries_; }

  /// Whether finish() would give exactly `payload`.
  bool equals(std::string_view payload) const;

  /// Goes on, before the first add(), from what a builder like this one finished after `entries`
  /// entries.
  void resume(std::string_view payload, std::uint32_t entries);

  /// The payload; lives until reset(), which must come before the next add().
  std::string_view finish();
  void reset();

 private:
  std::string bytes_;
  std::vector<std::uint32_t> restarts_;
  std::uint32_t restart_interval_;
  std::uint32_t until_restart_ = 0;
  std::uint32_t entries_ = 0;
};

enum class KeyForm : std::uint8_t {
  raw,       // properties, metaindex
  internal,  // index: a trailer of any kind follows the user key
  record,    // data: as internal, but only records that set a value are valid
};

/// Walks a decoded payload, which must outlive it and stay where it is. Throws Error{corrupt} for
/// bytes that are no block, whenever it meets them; never reads outside the payload.
class BlockIterator {
 public:
  BlockIterator() = default;
  BlockIterator(std::string_view payload, KeyForm form);

  /// Each moves and says whether it stands on an entry. A new iterator stands on none; next() then
  /// moves to the first.
  bool next();
  bool seek_first();
  /// To the first entry whose key is not less than `key`.
  bool seek_ge(std::string_view key);

  /// Throws unless the restart points are entries in order, the first one included: otherwise
  /// seek_ge() would miss keys that next() finds. Reads the whole block; does not move.
  void check_restarts() const;

  /// Whether next() would return false.
  bool at_end() const { return at_ >= entries_.size(); }

  /// Without trailer; lives until the iterator moves.
  std::string_view key() const { return {key_.data(), key_.size() - trailer_bytes_}; }

  /// What follows the key; "" in a raw block.
  std::string_view trailer() const {
    return {key_.data() + key_.size() - trailer_bytes_, trailer_bytes_};
  }

  /// Lives as long as the payload.
  std::string_view value() const { return value_; }

 private:
  void check_key() const;
  std::string_view restart_key(std::uint32_t restart) const;
  std::uint32_t restart_offset(std::uint32_t restart) const;

  std::string_view entries_;  // the payload without the restart array
  const char* restarts_ = nullptr;
  std::uint32_t restart_count_ = 0;
  std::uint32_t trailer_bytes_ = 0;
  KeyForm form_ = KeyForm::raw;
  std::size_t at_ = 0;  // where the next entry starts
  std::string key_;
  std::string_view value_;
};

/// How many first bytes of `a` and `b` are equal.
std::size_t common_prefix(std::string_view a, std::string_view b);

}  // namespace tarn::sst
