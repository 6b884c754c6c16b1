// An S3 service that fails on demand, and a look at what is left in one.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "http/testing/troubled_service.h"

namespace tarn::block::testing {

using http::testing::Service;
using http::testing::ServiceAnswer;
using http::testing::ServiceFault;
using http::testing::ServiceRequest;

/// Asks to slow down with S3's document.
class TroubledService : public http::testing::TroubledService {
 public:
  explicit TroubledService(Service service);
};

/// Ids of the multipart uploads that are open in a bucket, as the service at `endpoint` lists them.
Task<std::vector<std::string>> open_uploads(Context& ctx, std::string endpoint, std::string bucket);
/// Those of such a list.
std::vector<std::string> upload_ids(std::string_view list);

}  // namespace tarn::block::testing
