// The contract this server is written against, as served at /openapi.json. The bytes are those of
// openapi.json, embedded by the build.
#pragma once

#include <string_view>

namespace tarn::api {

std::string_view openapi_document();

}  // namespace tarn::api
