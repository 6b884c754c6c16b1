#include "versioning/staging/combined_stream.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>

#include "io/sync.h"

namespace tarn::versioning {
namespace {

constexpr std::size_t kYieldEvery = 500;

/// Each stream is in one of three places: in the heap, standing on a record that has not come out
/// yet; among those behind, to be moved on before the next record can be chosen; or at its end.
class CombinedStream final : public RecordStream {
 public:
  CombinedStream(std::vector<std::unique_ptr<RecordStream>> streams, Tombstones tombstones)
      : streams_(std::move(streams)), drop_tombstones_(tombstones == Tombstones::drop) {
    for (std::size_t i = 0; i < streams_.size(); ++i)
      behind_.push_back(i);
  }

  bool next() override {
    passed_ = true;
    while (true) {
      while (!behind_.empty()) {
        if (!streams_[behind_.back()]->next()) return false;
        raise();
      }
      if (heap_.empty()) return false;
      passed_ = !choose();
      if (!passed_) return true;
    }
  }

  Task<bool> fill(Context& ctx) override {
    passed_ = true;
    for (std::size_t round = 1;; ++round) {
      while (!behind_.empty()) {
        RecordStream& stream = *streams_[behind_.back()];
        if (stream.next() || co_await stream.fill(ctx)) {
          raise();
        } else {
          behind_.pop_back();
        }
      }
      if (heap_.empty()) co_return false;
      passed_ = !choose();
      if (!passed_) co_return true;
      if (round % kYieldEvery == 0) {
        ctx.check_deadline();
        co_await io::yield();
      }
    }
  }

  void seek(std::string_view key) override {
    // A stream in the heap stands on its first record after position_, hence also on its first at
    // or after `key` if that lies in between. Ended streams have nothing further on.
    const bool forward = positioned_ && (passed_ ? key > position_ : key >= position_);
    std::vector<std::size_t> kept;
    std::vector<bool> moved(streams_.size(), !forward);
    for (const std::size_t i : behind_)
      moved[i] = true;
    for (const std::size_t i : heap_) {
      if (forward && streams_[i]->record().key >= key) {
        kept.push_back(i);
      } else {
        moved[i] = true;
      }
    }
    behind_.clear();
    for (std::size_t i = 0; i < streams_.size(); ++i) {
      if (!moved[i]) continue;
      streams_[i]->seek(key);
      behind_.push_back(i);
    }
    heap_ = std::move(kept);
    std::ranges::make_heap(heap_, after());
    position_ = key;
    positioned_ = true;
    passed_ = false;
  }

  const RecordView& record() const override { return *record_; }

 private:
  /// Orders the heap: least key on top, of equal keys the earliest stream.
  struct After {
    const std::vector<std::unique_ptr<RecordStream>>* streams;

    bool operator()(std::size_t a, std::size_t b) const {
      const int order = (*streams)[a]->record().key.compare((*streams)[b]->record().key);
      return order != 0 ? order > 0 : a > b;
    }
  };

  After after() const { return {&streams_}; }

  void raise() {
    heap_.push_back(behind_.back());
    behind_.pop_back();
    std::ranges::push_heap(heap_, after());
  }

  std::size_t pop() {
    std::ranges::pop_heap(heap_, after());
    const std::size_t top = heap_.back();
    heap_.pop_back();
    behind_.push_back(top);
    return top;
  }

  /// Takes the least record and drops its older versions; all of them are to be moved on next.
  /// False: the record is not to be seen.
  bool choose() {
    record_ = &streams_[pop()]->record();
    while (!heap_.empty() && streams_[heap_.front()]->record().key == record_->key)
      pop();
    position_ = record_->key;
    positioned_ = true;
    return !record_->tombstone || !drop_tombstones_;
  }

  std::vector<std::unique_ptr<RecordStream>> streams_;
  bool drop_tombstones_;
  std::vector<std::size_t> heap_;
  std::vector<std::size_t> behind_;
  const RecordView* record_ = nullptr;
  std::string position_;  // key last chosen or sought
  bool positioned_ = false;
  bool passed_ = false;  // streams may stand beyond position_ itself
};

class EmptyStream final : public RecordStream {
 public:
  bool next() override { return false; }

  Task<bool> fill(Context&) override { co_return false; }

  void seek(std::string_view) override {}

  const RecordView& record() const override { return record_; }

 private:
  RecordView record_;
};

}  // namespace

std::unique_ptr<RecordStream> combine(std::vector<std::unique_ptr<RecordStream>> newest_first,
                                      Tombstones tombstones) {
  if (newest_first.empty()) return empty_stream();
  if (newest_first.size() == 1 && tombstones == Tombstones::keep) {
    return std::move(newest_first.front());
  }
  return std::make_unique<CombinedStream>(std::move(newest_first), tombstones);
}

std::unique_ptr<RecordStream> empty_stream() {
  return std::make_unique<EmptyStream>();
}

}  // namespace tarn::versioning
