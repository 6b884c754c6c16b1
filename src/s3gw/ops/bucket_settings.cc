// Bucket sub-resources that say "nothing is configured" (A5.5), each in the form its clients read.
#include <algorithm>
#include <array>
#include <string_view>

#include "s3gw/call.h"
#include "s3gw/error_response.h"
#include "s3gw/handlers.h"

namespace tarn::s3gw {

namespace {

using aws::S3ErrorCode;

struct Absent {
  std::string_view subresource;
  S3ErrorCode code;
};

constexpr auto kAbsent = std::to_array<Absent>({
    {"policy", S3ErrorCode::no_such_bucket_policy},
    {"policyStatus", S3ErrorCode::no_such_bucket_policy},
    {"cors", S3ErrorCode::no_such_cors_configuration},
    {"lifecycle", S3ErrorCode::no_such_lifecycle_configuration},
    {"encryption", S3ErrorCode::server_side_encryption_configuration_not_found},
    {"website", S3ErrorCode::no_such_website_configuration},
    {"tagging", S3ErrorCode::no_such_tag_set},
    {"replication", S3ErrorCode::no_such_replication_configuration},
    {"object-lock", S3ErrorCode::object_lock_configuration_not_found},
    {"publicAccessBlock", S3ErrorCode::no_such_public_access_block_configuration},
});

struct Empty {
  std::string_view subresource;
  std::string_view root;
};

constexpr auto kEmpty = std::to_array<Empty>({
    {"versioning", "VersioningConfiguration"},
    {"logging", "BucketLoggingStatus"},
    {"notification", "NotificationConfiguration"},
    {"accelerate", "AccelerateConfiguration"},
});

constexpr auto kLists = std::to_array<Empty>({
    {"analytics", "ListBucketAnalyticsConfigurationResult"},
    {"inventory", "ListInventoryConfigurationsResult"},
    {"metrics", "ListMetricsConfigurationsResult"},
    {"intelligent-tiering", "ListBucketIntelligentTieringConfigurationsOutput"},
});

Task<> send_empty_list(Context& ctx, Call& call, std::string_view root) {
  if (call.parameter("id") != nullptr) {
    refuse(S3ErrorCode::no_such_key, "The specified configuration does not exist.");
  }
  aws::XmlWriter xml(root);
  xml.element("IsTruncated", false);
  co_await send_xml(ctx, call, xml);
}

}  // namespace

Task<> get_bucket_setting(Context& ctx, Call& call) {
  const std::string_view name = call.operation->subresource;
  const auto absent = std::ranges::find(kAbsent, name, &Absent::subresource);
  if (absent != kAbsent.end()) refuse(absent->code, {}, {{"BucketName", call.target.bucket}});
  const auto list = std::ranges::find(kLists, name, &Empty::subresource);
  if (list != kLists.end()) {
    co_await send_empty_list(ctx, call, list->root);
    co_return;
  }
  if (name == "location") {
    aws::XmlWriter xml("LocationConstraint");
    const std::string& region = call.services.config.region;
    std::string document = xml.finish();
    if (region != "us-east-1") {
      // The root itself holds the text.
      document.insert(document.rfind("</"), region);
    }
    call.response.set_status(200);
    call.response.add_header("Content-Type", "application/xml");
    co_await call.response.send(ctx, document);
    co_return;
  }
  if (name == "requestPayment") {
    aws::XmlWriter xml("RequestPaymentConfiguration");
    xml.element("Payer", "BucketOwner");
    co_await send_xml(ctx, call, xml);
    co_return;
  }
  if (name == "ownershipControls") {
    aws::XmlWriter xml("OwnershipControls");
    xml.open("Rule");
    xml.element("ObjectOwnership", "BucketOwnerEnforced");
    xml.close();
    co_await send_xml(ctx, call, xml);
    co_return;
  }
  const auto empty = std::ranges::find(kEmpty, name, &Empty::subresource);
  TARN_ASSERT(empty != kEmpty.end());
  aws::XmlWriter xml(empty->root);
  co_await send_xml(ctx, call, xml);
}

}  // namespace tarn::s3gw
