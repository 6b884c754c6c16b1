// Reading JSON from outside: a parsed document and light views of its values. Boost.JSON stays
// behind these two classes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace tarn::api {

enum class JsonKind : std::uint8_t { null, boolean, number, string, array, object };

/// A value of a Document, which it must not outlive. The typed accessors answer for what is there:
/// nullopt (or nothing) when the value is of another kind.
class JsonView {
 public:
  JsonKind kind() const;

  bool is_null() const { return kind() == JsonKind::null; }

  /// Valid UTF-8: other bytes have become U+FFFD.
  std::optional<std::string> text() const;
  std::optional<bool> boolean() const;
  /// A number without fraction that fits ("1.0" counts).
  std::optional<std::int64_t> integer() const;

  /// The member of an object; the last one of that name.
  std::optional<JsonView> find(std::string_view name) const;
  std::vector<JsonView> items() const;
  std::vector<std::pair<std::string, JsonView>> members() const;

  // --- what decoding a checked document needs: nullopt for absent, null or another kind ---
  std::optional<std::string> text_of(std::string_view name) const;
  std::optional<std::int64_t> integer_of(std::string_view name) const;
  std::optional<std::map<std::string, std::string>> map_of(std::string_view name) const;
  std::vector<std::string> texts_of(std::string_view name) const;
  /// false unless the member is true.
  bool flag_of(std::string_view name) const;

 private:
  friend class JsonDocument;

  explicit JsonView(const void* value) : value_(value) {}

  const void* value_;  // boost::json::value
};

/// Nesting is limited, text after the document is ignored, the last of duplicate keys wins: as the
/// reference reads requests.
class JsonDocument {
 public:
  static constexpr std::size_t kDepthMax = 32;

  /// The error's text is the one clients see after "failed to decode request body: ".
  static std::expected<JsonDocument, ParseError> parse(std::string_view text);

  JsonDocument(JsonDocument&&) noexcept;
  JsonDocument& operator=(JsonDocument&&) noexcept;
  ~JsonDocument();

  JsonView root() const;

 private:
  struct Tree;
  explicit JsonDocument(std::unique_ptr<Tree> tree);

  std::unique_ptr<Tree> tree_;
};

}  // namespace tarn::api
