// The operations of the HTTP API: one row each, with the permission it takes and what serves it.
// An auditor reads operations.cc from top to bottom; what is missing is there, too.
#pragma once

#include <span>
#include <string_view>

#include "base/task.h"
#include "rest/call.h"
#include "rest/permissions.h"

namespace tarn::rest {

using Handler = Task<> (*)(Call& call);

/// A handler, or the text of the 501 that says there is none.
struct Implementation {
  constexpr Implementation(Handler with) : handler(with) {}  // NOLINT(google-explicit-constructor)

  constexpr explicit Implementation(std::string_view text) : missing(text) {}

  Handler handler = nullptr;
  std::string_view missing;
};

struct Operation {
  constexpr Operation(std::string_view operation_id, std::string_view verb,
                      std::string_view path_template, Permission demand, Implementation how)
      : id(operation_id),
        method(verb),
        path(path_template),
        permission(demand),
        implementation(how) {}

  std::string_view id;  // the contract's operationId
  std::string_view method;
  std::string_view path;  // below /api/v1
  Permission permission;
  Implementation implementation;
};

/// In the order of the contract.
std::span<const Operation> operations();

}  // namespace tarn::rest
