// What the tests of trees share: small trees in a memory store, and maps to compare them with.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/context.h"
#include "base/task.h"
#include "block/mem/mem_object_store.h"
#include "block/object_store.h"
#include "io/blocking_pool.h"
#include "versioning/committed/committed.h"
#include "versioning/streams.h"

namespace tarn::versioning::testing {

inline constexpr std::string_view kSpace = "mem://trees";

/// Key to identity; a value's data follows from its identity.
using Content = std::map<std::string, std::string>;
/// Key to identity, or nullopt for a tombstone.
using Changes = std::map<std::string, std::optional<std::string>>;

std::string data_of(std::string_view identity);

/// Ranges of some eight records each.
CommittedConfig small_ranges();

/// A stream over changes, all at hand.
class ChangeStream final : public RecordStream {
 public:
  explicit ChangeStream(const Changes& changes) : changes_(changes), next_(changes_.begin()) {}

  bool next() override;
  Task<bool> fill(Context& ctx) override;
  void seek(std::string_view key) override;

  const RecordView& record() const override { return record_; }

 private:
  const Changes changes_;
  Changes::const_iterator next_;
  std::string data_;
  RecordView record_;
};

/// A Committed over a memory store, with calls that speak in maps.
struct Trees {
  explicit Trees(CommittedConfig config = small_ranges())
      : committed(objects, pool, std::move(config)) {}

  Trees(block::ObjectStore& store, CommittedConfig config)
      : committed(store, pool, std::move(config)) {}

  Task<MetaRangeId> write(Context& ctx, Content content);
  Task<ApplyResult> apply(Context& ctx, MetaRangeId base, Changes changes);
  Task<Content> read(Context& ctx, MetaRangeId tree);
  Task<std::vector<std::string>> range_ids(Context& ctx, MetaRangeId tree);

  block::MemObjectStore objects;
  io::BlockingPool pool{{.name = "test", .threads = 2}};
  Committed committed;
};

/// "added k", "removed k", "changed k", "conflict k", with the identity of the value.
Task<std::vector<std::string>> collect(Context& ctx, std::unique_ptr<DiffStream> stream);

}  // namespace tarn::versioning::testing
