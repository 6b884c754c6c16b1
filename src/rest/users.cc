// The one user of the built-in mode (lakefs-http-behaviour.md 9.2, 9.7).
#include "base/error.h"
#include "rest/handlers.h"
#include "rest/models.h"

namespace tarn::rest {

namespace {

Task<auth::User> user_of(Call& call) {
  const std::string& name = call.params.text("userId");
  auto user = co_await call.services.authority.find_user(call.ctx, name);
  if (!user || user->username != name) throw Error(ErrorCode::not_found, "user not found");
  co_return *std::move(user);
}

void check_new_user(const api::UserCreation& creation) {
  const auto refuse = [](const char* text) { throw Error(ErrorCode::invalid_argument, text); };
  if (creation.invite_user) {
    if (creation.id.find('@') == std::string::npos) refuse("Invalid email format");
    throw Error(ErrorCode::not_implemented, "Not Implemented");
  }
  if (creation.id.find('%') != std::string::npos) refuse("User name cannot contain '%'");
  if (creation.id.empty()) refuse("empty name: validation error");
  if (creation.id.find('/') != std::string::npos) {
    refuse("name contains delimiter /: validation error");
  }
}

}  // namespace

Task<> get_current_user(Call& call) {
  api::CurrentUser current;
  if (call.principal) current.user = to_model(call.principal->user);
  return call.reply(200, current);
}

Task<> list_users(Call& call) {
  // Everybody there is: prefix, after and amount do not matter.
  api::PageOf<api::User> page{.pagination = {.results = 1, .max_per_page = 0},
                              .results = {to_model(call.principal->user)}};
  return call.reply(200, page);
}

Task<> create_user(Call& call) {
  api::UserCreation creation;
  if (call.document) creation = api::decode_user_creation(call.body());
  check_new_user(creation);
  throw Error(ErrorCode::already_exists, "Already exists");
}

Task<> get_user(Call& call) {
  co_await call.reply(200, to_model(co_await user_of(call)));
}

Task<> delete_user(Call& call) {
  co_await user_of(call);
  // Without its only user the installation could never be entered again.
  throw Error(ErrorCode::forbidden, "the only user cannot be deleted");
}

}  // namespace tarn::rest
