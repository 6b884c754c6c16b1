#include "versioning/refs/tags.h"

#include <utility>

#include "base/error.h"
#include "versioning/refs/keys.h"
#include "versioning/refs/record_codec.h"
#include "versioning/refs/record_page.h"

namespace tarn::versioning {

Task<std::optional<Tag>> Tags::find(Context& ctx, const Repository& repository, const TagId& id) {
  const auto stored = co_await kv_.get(ctx, repository.partition(), keys::tag(id));
  if (!stored) co_return std::nullopt;
  co_return decode_tag(*stored);
}

Task<Tag> Tags::get(Context& ctx, const Repository& repository, const TagId& id) {
  auto tag = co_await find(ctx, repository, id);
  if (!tag) throw Error(ErrorCode::tag_not_found, "tag not found");
  co_return *std::move(tag);
}

Task<Page<Tag>> Tags::list(Context& ctx, const Repository& repository, PageRequest page) {
  return read_page(ctx, kv_, repository.partition(), keys::kTags, std::move(page), &decode_tag,
                   kKeepAll, kKeepAll);
}

Task<bool> Tags::create(Context& ctx, const Repository& repository, const Tag& tag) {
  co_return co_await kv_.set_if(ctx, repository.partition(), keys::tag(tag.id), encode_tag(tag),
                                kv::Expect::absent()) == kv::SetIf::stored;
}

Task<> Tags::put(Context& ctx, const Repository& repository, const Tag& tag) {
  co_await kv_.set(ctx, repository.partition(), keys::tag(tag.id), encode_tag(tag));
}

Task<> Tags::remove(Context& ctx, const Repository& repository, const TagId& id) {
  co_await kv_.erase(ctx, repository.partition(), keys::tag(id));
}

}  // namespace tarn::versioning
