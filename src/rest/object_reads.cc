// Reading objects (lakefs-http-behaviour.md 16.3 to 16.6, 16.11).
#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/format.h"
#include "rest/byte_range.h"
#include "rest/handlers.h"
#include "rest/models.h"
#include "rest/presigned_listing.h"
#include "rest/upload_request.h"

namespace tarn::rest {

namespace {

using RepositoryPtr = std::shared_ptr<const versioning::Repository>;

struct Found {
  RepositoryPtr repository;
  catalog::Entry entry;
};

Task<Found> find_object(Call& call) {
  RepositoryPtr repository = co_await call.repository();
  auto entry = co_await call.services.catalog.find(
      call.ctx, *repository, require_ref(call.params.text("ref")), call.params.text("path"));
  if (!entry) throw Error(ErrorCode::object_not_found, "not found");
  co_return Found{std::move(repository), *std::move(entry)};
}

/// What browsers may show instead of saving.
bool is_displayable(std::string_view content_type) {
  constexpr std::array<std::string_view, 22> kTypes = {
      "image/jpeg",       "image/jpg",       "image/png",       "image/gif",
      "image/webp",       "image/svg+xml",   "application/pdf", "application/javascript",
      "application/json", "application/xml", "text/plain",      "text/markdown",
      "text/x-markdown",  "text/html",       "text/css",        "text/javascript",
      "text/xml",         "video/mp4",       "video/webm",      "audio/mpeg",
      "audio/wav",        "audio/webm"};
  return std::ranges::find(kTypes, content_type) != kTypes.end();
}

/// A staged checksum may have come with its quotes.
std::string quoted_etag(const catalog::Entry& entry) {
  const std::string& etag = entry.etag;
  if (etag.size() > 1 && etag.starts_with('"') && etag.ends_with('"')) return etag;
  return format("\"{}\"", etag);
}

void add_object_headers(http::Response& response, const catalog::Entry& entry) {
  response.add_header("ETag", quoted_etag(entry));
  response.add_header("Last-Modified", to_http_date(entry.last_modified));
  response.add_header("Cache-Control", "no-store, must-revalidate");
  response.add_header("Expires", "0");
}

/// User content is served from the API's own origin: it must never run there.
void add_security_headers(http::Response& response, const catalog::Entry& entry) {
  response.add_header("X-Frame-Options", "SAMEORIGIN");
  response.add_header("Content-Security-Policy", "default-src 'none'");
  response.add_header("Content-Disposition",
                      is_displayable(shown_content_type(entry)) ? "inline" : "attachment");
}

void add_content_range(http::Response& response, const ServedRange& range, std::uint64_t size) {
  response.add_header("Content-Range", format("bytes {}-{}/{}", range.first, range.last, size));
}

Task<> refuse_range(Call& call, RangeError error, std::uint64_t size) {
  if (error == RangeError::unsatisfiable) {
    call.response.add_header("Content-Range", format("bytes */{}", size));
  }
  return call.reply_json(416, "{\"message\":\"Requested Range Not Satisfiable\"}\n");
}

api::ObjectStats to_stats(Call& call, const Found& found) {
  return to_model(call.params.text("path"), found.entry,
                  call.services.catalog.display_address(*found.repository, found.entry));
}

void require_prefix(const std::string& prefix) {
  if (prefix.size() <= catalog::kPathBytesMax) return;
  throw Error(ErrorCode::invalid_argument,
              format("argument prefix: invalid value: validation error: {} is above maximum length "
                     "({})",
                     prefix.size(), catalog::kPathBytesMax));
}

/// A listing's page as JSON, written from the entries where they lie.
class ListingWriter final : public catalog::ListSink {
 public:
  ListingWriter(const Call& call, const versioning::Repository& repository)
      : addresses_(call.services.catalog.shown_addresses(repository)),
        page_(call.amount()),
        with_metadata_(call.params.flag("user_metadata")) {}

  void object(std::string_view path, const catalog::EntryView& entry) override {
    catalog::Entry whole;
    if (with_metadata_ && entry.has_metadata) whole = catalog::decode_entry(entry.data);
    page_.add(api::ObjectStatsView{.path = path,
                                   .physical_address = addresses_.of(entry),
                                   .checksum = entry.etag,
                                   .mtime = entry.last_modified.seconds,
                                   .size_bytes = static_cast<std::int64_t>(entry.size),
                                   .content_type = shown_content_type(entry),
                                   .metadata = whole.metadata.empty() ? nullptr : &whole.metadata});
    last_ = path;
  }

  void folder(std::string_view prefix) override {
    page_.add(api::ObjectStatsView{.path = prefix, .path_type = api::PathType::common_prefix});
    last_ = prefix;
  }

  std::string finish(bool has_more) const { return page_.finish(has_more, last_); }

 private:
  catalog::ShownAddresses addresses_;
  api::PageWriter page_;
  bool with_metadata_;
  std::string last_;
};

}  // namespace

Task<> get_object(Call& call) {
  const Found found = co_await find_object(call);
  const catalog::Entry& entry = found.entry;
  if (call.params.text("If-None-Match") == quoted_etag(entry)) {
    co_return co_await call.reply_empty(304);
  }
  if (call.params.flag("presign")) {
    const auto url = co_await call.services.catalog.presign_read(call.ctx, *found.repository,
                                                                 call.params.text("path"), entry);
    call.response.add_header("Location", url.url);
    co_return co_await call.reply_empty(302);
  }
  add_object_headers(call.response, entry);
  add_security_headers(call.response, entry);
  std::optional<ServedRange> range;
  if (call.params.has("Range")) {
    const auto parsed = parse_range(call.params.text("Range"), entry.size);
    if (!parsed) co_return co_await refuse_range(call, parsed.error(), entry.size);
    range = *parsed;
  }
  std::optional<block::ByteRange> wanted;
  if (range) wanted = block::ByteRange{.first = range->first, .last = range->last};
  const auto source =
      co_await call.services.catalog.open(call.ctx, *found.repository, entry, wanted);
  if (range) add_content_range(call.response, *range, entry.size);
  call.response.set_status(range ? 206 : 200);
  call.response.add_header("Content-Type", shown_content_type(entry));
  call.response.add_header("X-Content-Type-Options", "nosniff");
  co_await call.response.send_stream(call.ctx, *source);
}

Task<> head_object(Call& call) {
  const Found found = co_await find_object(call);
  const catalog::Entry& entry = found.entry;
  add_object_headers(call.response, entry);
  call.response.add_header("Accept-Ranges", "bytes");
  call.response.add_header("Content-Type", shown_content_type(entry));
  std::uint64_t length = entry.size;
  call.response.set_status(200);
  if (call.params.has("Range")) {
    const auto range = parse_range(call.params.text("Range"), entry.size);
    if (!range) co_return co_await call.reply_empty(416);
    add_content_range(call.response, *range, entry.size);
    call.response.set_status(206);
    length = range->size();
  }
  co_await call.response.send_head_only(call.ctx, length);
}

Task<> stat_object(Call& call) {
  const Found found = co_await find_object(call);
  auto stats = to_stats(call, found);
  if (call.params.flag("presign")) {
    auto url = co_await call.services.catalog.presign_read(call.ctx, *found.repository, stats.path,
                                                           found.entry);
    stats.physical_address = std::move(url.url);
    stats.physical_address_expiry = url.expires.seconds;
  }
  if (!call.params.flag("user_metadata")) stats.metadata->clear();
  co_await call.reply(200, stats);
}

Task<> get_underlying_properties(Call& call) {
  const Found found = co_await find_object(call);
  auto storage_class =
      co_await call.services.catalog.storage_class(call.ctx, *found.repository, found.entry);
  co_await call.reply(200,
                      api::UnderlyingObjectProperties{.storage_class = std::move(storage_class)});
}

Task<> list_objects(Call& call) {
  const auto repository = co_await call.repository();
  require_prefix(call.params.text("prefix"));
  if (call.params.flag("presign")) co_return co_await list_presigned(call, *repository);
  ListingWriter page(call, *repository);
  const bool has_more = co_await call.services.catalog.list(
      call.ctx, *repository, require_ref(call.params.text("ref")), call.list_params(), page);
  co_await call.reply_json(200, page.finish(has_more));
}

}  // namespace tarn::rest
