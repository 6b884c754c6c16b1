#include "aws/credentials/profile_file.h"

#include <algorithm>

#include "aws/signed_request.h"

namespace tarn::aws {

namespace {

std::string_view next_line(std::string_view& text) {
  const auto end = std::min(text.find('\n'), text.size());
  std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

bool names(std::string_view section, std::string_view name) {
  section = trim(section);
  if (section == name) return true;
  constexpr std::string_view kProfile = "profile";
  if (!section.starts_with(kProfile)) return false;
  section.remove_prefix(kProfile.size());
  return section.find_first_of(" \t") == 0 && trim(section) == name;
}

/// A comment after a value starts with white space and a mark.
std::string_view without_comment(std::string_view value) {
  for (const std::string_view mark : {" #", " ;", "\t#", "\t;"})
    value = value.substr(0, value.find(mark));
  return trim(value);
}

}  // namespace

std::optional<Profile> find_profile(std::string_view text, std::string_view name) {
  std::optional<Profile> found;
  bool inside = false;
  while (!text.empty()) {
    const std::string_view line = next_line(text);
    if (line.empty() || line.front() == '#' || line.front() == ';') continue;
    if (line.front() == '[') {
      const auto end = line.find(']');
      inside = end != std::string_view::npos && names(line.substr(1, end - 1), name);
      if (inside && !found) found.emplace();
      continue;
    }
    const auto equals = line.find('=');
    if (!inside || equals == std::string_view::npos || line.front() == ' ' ||
        line.front() == '\t') {
      continue;
    }
    (*found)[to_lower(trim(line.substr(0, equals)))] =
        std::string(without_comment(line.substr(equals + 1)));
  }
  return found;
}

std::optional<std::string> find_value(const Profile& profile, const std::string& key) {
  const auto found = profile.find(key);
  if (found == profile.end() || found->second.empty()) return std::nullopt;
  return found->second;
}

}  // namespace tarn::aws
