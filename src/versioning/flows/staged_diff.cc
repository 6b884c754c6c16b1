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
  std::optional<Value> left;
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
    for (;;) {
      if (!pending_tree_ && !trees_ended_) {
        if (!trees_->next()) return false;
        pending_tree_ = trees_->difference();
      }
      const bool have_change = position_ < batch_.size();
      if (!have_change && !changes_ended_) return false;
      if (!have_change && !pending_tree_) return false;  // the end
      if (!have_change || (pending_tree_ && pending_tree_->key < batch_[position_].key)) {
        current_ = *std::exchange(pending_tree_, std::nullopt);
        return true;
      }
      Change& change = batch_[position_++];
      // Staging decides at its keys, whatever the trees say.
      if (pending_tree_ && pending_tree_->key == change.key) pending_tree_.reset();
      if (take_difference(change)) return true;
    }
  }

  Task<bool> fill(Context& ctx) override {
    while (!next()) {
      if (!pending_tree_ && !trees_ended_) {
        trees_ended_ = !co_await trees_->fill(ctx);
        if (!trees_ended_) pending_tree_ = trees_->difference();
      } else if (!changes_ended_) {
        co_await read_batch(ctx);
      } else {
        co_return false;
      }
    }
    co_return true;
  }

  void seek(std::string_view key) override {
    batch_.clear();
    position_ = 0;
    pending_tree_.reset();
    trees_ended_ = trees_ == nullptr;
    changes_ended_ = false;
    if (trees_ != nullptr) trees_->seek(key);
    changes_->seek(key);
  }

  const Difference& difference() const override { return current_; }

 private:
  Task<> read_batch(Context& ctx) {
    batch_.clear();
    position_ = 0;
    while (batch_.size() < batch_size_) {
      if (!changes_->next() && !co_await changes_->fill(ctx)) {
        changes_ended_ = true;
        break;
      }
      const RecordView& record = changes_->record();
      batch_.push_back({std::string(record.key),
                        record.tombstone ? std::nullopt : std::optional(record.to_value()),
                        std::nullopt});
    }
    batch_size_ = kBatch;
    std::vector<std::string> keys;
    keys.reserve(batch_.size());
    for (const Change& change : batch_)
      keys.push_back(change.key);
    auto left = co_await engine_.committed.get_many(ctx, storage_namespace_, left_, keys);
    for (std::size_t i = 0; i < batch_.size(); ++i)
      batch_[i].left = std::move(left[i]);
  }

  /// False: the change makes no difference to the left tree.
  bool take_difference(Change& change) {
    if (!change.value) {
      if (!change.left) return false;
      current_ = {DiffType::removed, std::move(change.key), *std::move(change.left)};
      return true;
    }
    if (change.left && change.left->identity == change.value->identity) return false;
    const DiffType type = change.left ? DiffType::changed : DiffType::added;
    current_ = {type, std::move(change.key), *std::move(change.value)};
    return true;
  }

  EngineParts& engine_;
  const std::string storage_namespace_;
  const MetaRangeId left_;
  std::unique_ptr<DiffStream> trees_;
  std::unique_ptr<RecordStream> changes_;
  std::optional<Difference> pending_tree_;
  bool trees_ended_ = trees_ == nullptr;
  bool changes_ended_ = false;
  std::size_t batch_size_ = kFirstBatch;
  std::vector<Change> batch_;  // looked up in the left tree; given out from position_ on
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
