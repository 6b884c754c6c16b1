// What PostgreSQL says when something fails, and what it means: SQLSTATE ends here.
#pragma once

#include <exception>
#include <string>
#include <string_view>

#include <libpq-fe.h>

#include "base/error.h"

namespace tarn::kv {

/// An error the server reported for a statement or for the end of a transaction.
struct PgFailure {
  std::string sqlstate;
  std::string text;

  /// The server rolled the transaction back for reasons of its own; the same again may work.
  bool transient() const;
  /// A statement that was prepared on this connection is unknown, or known already: somebody shares
  /// it.
  bool statement_lost() const;
  /// The server is ending this connection.
  bool fatal() const;
};

PgFailure failure_of(const PGresult& result);

/// The text may name hosts and users: it goes to the log (once, here), not into the message.
Error to_error(const PgFailure& failure);
std::exception_ptr to_exception(const PgFailure& failure);

}  // namespace tarn::kv
