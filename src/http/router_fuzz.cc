#include <array>

#include "base/bytes.h"
#include "base/error.h"
#include "http/message.h"
#include "http/router.h"
#include "testing/fuzz.h"

namespace tarn::fuzz {

namespace {

constexpr std::array<std::string_view, 7> kTemplates = {
    "/",
    "/a",
    "/a/{x}",
    "/a/{x}/refs/{ref}/objects/stat",
    "/a/{x}/refs/{ref}/objects/{path}",
    "/a/import/refs",
    "/{any}/b/",
};

const http::Router& router() {
  static const http::Router kRouter = [] {
    http::Router made;
    for (const std::string_view text : kTemplates)
      made.add("GET", text);
    return made;
  }();
  return kRouter;
}

/// The template with the match's values in the places of its parameters.
std::string path_of(const http::RouteMatch& match) {
  std::string path;
  std::string_view rest = kTemplates[match.route];
  while (!rest.empty()) {
    path += take_until(rest, '{');
    if (rest.empty()) break;
    path += percent_encode(match.param(take_until(rest, '}')));
  }
  return path;
}

}  // namespace

void run(std::string_view input) {
  std::string_view query = input;
  const std::string_view path = take_until(query, '?');
  TARN_ASSERT(http::parse_query(query).size() <= query.size() + 1);
  const auto match = router().match("GET", path);
  TARN_ASSERT(!router().match("PUT", path));
  TARN_ASSERT(router().knows_path(path) == match.has_value());
  if (!match) return;
  for (const http::PathParam& param : match->params)
    TARN_ASSERT(!param.value.empty());
  const auto again = router().match("GET", path_of(*match));
  TARN_ASSERT(again && again->route == match->route);
  TARN_ASSERT(path_of(*again) == path_of(*match));
}

}  // namespace tarn::fuzz
