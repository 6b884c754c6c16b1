// The shared files of AWS's tools, ~/.aws/credentials and ~/.aws/config: text to values. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace tarn::aws {

/// The keys of one section, in lower case; the last of equal keys wins.
using Profile = std::map<std::string, std::string>;

/// The section `name`, or in a config file "profile name"; nullopt when there is none. Lines that
/// are neither section, key nor comment, and nested (indented) ones, are skipped.
std::optional<Profile> find_profile(std::string_view text, std::string_view name);

/// Value of a key; nullopt when absent or empty.
std::optional<std::string> find_value(const Profile& profile, const std::string& key);

}  // namespace tarn::aws
