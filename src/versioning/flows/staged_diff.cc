#include "versioning/flows/staged_diff.h"

#include <optional>
#include <utility>
#include <vector>

namespace tarn::versioning {

namespace {

// Staged records are looked up in the left tree a batch at a time: small first, since most callers
// want one page or only whether there is anything.
constexpr std::size_t kFirstBatch = 32;
constexpr std::size_t kBatch = 512;

struct Change {
  std::string key;
  std::optional<Value> value;  // nullopt: tombstone
};

class OverlayDiff final : public DiffStream {
 public:
  OverlayDiff(EngineParts& engine, std::string storage_namespace, MetaRangeId left,
              std::unique_ptr<DiffStream> trees, std::unique_ptr<RecordStream> changes)
      : engine_(engine),
        storage_namespace_(std::move(storage_namespace)),
        left_(std::move(left)),
        trees_(std::move(trees)),
        changes_(std::move(changes)) {}

  bool next() override {
    if (position_ >= batch_.size()) return false;
    current_ = std::move(batch_[position_++]);
    return true;
  }

  Task<bool> fill(Context& ctx) override {
    while (position_ >= batch_.size()) {
      if (changes_ended_ && trees_ended()) co_return false;
      co_await read_batch(ctx);
    }
    co_return next();
  }

  void seek(std::string_view key) override {
    batch_.clear();
    position_ = 0;
    pending_tree_.reset();
    trees_ended_ = false;
    changes_ended_ = false;
    if (trees_ != nullptr) trees_->seek(key);
    changes_->seek(key);
  }

  const Difference& difference() const override { return current_; }

 private:
  bool trees_ended() const { return trees_ == nullptr || (trees_ended_ && !pending_tree_); }

  Task<> read_batch(Context& ctx) {
    batch_.clear();
    position_ = 0;
    std::vector<Change> changes;
    while (changes.size() < batch_size_) {
      if (!changes_->next() && !co_await changes_->fill(ctx)) {
        changes_ended_ = true;
        break;
      }
      const RecordView& record = changes_->record();
      changes.push_back({std::string(record.key),
                         record.tombstone ? std::nullopt : std::optional(record.to_value())});
    }
    batch_size_ = kBatch;
    std::vector<std::string> keys;
    keys.reserve(changes.size());
    for (const Change& change : changes)
      keys.push_back(change.key);
    auto left = co_await engine_.committed.get_many(ctx, storage_namespace_, left_, keys);
    for (std::size_t i = 0; i < changes.size(); ++i) {
      co_await take_trees_before(ctx, &changes[i].key);
      add(std::move(changes[i]), std::move(left[i]));
    }
    if (changes_ended_) co_await take_trees_before(ctx, nullptr);
  }

  /// Moves tree differences below `key` into the batch, and drops one at `key`: staging decides
  /// there. Without a key, takes up to a batch of what is left.
  Task<> take_trees_before(Context& ctx, const std::string* key) {
    if (trees_ == nullptr) co_return;
    while (key != nullptr || batch_.size() < kBatch) {
      if (!pending_tree_) {
        if (trees_ended_) co_return;
        if (!trees_->next() && !co_await trees_->fill(ctx)) {
          trees_ended_ = true;
          co_return;
        }
        pending_tree_ = trees_->difference();
      }
      if (key != nullptr && pending_tree_->key > *key) co_return;
      const bool overlaid = key != nullptr && pending_tree_->key == *key;
      if (!overlaid) batch_.push_back(*std::move(pending_tree_));
      pending_tree_.reset();
      if (overlaid) co_return;
    }
  }

  void add(Change change, std::optional<Value> left) {
    if (!change.value) {
      if (left) batch_.push_back({DiffType::removed, std::move(change.key), *std::move(left)});
    } else if (!left) {
      batch_.push_back({DiffType::added, std::move(change.key), *std::move(change.value)});
    } else if (left->identity != change.value->identity) {
      batch_.push_back({DiffType::changed, std::move(change.key), *std::move(change.value)});
    }
  }

  EngineParts& engine_;
  const std::string storage_namespace_;
  const MetaRangeId left_;
  std::unique_ptr<DiffStream> trees_;
  std::unique_ptr<RecordStream> changes_;
  std::optional<Difference> pending_tree_;
  bool trees_ended_ = false;
  bool changes_ended_ = false;
  std::size_t batch_size_ = kFirstBatch;
  std::vector<Difference> batch_;
  std::size_t position_ = 0;
  Difference current_;
};

}  // namespace

std::unique_ptr<DiffStream> overlay_diff(EngineParts& engine, std::string storage_namespace,
                                         MetaRangeId left, std::unique_ptr<DiffStream> trees,
                                         std::unique_ptr<RecordStream> changes) {
  return std::make_unique<OverlayDiff>(engine, std::move(storage_namespace), std::move(left),
                                       std::move(trees), std::move(changes));
}

}  // namespace tarn::versioning
