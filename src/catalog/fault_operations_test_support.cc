// The operations of the fault loops.
#include <string>
#include <utility>
#include <vector>

#include "block/testing/bodies.h"
#include "catalog/fault_world_test_support.h"

namespace tarn::catalog::faults {

namespace {

BranchId branch(std::string name) {
  return BranchId::from_stored(std::move(name));
}

Task<> nothing(Context&, World&) {
  co_return;
}

Task<> upload_small(Context& ctx, World& w) {
  return w.put(ctx, w.main, "new", "small", {.metadata = {{"k", "v"}}});
}

Task<> upload_large(Context& ctx, World& w) {
  return w.put(ctx, w.main, "a0", block::testing::patterned(kLarge, 7));
}

Task<> upload_if_absent(Context& ctx, World& w) {
  return w.put(ctx, w.main, "new", "small", {.condition = only_if_absent()});
}

Task<> copy(Context& ctx, World& w) {
  co_await w.server->catalog.copy(ctx, {w.repo->id, "main", "large"}, *w.repo, w.main, "copied",
                                  {});
}

Task<> set_metadata(Context& ctx, World& w) {
  co_await w.server->catalog.set_metadata(ctx, *w.repo, w.main, "a0", {{"k", "v"}}, {});
}

Task<> stage(Context& ctx, World& w) {
  const auto entry = co_await w.server->catalog.find(ctx, *w.repo, "main", "a1");
  co_await w.server->catalog.stage(
      ctx, *w.repo, w.main, "staged",
      {.physical_address = w.server->catalog.display_address(*w.repo, *entry),
       .checksum = entry->etag,
       .size = entry->size},
      false);
}

Task<> remove_paths(Context& ctx, World& w, std::vector<std::string> paths) {
  const auto outcomes =
      co_await w.server->catalog.remove(ctx, *w.repo, w.main, std::move(paths), {});
  for (const auto& outcome : outcomes) {
    if (outcome) throw *outcome;
  }
}

Task<> remove_one(Context& ctx, World& w) {
  return remove_paths(ctx, w, {"a2"});
}

Task<> remove_many(Context& ctx, World& w) {
  return remove_paths(ctx, w, {"a0", "a2", "large", "none"});
}

Task<> create_upload(Context& ctx, World& w) {
  const auto upload = co_await w.server->catalog.create_upload(ctx, *w.repo, w.main, "joined", {});
  w.upload_id = upload.id;
}

Task<> put_part(Context& ctx, World& w, std::uint32_t number, std::string text) {
  block::testing::PiecesSource body({std::move(text)});
  const auto part = co_await w.server->catalog.upload_part(
      ctx, *w.repo, co_await w.upload(ctx), number, body, {.digests = {.crc32 = true}},
      [](const block::Digests::Values& values) { return values.crc32; });
  w.parts.push_back({number, part.info.etag});
}

Task<> upload_part(Context& ctx, World& w) {
  return put_part(ctx, w, 1, block::testing::patterned(kLarge, 3));
}

Task<> copy_part(Context& ctx, World& w) {
  co_await w.server->catalog.copy_part(ctx, *w.repo, co_await w.upload(ctx), 1,
                                       {w.repo->id, "main", "large"}, block::ByteRange{0, 99'999},
                                       {});
}

Task<> upload_one(Context& ctx, World& w) {
  co_await create_upload(ctx, w);
  co_await put_part(ctx, w, 1, "one");
}

Task<> upload_two(Context& ctx, World& w) {
  co_await upload_one(ctx, w);
  co_await put_part(ctx, w, 2, "two");
}

Task<> complete(Context& ctx, World& w) {
  co_await w.server->catalog.complete_upload(ctx, *w.repo, w.main, co_await w.upload(ctx), w.parts,
                                             {});
}

Task<> abort(Context& ctx, World& w) {
  co_await w.server->catalog.abort_upload(ctx, *w.repo, co_await w.upload(ctx));
}

Task<> create_repository(Context& ctx, World& w) {
  co_await w.server->catalog.create_repository(
      ctx, {.name = "another", .storage_namespace = w.space("another"), .default_branch = "trunk"});
}

Task<> commit(Context& ctx, World& w) {
  return w.commit(ctx, w.main);
}

Task<> merge(Context& ctx, World& w) {
  co_await w.server->engine.merge(ctx, *w.repo, w.main, "dev", {.committer = "c"});
}

Task<> build_dev(Context& ctx, World& w) {
  co_await w.server->engine.create_branch(ctx, *w.repo, branch("dev"), "main", false, false);
  co_await w.put(ctx, branch("dev"), "b", "text");
  co_await w.commit(ctx, branch("dev"));
  co_await w.put(ctx, w.main, "m", "text");  // or the merge would only move main to dev's tree
  co_await w.commit(ctx, w.main);
}

}  // namespace

const std::vector<Operation>& operations() {
  using enum ErrorCode;
  static const std::vector<Operation> all = {
      {"UploadSmall", nothing, upload_small, {}},
      {"UploadLarge", nothing, upload_large, {}, false, true, true},
      {"UploadIfAbsent", nothing, upload_if_absent, {precondition_failed}, false, true},
      {"Copy", nothing, copy, {}, false, true},
      {"SetMetadata", nothing, set_metadata, {}, false, true},
      {"Stage", nothing, stage, {}, false, true},
      {"RemoveOne", nothing, remove_one, {}, false, true, true},
      {"RemoveMany", upload_small, remove_many, {}, true},
      {"CreateUpload", nothing, create_upload, {}},
      {"UploadPart", create_upload, upload_part, {}, false, true},
      {"CopyPart", create_upload, copy_part, {}, false, true},
      {"CompleteOnePart", upload_one, complete, {upload_not_found}, true},
      {"CompleteTwoParts", upload_two, complete, {upload_not_found}, true, false, true},
      {"AbortUpload", upload_two, abort, {upload_not_found}, true},
      {"CreateRepository",
       nothing,
       create_repository,
       {already_exists},
       false,
       false,
       false,
       {invalid_argument}},
      {"Commit", upload_small, commit, {no_changes}, false, false, true},
      {"Merge", build_dev, merge, {no_changes}, false, false, true}};
  return all;
}

}  // namespace tarn::catalog::faults
