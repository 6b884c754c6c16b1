// The table of S3 operations: what a request's method, level and sub-resource mean, and which
// permissions that takes. An auditor reads operations.cc from top to bottom.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <initializer_list>
#include <span>
#include <string_view>
#include <vector>

#include "aws/s3_error.h"
#include "aws/signed_request.h"
#include "base/context.h"
#include "base/task.h"
#include "s3gw/address.h"

namespace tarn::s3gw {

struct Call;

using Handler = Task<> (*)(Context& ctx, Call& call);

/// The resource a permission is about, and where the request names it.
enum class On : std::uint8_t {
  everything,
  repository,
  object,   // the path in the request's key
  source,   // the object x-amz-copy-source names
  listing,  // the repository; which action depends on what is listed (A6.5)
};

struct Need {
  std::string_view action;
  On on = On::everything;
};

/// There is no default: an operation without a permission does not compile.
class Permission {
 public:
  enum class Kind : std::uint8_t {
    needs,     // all of the needs, checked before the handler runs
    per_item,  // the handler checks them for every item
    refused,   // nothing runs
  };

  constexpr Permission(Kind kind, std::initializer_list<Need> needs) : kind_(kind) {
    for (const Need& need : needs)
      needs_[count_++] = need;
  }

  constexpr Kind kind() const { return kind_; }

  constexpr const Need* begin() const { return needs_.data(); }

  constexpr const Need* end() const { return needs_.data() + count_; }

 private:
  Kind kind_;
  std::array<Need, 2> needs_{};
  std::size_t count_ = 0;
};

constexpr Permission needs(std::initializer_list<Need> list) {
  return {Permission::Kind::needs, list};
}

constexpr Permission per_item(std::initializer_list<Need> list) {
  return {Permission::Kind::per_item, list};
}

inline constexpr Permission kRefused{Permission::Kind::refused, {}};

/// Whether a row is for requests with x-amz-copy-source, for those without, or for both.
enum class Copying : std::uint8_t { no, yes, either };

struct Operation {
  constexpr Operation(std::string_view name_, std::string_view method_, Level level_,
                      std::string_view subresource_, std::string_view parameters_,
                      Permission permission_, Handler handler_, Copying copying_ = Copying::either)
      : name(name_),
        method(method_),
        level(level_),
        subresource(subresource_),
        parameters(parameters_),
        permission(permission_),
        handler(handler_),
        copying(copying_) {}

  /// A row that says no by name.
  constexpr Operation(std::string_view name_, std::string_view method_, Level level_,
                      std::string_view subresource_, aws::S3ErrorCode refusal_)
      : Operation(name_, method_, level_, subresource_, "", kRefused, nullptr) {
    refusal = refusal_;
  }

  std::string_view name;
  std::string_view method;
  Level level;
  std::string_view subresource;  // "" = the plain operation
  std::string_view parameters;   // query names it understands, separated by spaces
  Permission permission;
  Handler handler;
  Copying copying;
  aws::S3ErrorCode refusal = aws::S3ErrorCode::not_implemented;
};

std::span<const Operation> operations();

struct Question {
  std::string_view method;
  Level level = Level::service;
  const std::vector<aws::QueryItem>& query;
  bool copies = false;  // x-amz-copy-source is there
};

/// The row that serves the request. A query name that its row does not know, or no row at all, is
/// refused by name: the plain operation never runs in place of another.
std::expected<const Operation*, aws::S3Error> find_operation(const Question& question);

/// Query names that belong to signatures and SDKs, never to operations.
bool is_universal_parameter(std::string_view name);

}  // namespace tarn::s3gw
