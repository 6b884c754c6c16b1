#include "block/address.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "base/bytes.h"
#include "base/format.h"

namespace tarn::block {

namespace {

constexpr std::size_t kNameBytesMax = 255;
constexpr std::size_t kPathBytesMax = 3'500;  // below PATH_MAX with room for the root
constexpr std::string_view kLocal = "local://";

std::unexpected<ParseError> bad(std::string_view why) {
  return std::unexpected(ParseError{format("invalid address: {}", why)});
}

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

/// "scheme" of "scheme://rest", with the rest; nullopt when the text does not look like that.
std::optional<std::pair<std::string, std::string_view>> split_scheme(std::string_view uri) {
  const auto mark = uri.find("://");
  if (mark == std::string_view::npos) return std::nullopt;
  auto scheme = lower(uri.substr(0, mark));
  if (!is_known_scheme(scheme)) return std::nullopt;
  return std::pair(std::move(scheme), uri.substr(mark + 3));
}

bool is_host(std::string_view host) {
  constexpr std::string_view kRefused = "%@\\<>\"`{}|^#";
  return std::ranges::all_of(host, [&](char c) {
    return !is_control(c) && c != ' ' && kRefused.find(c) == std::string_view::npos;
  });
}

/// Calls `each` with the components of `path`, empty ones included, until it returns false.
template <class Each>
bool all_components(std::string_view path, Each each) {
  for (;;) {
    const auto slash = path.find('/');
    if (!each(path.substr(0, slash))) return false;
    if (slash == std::string_view::npos) return true;
    path.remove_prefix(slash + 1);
  }
}

bool has_dot_component(std::string_view path) {
  return !all_components(path, [](std::string_view name) { return name != "." && name != ".."; });
}

bool is_file_path(std::string_view path) {
  return path.size() <= kPathBytesMax && path.find('\0') == std::string_view::npos &&
         all_components(path, [](std::string_view name) {
           return !name.empty() && name != "." && name != ".." && name.size() <= kNameBytesMax;
         });
}

bool leads_to_private(std::string_view path) {
  return path.substr(0, path.find('/')) == kPrivateDirectory;
}

/// The part of an absolute path below `base`, if it is below.
std::optional<std::string_view> below(std::string_view base, std::string_view path) {
  if (base == "/") return path.substr(1);
  if (!path.starts_with(base)) return std::nullopt;
  path.remove_prefix(base.size());
  if (path.empty()) return path;
  if (path.front() != '/') return std::nullopt;
  return path.substr(1);
}

/// An absolute path as base and rest; the rest may be empty.
std::optional<LocalPath> place_absolute(const LocalRoots& roots, std::string_view path) {
  if (!path.starts_with('/') || clean_path(path) != path) return std::nullopt;
  if (auto rest = below(roots.root, path)) return LocalPath{0, std::string(*rest), {}};
  for (std::size_t i = 0; i < roots.external_prefixes.size(); ++i) {
    if (auto rest = below(roots.external_prefixes[i], path)) {
      return LocalPath{i + 1, std::string(*rest), {}};
    }
  }
  return std::nullopt;
}

std::expected<LocalPath, ParseError> resolve_local_full(const LocalRoots& roots,
                                                        std::string_view address) {
  if (!address.starts_with(kLocal)) {
    return bad("physical address is not valid for block adapter: local");
  }
  auto placed = place_absolute(roots, address.substr(kLocal.size()));
  if (!placed || !is_file_path(placed->path)) return bad("not a path the store may use");
  if (placed->base == 0 && leads_to_private(placed->path)) return bad("reserved name");
  return *std::move(placed);
}

/// True for what nearly every path is: without a name to drop. False may be wrong.
bool is_clean(std::string_view path) {
  if (path.empty() || path.front() == '.' || path.back() == '/') return false;
  for (std::size_t slash = path.find('/'); slash != std::string_view::npos;
       slash = path.find('/', slash + 1)) {
    if (path[slash + 1] == '/' || path[slash + 1] == '.') return false;
  }
  return true;
}

}  // namespace

bool is_known_scheme(std::string_view scheme) {
  constexpr std::array<std::string_view, 7> kSchemes = {"s3",    "gs",  "http",  "https",
                                                        "local", "mem", "memory"};
  return std::ranges::find(kSchemes, lower(scheme)) != kSchemes.end();
}

std::expected<std::string, ParseError> key_of_uri_path(std::string_view path) {
  path = path.substr(0, path.find('?'));
  if (std::ranges::any_of(path, is_control)) return bad("control character");
  auto decoded = percent_decode(path);
  if (!decoded) return bad("broken percent escape");
  if (percent_encode(*decoded, "$&+,/:;=@") == path) return *std::move(decoded);
  return std::string(path);
}

std::expected<Location, ParseError> parse_uri(std::string_view uri) {
  auto split = split_scheme(uri);
  if (!split) return bad("no URI with a known scheme");
  auto& [scheme, rest] = *split;
  const auto host = rest.substr(0, rest.find_first_of("/?"));
  if (host.empty() || !is_host(host)) return bad("bad bucket name");
  auto path = rest.substr(host.size());
  if (path.starts_with('/')) path.remove_prefix(1);
  auto key = key_of_uri_path(path);
  if (!key) return std::unexpected(std::move(key.error()));
  if (scheme == "http" || scheme == "https") key = *percent_decode(path.substr(0, path.find('?')));
  return Location{std::move(scheme), std::string(host), *std::move(key)};
}

bool is_full(const ObjectRef& ref) {
  switch (ref.type) {
    case AddressType::full: return true;
    case AddressType::relative: return false;
    case AddressType::by_prefix_deprecated: break;
  }
  const auto split = split_scheme(ref.address);
  if (!split) return false;
  return split->first == "local" ? std::ranges::none_of(split->second, is_control)
                                 : parse_uri(ref.address).has_value();
}

std::expected<Location, ParseError> resolve(const ObjectRef& ref) {
  if (is_full(ref)) {
    auto location = parse_uri(ref.address);
    if (location && location->key.empty()) return bad("no key");
    return location;
  }
  if (ref.address.empty() || ref.address.find('\0') != std::string::npos ||
      has_dot_component(ref.address)) {
    return bad("not a path inside its storage namespace");
  }
  auto location = parse_uri(ref.storage_namespace);
  if (!location) return location;
  if (location->key.ends_with('/')) location->key.pop_back();
  if (!location->key.empty()) location->key += '/';
  location->key += ref.address;
  return location;
}

bool is_part_name(std::string_view name) {
  constexpr std::size_t kIdDigits = 32;
  if (name.size() != kIdDigits + 6 || name[kIdDigits] != '-') return false;
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  return std::ranges::all_of(name.substr(0, kIdDigits),
                             [&](char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); }) &&
         std::ranges::all_of(name.substr(kIdDigits + 1), is_digit);
}

std::expected<LocalPath, ParseError> resolve_local(const LocalRoots& roots, const ObjectRef& ref) {
  if (is_full(ref)) return resolve_local_full(roots, ref.address);
  auto place = resolve_local_namespace(roots, ref.storage_namespace, false);
  if (!place) return place;
  if (!is_file_path(ref.address)) return bad("not a path inside its storage namespace");
  if (is_part_name(ref.address)) return bad("reserved name");
  place->space = place->path;
  if (!place->path.empty()) place->path += '/';
  place->path += ref.address;
  if (place->path.size() > kPathBytesMax) return bad("too long");
  if (leads_to_private(place->path)) return bad("reserved name");
  return place;
}

std::expected<LocalPath, ParseError> resolve_local_namespace(const LocalRoots& roots,
                                                             std::string_view storage_namespace,
                                                             bool absolute_allowed) {
  if (!storage_namespace.starts_with(kLocal)) {
    return bad("storage namespace is not valid for block adapter: local");
  }
  auto text = storage_namespace.substr(kLocal.size());
  if (absolute_allowed && text.starts_with('/')) {
    if (auto placed = place_absolute(roots, clean_path(text));
        placed && (placed->path.empty() || is_file_path(placed->path)) &&
        !has_dot_component(text) && !(placed->base == 0 && leads_to_private(placed->path))) {
      return *std::move(placed);
    }
  }
  if (!all_components(text, [](std::string_view name) { return name != ".."; })) {
    return bad("storage namespace leaves the store");
  }
  LocalPath place;
  if (auto cleaned = clean_path("/" + std::string(text)); cleaned != "/") {
    place.path = cleaned.substr(1);
  }
  if (!place.path.empty() && (!is_file_path(place.path) || leads_to_private(place.path))) {
    return bad("not a storage namespace of this store");
  }
  return place;
}

std::string display_local(std::string_view root, const ObjectRef& ref) {
  const auto text_of = [](std::string_view uri) {
    return uri.starts_with(kLocal) ? uri.substr(kLocal.size()) : uri;
  };
  const bool full = is_full(ref);
  if (full && !ref.address.starts_with(kLocal)) return ref.address;
  // One string for the usual case: listings ask for each entry.
  std::string shown;
  shown.reserve(kLocal.size() + root.size() + ref.storage_namespace.size() + ref.address.size() +
                2);
  shown.append(kLocal).append(root).append(1, '/');
  if (!full) shown.append(text_of(ref.storage_namespace)).append(1, '/');
  std::string_view rest = full ? text_of(ref.address) : std::string_view(ref.address);
  if (rest.starts_with('/')) rest.remove_prefix(1);
  shown.append(rest);
  const std::string_view path = std::string_view(shown).substr(kLocal.size());
  if (!is_clean(path)) shown = std::string(kLocal).append(clean_path(path));
  return shown;
}

std::string clean_path(std::string_view path) {
  if (is_clean(path)) return std::string(path);
  const bool rooted = path.starts_with('/');
  std::vector<std::string_view> kept;
  all_components(path, [&](std::string_view name) {
    if (name.empty() || name == ".") return true;
    if (name == ".." && !kept.empty() && kept.back() != "..") {
      kept.pop_back();
    } else if (name != ".." || !rooted) {
      kept.push_back(name);
    }
    return true;
  });
  std::string out = rooted ? "/" : "";
  for (std::size_t i = 0; i < kept.size(); ++i) {
    if (i > 0) out += '/';
    out += kept[i];
  }
  return out.empty() ? "." : out;
}

}  // namespace tarn::block
