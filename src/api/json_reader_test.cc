#include "api/json_reader.h"

#include <gtest/gtest.h>

namespace tarn::api {
namespace {

JsonDocument parse(std::string_view text) {
  auto document = JsonDocument::parse(text);
  EXPECT_TRUE(document.has_value()) << text;
  return *std::move(document);
}

std::string error_of(std::string_view text) {
  const auto document = JsonDocument::parse(text);
  return document ? "(parsed)" : document.error().message;
}

TEST(JsonDocument, IgnoresTextAfterTheDocument) {
  EXPECT_EQ(parse(R"({"a":"b"} and more {)").root().text_of("a"), "b");
}

TEST(JsonDocument, TakesTheLastOfDuplicateKeys) {
  EXPECT_EQ(parse(R"({"a":"1","a":"2"})").root().text_of("a"), "2");
}

TEST(JsonDocument, ReadsABareNumber) {
  EXPECT_EQ(parse("42").root().integer(), 42);
}

TEST(JsonDocument, RefusesBrokenText) {
  EXPECT_EQ(error_of(R"({"a":)"), "unexpected EOF");
  EXPECT_EQ(error_of("  "), "EOF");
  EXPECT_NE(error_of("{a:1}"), "(parsed)");
  EXPECT_NE(error_of(R"("\ud800")"), "(parsed)");
}

TEST(JsonDocument, RefusesDeepNesting) {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  EXPECT_EQ(error_of(nested(JsonDocument::kDepthMax)), "(parsed)");
  EXPECT_NE(error_of(nested(JsonDocument::kDepthMax + 1)), "(parsed)");
  EXPECT_NE(error_of(std::string(1'000'000, '[')), "(parsed)");
}

TEST(JsonDocument, ReplacesInvalidUtf8) {
  EXPECT_EQ(parse("{\"a\":\"x\xff\"}").root().text_of("a"), "x\xEF\xBF\xBD");
}

TEST(JsonView, TellsKindsApart) {
  const auto document = parse(R"([null,true,1,"s",[],{}])");
  std::vector<JsonKind> kinds;
  for (const auto item : document.root().items())
    kinds.push_back(item.kind());
  EXPECT_EQ(kinds, (std::vector{JsonKind::null, JsonKind::boolean, JsonKind::number,
                                JsonKind::string, JsonKind::array, JsonKind::object}));
}

TEST(JsonView, ReadsOnlyWholeNumbersThatFit) {
  const auto document = parse("[1.0, 1.5, 9223372036854775807, 9223372036854775808, 1e300, -3]");
  std::vector<std::optional<std::int64_t>> numbers;
  for (const auto item : document.root().items())
    numbers.push_back(item.integer());
  EXPECT_EQ(numbers, (std::vector<std::optional<std::int64_t>>{1, std::nullopt, INT64_MAX,
                                                               std::nullopt, std::nullopt, -3}));
}

TEST(JsonView, AnswersNothingForAnotherKind) {
  const auto document = parse(R"({"n":1,"null":null,"m":{"a":"b"},"l":["x"]})");
  const JsonView root = document.root();
  EXPECT_EQ(root.text_of("n"), std::nullopt);
  EXPECT_EQ(root.integer_of("m"), std::nullopt);
  EXPECT_EQ(root.map_of("l"), std::nullopt);
  EXPECT_EQ(root.text_of("null"), std::nullopt);
  EXPECT_FALSE(root.flag_of("n"));
  EXPECT_EQ(root.map_of("m"), (std::map<std::string, std::string>{{"a", "b"}}));
  EXPECT_EQ(root.texts_of("l"), std::vector<std::string>{"x"});
  EXPECT_TRUE(root.texts_of("absent").empty());
}

}  // namespace
}  // namespace tarn::api
