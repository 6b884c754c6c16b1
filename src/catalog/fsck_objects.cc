#include <exception>
#include <optional>
#include <utility>

#include <boost/asio/this_coro.hpp>

#include "base/bytes.h"
#include "base/error.h"
#include "base/format.h"
#include "base/hash.h"
#include "catalog/fsck_parts.h"
#include "io/task_group.h"

namespace tarn::catalog {

namespace {

constexpr std::size_t kLooksMax = 64;  // at once
constexpr std::size_t kReadsMax = 8;
constexpr std::size_t kBrokenMax = 100'000;  // remembered

/// Only a plain MD5 can be recomputed; a multipart ETag ("…-3") cannot.
bool is_plain_md5(const std::string& etag) {
  return etag.size() == 32 && from_hex(etag).has_value();
}

}  // namespace

struct ObjectChecks::Check {
  std::uint64_t name;
  std::string key;
  std::string where;
  block::ObjectRef ref;
  std::uint64_t size;
  std::string etag;
  std::optional<Finding> finding = {};
  std::string detail = {};
  std::exception_ptr failure = {};
};

ObjectChecks::ObjectChecks(FsckRun& run) : run_(run) {}

ObjectChecks::~ObjectChecks() = default;

void ObjectChecks::start(const versioning::Repository& repository) {
  repository_ = &repository;
  whole_.clear();
  broken_.clear();
}

bool ObjectChecks::add(const Entry& entry, std::string_view key, std::string where) {
  const std::uint64_t name = short_name(entry.address);
  if (whole_.contains(name)) return false;
  if (const auto known = broken_.find(name); known != broken_.end()) {
    seen_ |= known->second.bits;
    if (Problem* problem = run_.findings.find(known->second.number)) {
      problem->paths.add(std::string(key));
    }
    return false;
  }
  checks_.push_back({.name = name,
                     .key = std::string(key),
                     .where = std::move(where),
                     .ref = {.storage_namespace = repository_->storage_namespace,
                             .address = entry.address,
                             .type = entry.address_type},
                     .size = entry.size,
                     .etag = entry.etag});
  return checks_.size() >= (run_.options.read_objects ? kReadsMax : kLooksMax);
}

Task<> ObjectChecks::flush(FindingBits& hit) {
  if (!checks_.empty()) {
    io::TaskGroup group;
    const auto executor = co_await boost::asio::this_coro::executor;
    for (std::size_t i = 0; i < checks_.size(); ++i)
      group.spawn(executor, "fsck object", look(i));
    co_await group.join();
  }
  for (Check& check : checks_) {
    if (check.failure) std::rethrow_exception(check.failure);
    ++run_.report.objects;
    if (!check.finding) {
      whole_.insert(check.name);
      continue;
    }
    const std::size_t number = run_.findings.next();
    const FindingBits bits =
        run_.add({.finding = *check.finding,
                  .repository = repository_->id.str(),
                  .where = std::move(check.where),
                  .detail = format("{} at {}{}", check.key, check.ref.address, check.detail)});
    hit |= bits;
    if (Problem* problem = run_.findings.last()) problem->paths.add(std::move(check.key));
    if (broken_.size() < kBrokenMax) {
      const bool kept = run_.findings.last() != nullptr;
      broken_.emplace(check.name, Known{bits, kept ? number : SIZE_MAX});
    }
  }
  checks_.clear();
  hit |= std::exchange(seen_, 0);
}

Task<> ObjectChecks::look(std::size_t at) {
  Check& check = checks_[at];
  try {
    co_await look_at(check);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::invalid_argument) {
      check.finding = Finding::object_unreachable;
      check.detail = ": " + error.message();
    } else {
      check.failure = std::current_exception();
    }
  } catch (...) {
    check.failure = std::current_exception();
  }
}

Task<> ObjectChecks::look_at(Check& check) {
  const auto info = co_await run_.stores.objects.head(run_.ctx, check.ref);
  if (!info) {
    check.finding = Finding::object_missing;
    co_return;
  }
  if (info->size != check.size) {
    check.finding = Finding::object_size_mismatch;
    check.detail = format(": {} bytes, recorded are {}", info->size, check.size);
    co_return;
  }
  if (!run_.options.read_objects || !is_plain_md5(check.etag)) co_return;
  const auto source = co_await run_.stores.objects.get(run_.ctx, check.ref);
  Hasher hasher(Hasher::Kind::md5);
  while (source != nullptr) {
    const std::string_view piece = co_await source->read(run_.ctx);
    if (piece.empty()) break;
    hasher.update(piece);
  }
  if (to_hex(hasher.finish()) != check.etag) check.finding = Finding::object_content_mismatch;
}

}  // namespace tarn::catalog
