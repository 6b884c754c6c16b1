#include "block/testing/faulty_store.h"

#include <utility>

namespace tarn::block::testing {

namespace {

class FaultySource final : public io::ByteSource {
 public:
  FaultySource(FaultyStore& store, std::unique_ptr<io::ByteSource> inner)
      : store_(store), inner_(std::move(inner)) {}

  Task<std::string_view> read(Context& ctx) override {
    const bool struck = store_.step();
    const auto piece = co_await inner_->read(ctx);
    if (struck) store_.lost();
    co_return piece;
  }

  std::optional<std::uint64_t> size() const override { return inner_->size(); }

 private:
  FaultyStore& store_;
  std::unique_ptr<io::ByteSource> inner_;
};

}  // namespace

void FaultyStore::fail_nth(std::uint64_t nth, std::uint64_t times, ErrorCode code, Fault fault) {
  first_ = nth;
  last_ = nth == 0 ? 0 : nth + times - 1;
  code_ = code;
  fault_ = fault;
  calls_ = 0;
}

bool FaultyStore::step() {
  const auto call = ++calls_;
  const bool struck = call >= first_ && call <= last_;
  if (struck && fault_ == Fault::before) throw Error(code_, "injected fault");
  return struck;
}

void FaultyStore::lost() const {
  throw Error(code_, "injected fault: the answer is lost");
}

Task<PutResult> FaultyStore::put(Context& ctx, const ObjectRef& ref, io::ByteSource& body,
                                 PutOptions options) {
  const bool struck = step();
  auto done = co_await inner().put(ctx, ref, body, options);
  if (struck) lost();
  co_return done;
}

Task<std::unique_ptr<io::ByteSource>> FaultyStore::get(Context& ctx, const ObjectRef& ref,
                                                       std::optional<ByteRange> range) {
  const bool struck = step();
  auto source = co_await inner().get(ctx, ref, range);
  if (struck) lost();
  if (source == nullptr) co_return nullptr;
  co_return std::make_unique<FaultySource>(*this, std::move(source));
}

Task<std::optional<ObjectInfo>> FaultyStore::head(Context& ctx, const ObjectRef& ref) {
  const bool struck = step();
  auto done = co_await inner().head(ctx, ref);
  if (struck) lost();
  co_return done;
}

Task<> FaultyStore::remove(Context& ctx, const ObjectRef& ref) {
  const bool struck = step();
  co_await inner().remove(ctx, ref);
  if (struck) lost();
}

Task<> FaultyStore::remove_many(Context& ctx, std::vector<ObjectRef> refs) {
  return ObjectStore::remove_many(ctx, std::move(refs));
}

Task<PutResult> FaultyStore::copy(Context& ctx, const ObjectRef& from, const ObjectRef& to) {
  const bool struck = step();
  auto done = co_await inner().copy(ctx, from, to);
  if (struck) lost();
  co_return done;
}

Task<ListPage> FaultyStore::list(Context& ctx, std::string_view storage_namespace,
                                 std::string_view prefix, std::string_view after,
                                 std::size_t objects_max) {
  const bool struck = step();
  auto done = co_await inner().list(ctx, storage_namespace, prefix, after, objects_max);
  if (struck) lost();
  co_return done;
}

Task<std::string> FaultyStore::create_multipart(Context& ctx, const ObjectRef& ref) {
  const bool struck = step();
  auto done = co_await inner().create_multipart(ctx, ref);
  if (struck) lost();
  co_return done;
}

Task<std::string> FaultyStore::upload_part(Context& ctx, const ObjectRef& ref,
                                           std::string_view upload_id, std::uint32_t number,
                                           io::ByteSource& body, PutOptions options) {
  const bool struck = step();
  auto done = co_await inner().upload_part(ctx, ref, upload_id, number, body, options);
  if (struck) lost();
  co_return done;
}

Task<ObjectInfo> FaultyStore::complete_multipart(Context& ctx, const ObjectRef& ref,
                                                 std::string_view upload_id,
                                                 std::vector<Part> parts) {
  const bool struck = step();
  auto done = co_await inner().complete_multipart(ctx, ref, upload_id, std::move(parts));
  if (struck) lost();
  co_return done;
}

Task<> FaultyStore::abort_multipart(Context& ctx, const ObjectRef& ref,
                                    std::string_view upload_id) {
  const bool struck = step();
  co_await inner().abort_multipart(ctx, ref, upload_id);
  if (struck) lost();
}

Task<std::vector<PartInfo>> FaultyStore::list_parts(Context& ctx, const ObjectRef& ref,
                                                    std::string_view upload_id, std::uint32_t after,
                                                    std::size_t parts_max) {
  const bool struck = step();
  auto done = co_await inner().list_parts(ctx, ref, upload_id, after, parts_max);
  if (struck) lost();
  co_return done;
}

}  // namespace tarn::block::testing
