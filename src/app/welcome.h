// First start: the administrator, and what to type next.
#pragma once

#include <optional>
#include <string>

#include "app/config.h"
#include "app/server.h"
#include "auth/authority.h"

namespace tarn::app {

/// Blocking. Creates the administrator the configuration names if the installation has none yet.
std::optional<auth::CredentialSecret> set_up_if_new(const Config& config, Core& core);

/// The URL to reach this server at from this machine.
std::string local_url(const Config& config, std::uint16_t port);

/// What a person sees after the first start: key, secret and lines to paste.
std::string first_start_text(const std::string& url, const auth::CredentialSecret& secret);
/// And after later ones.
std::string ready_text(const std::string& url);

}  // namespace tarn::app
