// Path templates ("/repositories/{repository}/refs/{ref}/commits") to route numbers. Pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tarn::http {

struct PathParam {
  std::string_view name;  // of the template; lives as long as the router
  std::string value;      // percent-decoded once; may contain '/'
};

struct RouteMatch {
  std::size_t route = 0;  // what add() returned
  std::vector<PathParam> params;

  /// The value of a parameter the template has; asserts that it does.
  const std::string& param(std::string_view name) const;
};

/// Filled once, then only read, from any thread. A path is split on '/' first and each segment is
/// percent-decoded once afterwards, so "%2F" never splits a segment. A literal segment beats a
/// parameter; where the literal branch has no route for the method the parameter is tried. A
/// parameter never matches an empty segment. Templates have at most kSegmentsMax segments.
class Router {
 public:
  static constexpr std::size_t kSegmentsMax = 24;

  Router();

  /// Returns the route's number: 0, 1, 2, ... in order of registration. A template starts with '/';
  /// two of one method and shape are our own bug and assert.
  std::size_t add(std::string_view method, std::string_view path_template);

  /// nullopt when nothing matches, or when a segment has a broken escape. `raw_path` is still
  /// percent-encoded and without query.
  std::optional<RouteMatch> match(std::string_view method, std::string_view raw_path) const;

  /// True when some method has a route for the path: what tells a 405 from a 404.
  bool knows_path(std::string_view raw_path) const;

 private:
  struct Node {
    struct Literal {
      std::string text;
      std::size_t node;
    };

    struct Target {
      std::string method;
      std::size_t route;
    };

    std::vector<Literal> literals;
    std::size_t parameter = 0;  // node of the parameter branch; 0 (the root) = none
    std::vector<Target> targets;
  };

  /// Positions, among a path's segments, of the ones parameters took.
  struct Trail {
    std::array<std::uint8_t, kSegmentsMax> segments;
    std::size_t length = 0;
  };

  std::size_t child(std::size_t node, std::string_view segment);
  /// An empty method stands for any.
  std::optional<std::size_t> find(std::size_t node, std::span<const std::string_view> segments,
                                  std::size_t depth, std::string_view method, Trail& trail) const;

  std::vector<Node> nodes_;
  std::vector<std::vector<std::string>> names_;  // of each route's parameters, in path order
};

}  // namespace tarn::http
