// What the server answers outside /api/v1: probes, metrics, the contract, logout, a page for
// browsers (lakefs-http-behaviour.md 1.1, 22).
#pragma once

#include "base/context.h"
#include "base/task.h"
#include "http/message.h"
#include "rest/call.h"

namespace tarn::rest {

Task<> serve_site(Context& ctx, const Services& services, http::Request& request,
                  http::Response& response);

}  // namespace tarn::rest
