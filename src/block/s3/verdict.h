// What an answer of the service means for the request. Pure: the one place that knows S3's errors.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace tarn::block::s3 {

enum class Verdict {
  answer,        // what was asked for, or a refusal that asking again does not change
  repeat,        // the service's trouble: wait, then ask again
  other_region,  // ask again in the region it named
  new_keys,      // the credentials have expired
};

/// `code` is the Code of the error document, empty where there is none (HEAD).
Verdict judge(std::uint16_t status, std::string_view code, bool names_region);

/// The error of a refusal: `what` is the operation, for the message.
Error refusal(std::string_view what, std::uint16_t status, std::string_view code);

}  // namespace tarn::block::s3
