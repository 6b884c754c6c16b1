// Errors as API clients see them (lakefs-http-behaviour.md 2): decided in one switch.
#pragma once

#include <cstdint>
#include <string>

#include "base/error.h"

namespace tarn::rest {

struct ErrorAnswer {
  std::uint16_t status = 500;
  std::string message;
};

std::uint16_t status_of(ErrorCode code);

/// `to_administrator`: whether the caller may read what went wrong inside.
ErrorAnswer answer_for(const Error& error, bool to_administrator);

}  // namespace tarn::rest
