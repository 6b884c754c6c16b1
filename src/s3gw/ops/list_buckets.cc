// ListBuckets (A5.1): the repositories the caller may list.
#include <string>
#include <utility>

#include "base/format.h"
#include "s3gw/call.h"
#include "s3gw/continuation_token.h"
#include "s3gw/error_response.h"
#include "s3gw/handlers.h"

namespace tarn::s3gw {

namespace {

constexpr std::uint32_t kBucketsMax = 10'000;

bool may_list(const Call& call, const versioning::Repository& repository) {
  try {
    call.services.authority.authorize(
        call.principal,
        {{.action = "fs:ListRepositories",
          .resource = format("arn:lakefs:fs:::repository/{}", repository.id.str())}});
    return true;
  } catch (const Error& error) {
    if (error.code() != ErrorCode::permission_denied) throw;
    return false;
  }
}

/// Pages of the store until `amount` repositories may be shown.
Task<versioning::Page<versioning::Repository>> visible_page(Context& ctx, const Call& call,
                                                            versioning::PageRequest page) {
  versioning::Page<versioning::Repository> out{.items = {}, .has_more = true};
  const std::size_t amount = page.amount;
  while (out.has_more && out.items.size() < amount) {
    page.amount = amount - out.items.size();
    auto read = co_await call.services.catalog.engine().list_repositories(ctx, page);
    out.has_more = read.has_more && !read.items.empty();
    for (auto& repository : read.items) {
      page.after = repository.id.str();
      if (repository.state == versioning::RepositoryState::active && may_list(call, repository)) {
        out.items.push_back(std::move(repository));
      }
    }
  }
  co_return out;
}

}  // namespace

Task<> list_buckets(Context& ctx, Call& call) {
  const std::uint32_t amount = read_count(call, "max-buckets", kBucketsMax, UINT32_MAX);
  if (amount == 0 || amount > kBucketsMax) {
    refuse_argument("max-buckets", call.text("max-buckets"), "Expected 1 to 10000.");
  }
  std::string after;
  if (const auto token = call.text("continuation-token"); !token.empty()) {
    auto position = parse_token(token);
    if (!position) {
      refuse_argument("continuation-token", token, "The continuation token is not valid.");
    }
    after = *std::move(position);
  }
  versioning::Page<versioning::Repository> page;
  const auto region = call.text("bucket-region");
  if (region.empty() || region == call.services.config.region) {
    page = co_await visible_page(
        ctx, call,
        {.prefix = std::string(call.text("prefix")), .after = std::move(after), .amount = amount});
  }
  aws::XmlWriter xml("ListAllMyBucketsResult");
  write_owner(xml, "Owner", call);
  xml.open("Buckets");
  for (const auto& repository : page.items) {
    xml.open("Bucket");
    xml.element("Name", repository.id.str());
    xml.element("CreationDate", to_s3_time(repository.creation_date));
    xml.element("BucketRegion", call.services.config.region);
    xml.close();
  }
  xml.close();
  if (page.has_more && !page.items.empty()) {
    xml.element("ContinuationToken", make_token(page.items.back().id.str(), false));
  }
  if (const auto* prefix = call.parameter("prefix")) xml.element("Prefix", prefix->value);
  co_await send_xml(ctx, call, xml);
}

}  // namespace tarn::s3gw
