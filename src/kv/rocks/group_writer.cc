#include "kv/rocks/group_writer.h"

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include <pthread.h>

#include <rocksdb/write_batch.h>
#include <sys/statvfs.h>

#include "base/error.h"
#include "base/log.h"
#include "kv/rocks/rocks_status.h"
#include "kv/rocks/row_key.h"

namespace tarn::kv {
namespace {

constexpr std::chrono::milliseconds kRoomInterval{10};
constexpr std::chrono::milliseconds kFlushBeginMax{1'000};
constexpr std::chrono::milliseconds kResumeUsual{1'000};

struct SizeClass {
  std::size_t ops_max;
  std::string_view label;
};

constexpr std::array<SizeClass, 6> kSizeClasses = {
    {{1, "1"}, {4, "2-4"}, {16, "5-16"}, {64, "17-64"}, {256, "65-256"}, {~0UL, "257+"}}};

/// Counts batches by size: an operator sees whether writes get grouped.
void count_batch(std::size_t ops) {
  static const auto series = [] {
    std::array<metrics::Counter*, kSizeClasses.size()> made{};
    for (std::size_t i = 0; i < made.size(); ++i) {
      made[i] = &metrics::counter("tarn_kv_rocks_batches_total", "Write batches by rows in them",
                                  {{"rows", kSizeClasses[i].label}});
    }
    return made;
  }();
  std::size_t index = 0;
  while (ops > kSizeClasses[index].ops_max)
    ++index;
  series[index]->add();
}

std::size_t bytes_of(const std::vector<Op>& ops) {
  std::size_t bytes = 0;
  for (const Op& op : ops) {
    bytes += sizeof(Op) + op.address.partition.size() + op.address.key.size() + op.value.size();
    if (op.expect) bytes += op.expect->stored().size();
    if (op.guarded) bytes += op.guarded->stored.size();
  }
  return bytes;
}

}  // namespace

/// The batch being put together, readable: the newest value of a row is here or in the database.
class GroupWriter::Batch {
 public:
  explicit Batch(rocksdb::DB& db) : db_(db) {}

  /// Decides and records one step. The op's value must outlive the batch. Throws on a failed read.
  OpResult apply(const Op& op, bool& touched) {
    std::string row = row_key(op.address.partition, op.address.key);
    OpResult result;
    if (op.guarded) {
      const std::string guard = row_key(op.guarded->guard.partition, op.guarded->guard.key);
      result.stored = read(guard, touched) == std::string_view(op.guarded->stored);
      if (!result.stored) return result;
    }
    switch (op.kind) {
      case Op::Kind::get: {
        const auto value = read(row, touched);
        if (value) result.found.emplace(*value);
        return result;
      }
      case Op::Kind::set_if: {
        result.stored = holds(*op.expect, read(row, touched));
        if (!result.stored) return result;
        put(std::move(row), op.value, touched);
        return result;
      }
      case Op::Kind::set: put(std::move(row), op.value, touched); return result;
      case Op::Kind::erase: erase(std::move(row), touched); return result;
    }
    std::unreachable();
  }

  rocksdb::WriteBatch& writes() { return writes_; }

 private:
  /// The view is valid until the next call.
  std::optional<std::string_view> read(const std::string& row, bool& touched) {
    if (const auto pending = pending_.find(row); pending != pending_.end()) {
      touched = true;
      return pending->second;
    }
    buffer_.Reset();
    const rocksdb::Status status =
        db_.Get(rocksdb::ReadOptions(), db_.DefaultColumnFamily(), row, &buffer_);
    if (status.IsNotFound()) return std::nullopt;
    if (!status.ok()) throw to_error(status);
    return std::string_view(buffer_.data(), buffer_.size());
  }

  void put(std::string row, std::string_view value, bool& touched) {
    check(writes_.Put(row, rocksdb::Slice(value.data(), value.size())));
    pending_.insert_or_assign(std::move(row), value);
    touched = true;
  }

  void erase(std::string row, bool& touched) {
    check(writes_.Delete(row));
    pending_.insert_or_assign(std::move(row), std::nullopt);
    touched = true;
  }

  static void check(const rocksdb::Status& status) {
    if (!status.ok()) throw to_error(status);
  }

  rocksdb::DB& db_;
  rocksdb::WriteBatch writes_;
  std::unordered_map<std::string, std::optional<std::string_view>> pending_;
  rocksdb::PinnableSlice buffer_;
};

GroupWriter::GroupWriter(rocksdb::DB& db, std::shared_ptr<RocksWatch> watch,
                         const RocksConfig& config, bool log_works)
    : db_(db),
      watch_(std::move(watch)),
      config_(config),
      log_works_(log_works),
      queue_gauge_(metrics::gauge("tarn_kv_rocks_queue_ops", "Steps waiting to be written")),
      sync_seconds_(
          metrics::histogram("tarn_kv_rocks_sync_seconds", "Writing and syncing one batch")),
      thread_([this]() noexcept { work(); }) {
  ::pthread_setname_np(thread_.native_handle(), "kv-writer");
}

GroupWriter::~GroupWriter() {
  stop();
}

void GroupWriter::submit(std::vector<Op> ops, Context::Deadline deadline, Done done) {
  const std::size_t bytes = bytes_of(ops);
  std::exception_ptr refused;
  {
    std::lock_guard lock(mutex_);
    refused = refusal(ops.size(), bytes);
    if (!refused) {
      queued_ops_ += ops.size();
      queued_bytes_ += bytes;
      queue_gauge_.add(static_cast<std::int64_t>(ops.size()));
      queue_.push_back(Job{std::move(ops), deadline, std::move(done), bytes});
    }
  }
  if (refused) {
    done(refused, {});
  } else {
    wake_.notify_one();
  }
}

std::exception_ptr GroupWriter::refusal(std::size_t ops, std::size_t bytes) const {
  if (stopping_) {
    return std::make_exception_ptr(Error(ErrorCode::unavailable, "metadata store is closed"));
  }
  const bool full =
      queued_ops_ + ops > config_.queue_ops_max || queued_bytes_ + bytes > config_.queue_bytes_max;
  if (full && !queue_.empty()) {
    return std::make_exception_ptr(Error(ErrorCode::unavailable, "metadata write queue is full"));
  }
  return nullptr;
}

void GroupWriter::stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
  recovery_.reset();
}

void GroupWriter::work() {
  while (true) {
    std::vector<Job> jobs = take();
    if (jobs.empty()) return;
    commit(jobs);
    for (Job& job : jobs) {
      if (job.error) job.results.clear();
      job.done(std::move(job.error), std::move(job.results));
    }
  }
}

std::vector<GroupWriter::Job> GroupWriter::take() {
  std::vector<Job> jobs;
  std::size_t ops = 0;
  std::size_t bytes = 0;
  std::unique_lock lock(mutex_);
  wake_.wait(lock, [this] { return !queue_.empty() || stopping_; });
  while (!queue_.empty()) {
    const Job& next = queue_.front();
    const bool fits = ops + next.ops.size() <= config_.batch_ops_max &&
                      bytes + next.bytes <= config_.batch_bytes_max;
    if (!fits && !jobs.empty()) break;
    ops += next.ops.size();
    bytes += next.bytes;
    jobs.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  queued_ops_ -= ops;
  queued_bytes_ -= bytes;
  queue_gauge_.add(-static_cast<std::int64_t>(ops));
  return jobs;
}

void GroupWriter::commit(std::vector<Job>& jobs) {
  Batch batch(db_);
  std::exception_ptr failed;
  try {
    check_healthy();
    for (Job& job : jobs)
      decide(job, batch);
    if (batch.writes().Count() > 0) write(batch);
  } catch (...) {
    failed = std::current_exception();
  }
  if (!failed) return;
  for (Job& job : jobs) {
    // What was decided without the batch stands; the rest rests on writes that failed.
    const bool answered =
        !job.ops.empty() && !job.needs_batch && job.results.size() == job.ops.size();
    if (!job.error && !answered) job.error = failed;
  }
}

void GroupWriter::decide(Job& job, Batch& batch) const {
  try {
    if (job.deadline != Context::kNoDeadline && Context::SteadyClock::now() >= job.deadline) {
      throw Error(ErrorCode::deadline_exceeded, "deadline exceeded in the write queue");
    }
    job.results.reserve(job.ops.size());
    if (job.ops.empty()) check_room();
    for (const Op& op : job.ops)
      job.results.push_back(batch.apply(op, job.needs_batch));
  } catch (...) {
    // A row that cannot be read fails its own job, not its neighbours. The steps before it stay in
    // the batch: a write that throws may have happened.
    job.error = std::current_exception();
  }
}

void GroupWriter::check_room() const {
  struct ::statvfs disk = {};
  if (::statvfs(config_.directory.c_str(), &disk) != 0) return;
  if ((disk.f_flag & ST_RDONLY) != 0) {
    throw Error(ErrorCode::unavailable, "the file system of the metadata is read-only");
  }
  if (disk.f_bavail * disk.f_frsize >= config_.room_bytes_min) return;
  throw Error(ErrorCode::storage_full, "no space left for metadata");
}

void GroupWriter::write(Batch& batch) {
  rocksdb::WriteOptions options;
  options.sync = config_.sync;
  count_batch(batch.writes().Count());
  const auto begin = Context::SteadyClock::now();
  if (begin - room_checked_ >= kRoomInterval) {
    check_room();
    room_checked_ = begin;
  }
  const std::uint64_t log_failures = watch_->log_failures();
  const rocksdb::Status status = db_.Write(options, &batch.writes());
  sync_seconds_.observe(Context::SteadyClock::now() - begin);
  if (status.ok()) {
    log_works_ = true;
    return flush_when_due();
  }
  needs_restart_ = !log_works_ && watch_->log_failures() > log_failures;
  failure_ = std::make_exception_ptr(to_error(status));
  resume_tried_ = Context::SteadyClock::now();
  std::rethrow_exception(failure_);
}

void GroupWriter::flush_when_due() {
  std::uint64_t bytes = 0;
  db_.GetIntProperty(rocksdb::DB::Properties::kCurSizeActiveMemTable, &bytes);
  if (bytes < config_.memtable_bytes) return;
  rocksdb::FlushOptions options;
  options.wait = false;
  options.allow_write_stall = true;
  const std::uint64_t before = watch_->begun();
  log_works_ = false;
  // If it fails, so will the next write, which tells.
  if (db_.Flush(options).ok()) watch_->wait_for_more(before, kFlushBeginMax);
}

void GroupWriter::check_healthy() {
  if (!failure_) return;
  recover();
  failure_ = nullptr;
  log_works_ = false;
  log::info("metadata store writes again");
}

void GroupWriter::recover() {
  if (needs_restart_) {
    throw Error(ErrorCode::unavailable, "the metadata store can be written after a restart only");
  }
  const auto now = Context::SteadyClock::now();
  std::chrono::milliseconds patience{0};
  if (recovery_ == nullptr) {
    if (now - resume_tried_ < config_.resume_interval) std::rethrow_exception(failure_);
    resume_tried_ = now;
    check_room();
    recovery_ = std::make_unique<Recovery>(db_);
    patience = kResumeUsual;
  }
  const auto works = recovery_->wait(patience);
  if (works) recovery_.reset();
  if (works == true) return;
  if (!works && now - resume_tried_ > config_.resume_max) {
    needs_restart_ = true;
    log::error("metadata store does not recover: restart the server");
  }
  std::rethrow_exception(failure_);
}

}  // namespace tarn::kv
