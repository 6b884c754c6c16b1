// What libprotobuf has to say, in our log instead of on standard error.
#pragma once

namespace tarn::app {

/// Once, before other threads exist. A record that does not parse is reported by whoever reads it;
/// the library's own lines are a hint only, so at most one a second is written.
void redirect_protobuf_log();

}  // namespace tarn::app
