// What the requests that write an object say of it in their headers.
#pragma once

#include "base/error.h"
#include "base/task.h"
#include "catalog/catalog.h"
#include "http/message.h"
#include "rest/call.h"

namespace tarn::rest {

/// If-None-Match: * refuses to replace; any other condition is Error{not_implemented}, now or once
/// the path turns out to be free.
catalog::Condition write_condition(const Call& call);

/// x-lakefs-meta-<k> and x-lakefs-internal-<k>. Error{invalid_argument} for text that is not UTF-8.
versioning::Metadata metadata_of(const http::Request& request);

/// The result of `task`, with the text clients of uploads and copies know for a missing branch.
template <class T>
Task<T> named_branch(Task<T> task, BranchId branch) {
  try {
    co_return co_await std::move(task);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::branch_not_found) throw;
    throw Error(ErrorCode::branch_not_found, "branch '" + branch.str() + "' not found");
  }
}

}  // namespace tarn::rest
