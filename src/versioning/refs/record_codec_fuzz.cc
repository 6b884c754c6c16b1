// Records of repositories, branches, tags, commits and settings, and staged ones, from a database
// that may hold anything.
#include "base/error.h"
#include "testing/fuzz.h"
#include "versioning/refs/record_codec.h"
#include "versioning/staging/staged_codec.h"

namespace tarn::fuzz {

namespace {

using namespace versioning;

/// What decodes can be written, and comes back as the same record.
template <class Decode, class Encode>
void check_codec(std::string_view input, Decode decode, Encode encode) {
  std::string stored;
  try {
    stored = encode(decode(input));
  } catch (const Error& error) {
    TARN_ASSERT(error.code() == ErrorCode::corrupt);
    return;
  }
  TARN_ASSERT(encode(decode(stored)) == stored);
}

void check_staged(std::string_view input) {
  RecordView record;
  try {
    record = decode_staged(input);
  } catch (const Error& error) {
    TARN_ASSERT(error.code() == ErrorCode::corrupt);
    return;
  }
  TARN_ASSERT(record.key.size() + record.identity.size() + record.data.size() <= input.size());
  if (record.tombstone) {
    TARN_ASSERT(record.identity.empty());
    const std::string stored = encode_tombstone(record.key);
    TARN_ASSERT(decode_staged(stored).key == record.key && decode_staged(stored).tombstone);
  } else if (!record.identity.empty()) {
    const std::string stored = encode_staged(record.key, record.identity, record.data);
    const RecordView again = decode_staged(stored);
    TARN_ASSERT(!again.tombstone && again.key == record.key &&
                again.to_value() == record.to_value());
  }
}

}  // namespace

void run(std::string_view input) {
  switch (take_byte(input) % 7) {
    case 0: check_staged(input); break;
    case 1: check_codec(input, decode_repository, encode_repository); break;
    case 2: check_codec(input, decode_branch, encode_branch); break;
    case 3: check_codec(input, decode_tag, encode_tag); break;
    case 4:
      check_codec(input, decode_commit, encode_commit);
      try {
        TARN_ASSERT(compute_commit_id(decode_commit(input)).str().size() == 64);
      } catch (const Error& error) {
        TARN_ASSERT(error.code() == ErrorCode::corrupt);
      }
      break;
    case 5: check_codec(input, decode_repo_metadata, encode_repo_metadata); break;
    default: check_codec(input, decode_protection_rules, encode_protection_rules);
  }
}

}  // namespace tarn::fuzz
