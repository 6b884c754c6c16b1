#include "testing/postgres_trouble.h"

#include <algorithm>
#include <mutex>
#include <optional>

#include "testing/cutting_proxy.h"
#include "testing/postgres_cluster.h"

namespace tarn::testing {

namespace {

/// Finds where messages of PostgreSQL's protocol begin and end in a stream that comes in pieces.
class Messages {
 public:
  /// `untyped`: the first message has no type (a client's).
  explicit Messages(bool untyped) : untyped_(untyped) {}

  /// Calls `seen(type, begin, end)` for each message that ends in `bytes`; `begin` is 0 for one
  /// that began before them. Type 0: the first of a client.
  template <class Seen>
  void feed(std::string_view bytes, Seen seen) {
    std::size_t begin = 0;
    for (std::size_t at = 0; at < bytes.size();) {
      if (left_ == 0) {
        if (head_.empty()) begin = at;
        const std::size_t wanted = untyped_ ? 4 : 5;
        head_ += bytes[at++];
        if (head_.size() < wanted) continue;
        left_ = length() - 4;
      }
      const std::size_t step = std::min(left_, bytes.size() - at);
      at += step;
      left_ -= step;
      if (left_ > 0) continue;
      const char type = untyped_ ? '\0' : head_.front();
      head_.clear();
      untyped_ = false;
      seen(type, begin, at);
      begin = at;
    }
  }

 private:
  std::size_t length() const {
    std::size_t number = 0;
    for (const char byte : std::string_view(head_).substr(head_.size() - 4))
      number = number << 8 | static_cast<unsigned char>(byte);
    return std::max<std::size_t>(number, 4);
  }

  bool untyped_;
  std::string head_;
  std::size_t left_ = 0;
};

}  // namespace

struct PostgresTrouble::Impl {
  class Rule;

  explicit Impl(std::string socket);

  mutable std::mutex mutex;
  std::uint64_t countdown = 0;  // guarded by mutex, as is what follows
  Fault fault = Fault::before;
  bool stays = false;
  bool struck = false;
  bool dead = false;
  CuttingProxy proxy;
};

class PostgresTrouble::Impl::Rule final : public StreamRule {
 public:
  explicit Rule(Impl& owner) : owner_(owner) {}

  Verdict on_request(std::string_view bytes) override {
    const std::lock_guard lock(owner_.mutex);
    if (owner_.dead) return {.pass = 0, .cut = !hit_};  // what was hit is cut with its answer
    Verdict verdict{.pass = bytes.size()};
    requests_.feed(bytes, [&](char type, std::size_t begin, std::size_t) {
      if (type != 'S' && type != 'Q') return;
      ++syncs_;
      if (owner_.countdown == 0 || --owner_.countdown != 0) return;
      owner_.struck = true;
      owner_.dead = owner_.stays;
      if (owner_.fault == Fault::before) {
        verdict = {.pass = begin, .cut = true};
      } else {
        hit_ = syncs_;
      }
    });
    return verdict;
  }

  Verdict on_answer(std::string_view bytes) override {
    const std::lock_guard lock(owner_.mutex);
    const std::uint64_t ready_before = ready_;
    std::size_t earlier_end = bytes.size();
    std::optional<std::size_t> last_word;
    answers_.feed(bytes, [&](char type, std::size_t begin, std::size_t end) {
      if (type != 'Z') return;
      // The first is the greeting, which nobody asked for with a Sync.
      const std::uint64_t answered = ready_++;
      if (!hit_) return;
      if (answered + 1 == *hit_) earlier_end = end;
      if (answered == *hit_) last_word = begin;
    });
    if (!hit_) return {.pass = owner_.dead ? 0 : bytes.size(), .cut = owner_.dead};
    if (owner_.fault == Fault::torn) {
      return {.pass = last_word.value_or(bytes.size()), .cut = last_word.has_value()};
    }
    return {.pass = ready_before >= *hit_ ? 0 : earlier_end, .cut = last_word.has_value()};
  }

 private:
  Impl& owner_;
  Messages requests_{true};
  Messages answers_{false};
  std::uint64_t syncs_ = 0;
  std::uint64_t ready_ = 0;
  std::optional<std::uint64_t> hit_;  // which Sync of this connection
};

PostgresTrouble::Impl::Impl(std::string socket)
    : proxy(std::move(socket), [this]() -> std::unique_ptr<StreamRule> {
        const std::lock_guard lock(mutex);
        if (dead) return nullptr;
        return std::make_unique<Rule>(*this);
      }) {}

PostgresTrouble::PostgresTrouble(const PostgresCluster& cluster)
    : impl_(std::make_unique<Impl>(cluster.socket_path())) {}

PostgresTrouble::~PostgresTrouble() = default;

std::string PostgresTrouble::connection_string(std::string_view database) const {
  return "host=" + impl_->proxy.directory() +
         " port=5432 user=tarn dbname=" + std::string(database);
}

void PostgresTrouble::fail_nth(std::uint64_t n, Fault fault) {
  const std::lock_guard lock(impl_->mutex);
  impl_->countdown = n;
  impl_->fault = fault;
  impl_->stays = impl_->struck = impl_->dead = false;
}

void PostgresTrouble::fail_from(std::uint64_t n, Fault fault) {
  const std::lock_guard lock(impl_->mutex);
  impl_->countdown = n;
  impl_->fault = fault;
  impl_->stays = true;
  impl_->struck = impl_->dead = false;
}

void PostgresTrouble::heal() {
  const std::lock_guard lock(impl_->mutex);
  impl_->countdown = 0;
  impl_->dead = false;
}

bool PostgresTrouble::struck() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->struck;
}

std::size_t PostgresTrouble::connections() const {
  return impl_->proxy.connections();
}

}  // namespace tarn::testing
