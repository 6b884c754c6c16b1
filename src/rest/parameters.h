// A request's parameters, checked against the contract's rules (lakefs-http-behaviour.md 1.4 and
// "Silences filled"). Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/contract.h"
#include "http/message.h"
#include "http/router.h"

namespace tarn::rest {

/// Why a request does not satisfy the contract: 400, as JSON or, for some, as plain text.
struct Refusal {
  std::string message;
  bool is_plain_text = false;
};

/// Values by name, defaults included; texts are valid UTF-8. Names are the contract's.
class Parameters {
 public:
  /// "" if it was not given.
  const std::string& text(std::string_view name) const;
  /// Whether it was given, empty or not.
  bool has(std::string_view name) const;
  /// 0 if it was not given.
  std::int64_t integer(std::string_view name) const;
  bool flag(std::string_view name) const;
  /// Of a repeatable parameter, in order.
  std::vector<std::string> list(std::string_view name) const;

  void add(std::string_view name, std::string_view value);

  void reserve(std::size_t count) { values_.reserve(count); }

 private:
  std::vector<std::pair<std::string_view, std::string>> values_;
};

std::expected<Parameters, Refusal> read_parameters(const api::OperationRule& rule,
                                                   const http::Request& request,
                                                   const http::RouteMatch& match);

}  // namespace tarn::rest
