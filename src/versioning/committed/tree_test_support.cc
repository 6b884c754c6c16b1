#include "versioning/committed/tree_test_support.h"

#include <utility>

#include "base/error.h"

namespace tarn::versioning::testing {

std::string data_of(std::string_view identity) {
  return "data of " + std::string(identity);
}

CommittedConfig small_ranges() {
  CommittedConfig config;
  config.range_raggedness_entries = 8;
  return config;
}

bool ChangeStream::next() {
  if (next_ == changes_.end()) return false;
  const auto& [key, identity] = *next_++;
  data_ = identity ? data_of(*identity) : std::string();
  record_ = {.key = key,
             .identity = identity ? std::string_view(*identity) : std::string_view(),
             .data = data_,
             .tombstone = !identity};
  return true;
}

Task<bool> ChangeStream::fill(Context&) {
  co_return next();
}

void ChangeStream::seek(std::string_view key) {
  next_ = changes_.lower_bound(std::string(key));
}

Task<MetaRangeId> Trees::write(Context& ctx, Content content) {
  auto writer = committed.writer(std::string(kSpace));
  for (const auto& [key, identity] : content)
    co_await writer->write(ctx, key, identity, data_of(identity));
  co_return (co_await writer->close(ctx)).id;
}

Task<ApplyResult> Trees::apply(Context& ctx, MetaRangeId base, Changes changes) {
  ChangeStream stream(changes);
  co_return co_await committed.apply(ctx, kSpace, base, stream);
}

Task<Content> Trees::read(Context& ctx, MetaRangeId tree) {
  Content content;
  const auto stream = committed.open(std::string(kSpace), tree);
  while (stream->next() || co_await stream->fill(ctx)) {
    const RecordView& record = stream->record();
    if (record.data != data_of(record.identity)) throw Error(ErrorCode::internal, "wrong data");
    const bool fresh =
        content.emplace_hint(content.end(), record.key, record.identity)->second == record.identity;
    if (!fresh) throw Error(ErrorCode::internal, "key seen twice");
  }
  co_return content;
}

Task<std::vector<std::string>> Trees::range_ids(Context& ctx, MetaRangeId tree) {
  std::vector<std::string> ids;
  for (const RangeInfo& range : co_await committed.ranges(ctx, kSpace, tree))
    ids.push_back(range.id);
  co_return ids;
}

Task<std::vector<std::string>> collect(Context& ctx, std::unique_ptr<DiffStream> stream) {
  static constexpr const char* kNames[] = {"added ", "removed ", "changed ", "conflict "};
  std::vector<std::string> seen;
  while (stream->next() || co_await stream->fill(ctx)) {
    const Difference& d = stream->difference();
    seen.push_back(kNames[static_cast<int>(d.type)] + d.key + " " + d.value.identity);
    if (d.value.data != data_of(d.value.identity)) throw Error(ErrorCode::internal, "wrong data");
  }
  co_return seen;
}

}  // namespace tarn::versioning::testing
