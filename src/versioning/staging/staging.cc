#include "versioning/staging/staging.h"

#include <utility>

#include "base/error.h"
#include "base/random.h"
#include "versioning/staging/staged_codec.h"

namespace tarn::versioning {
namespace {

StagedRecord to_record(std::string stored) {
  const RecordView view = decode_staged(stored);
  std::optional<Value> value;
  if (!view.tombstone) value = view.to_value();
  return {.value = std::move(value), .stored = std::move(stored)};
}

class StagedStream final : public RecordStream {
 public:
  explicit StagedStream(std::unique_ptr<kv::Cursor> cursor) : cursor_(std::move(cursor)) {}

  bool next() override {
    if (!cursor_->next()) return false;
    decode();
    return true;
  }

  Task<bool> fill(Context& ctx) override {
    if (!co_await cursor_->fill(ctx)) co_return false;
    decode();
    co_return true;
  }

  void seek(std::string_view key) override { cursor_->seek(key); }

  const RecordView& record() const override { return record_; }

 private:
  void decode() {
    record_ = decode_staged(cursor_->value());
    if (record_.key != cursor_->key()) {
      throw Error(ErrorCode::corrupt, "staged entry is stored under another key");
    }
  }

  std::unique_ptr<kv::Cursor> cursor_;
  RecordView record_;
};

}  // namespace

std::string make_staging_token(const RepositoryId& repository, const BranchId& branch) {
  return repository.str() + "-" + branch.str() + ":" + make_uuid();
}

std::vector<std::string> staging_tokens(const Branch& branch) {
  std::vector<std::string> tokens;
  tokens.reserve(1 + branch.sealed_tokens.size());
  // Empty in records of branches nothing was ever written to, depending on who made them.
  if (!branch.staging_token.empty()) tokens.push_back(branch.staging_token);
  tokens.insert(tokens.end(), branch.sealed_tokens.begin(), branch.sealed_tokens.end());
  return tokens;
}

Task<std::optional<StagedRecord>> Staging::get(Context& ctx, std::string_view token,
                                               std::string_view key) {
  auto stored = co_await kv_.get(ctx, token, key);
  if (!stored) co_return std::nullopt;
  co_return to_record(*std::move(stored));
}

Task<std::optional<StagedRecord>> Staging::get_first(Context& ctx,
                                                     const std::vector<std::string>& tokens,
                                                     std::string_view key) {
  if (tokens.empty()) co_return std::nullopt;
  if (tokens.size() == 1) co_return co_await get(ctx, tokens.front(), key);
  std::vector<kv::Address> addresses;
  addresses.reserve(tokens.size());
  for (const std::string& token : tokens)
    addresses.push_back({token, std::string(key)});
  for (auto& stored : co_await kv_.get_many(ctx, std::move(addresses))) {
    if (stored) co_return to_record(*std::move(stored));
  }
  co_return std::nullopt;
}

Task<std::vector<std::optional<StagedRecord>>> Staging::get_first_many(
    Context& ctx, const std::vector<std::string>& tokens, const std::vector<std::string>& keys) {
  std::vector<std::optional<StagedRecord>> records(keys.size());
  if (tokens.empty() || keys.empty()) co_return records;
  std::vector<kv::Address> addresses;
  addresses.reserve(tokens.size() * keys.size());
  for (const std::string& key : keys) {
    for (const std::string& token : tokens)
      addresses.push_back({token, key});
  }
  auto found = co_await kv_.get_many(ctx, std::move(addresses));
  for (std::size_t i = 0; i < found.size(); ++i) {
    auto& record = records[i / tokens.size()];
    if (found[i] && !record) record = to_record(*std::move(found[i]));
  }
  co_return records;
}

std::unique_ptr<RecordStream> Staging::open(std::string token, std::uint32_t likely_records) {
  return std::make_unique<StagedStream>(
      kv_.scan(token, {.page_keys = kAllRecords, .likely_keys = likely_records}));
}

kv::Op set_op(const std::string& token, const std::string& key, const Value& value) {
  return kv::Op::set(token, key, encode_staged(key, value.identity, value.data));
}

kv::Op tombstone_op(const std::string& token, const std::string& key) {
  return kv::Op::set(token, key, encode_tombstone(key));
}

kv::Op erase_op(const std::string& token, const std::string& key) {
  return kv::Op::erase(token, key);
}

}  // namespace tarn::versioning
