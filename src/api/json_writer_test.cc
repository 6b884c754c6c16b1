#include "api/json_writer.h"

#include <limits>

#include <gtest/gtest.h>

namespace tarn::api {
namespace {

std::string text_json(std::string_view text) {
  std::string out;
  JsonWriter(out).value(text);
  return out;
}

TEST(JsonWriter, EscapesWhatMustBeEscaped) {
  EXPECT_EQ(text_json("a\"b\\c"), R"("a\"b\\c")");
  EXPECT_EQ(text_json("\n\r\t"), R"("\n\r\t")");
  EXPECT_EQ(text_json(std::string_view("\0\x1f\x7f", 3)), "\"\\u0000\\u001f\x7f\"");
  EXPECT_EQ(text_json("</script>"), R"("</script>")");
}

TEST(JsonWriter, EscapesAByteWhereverItStands) {
  for (std::size_t length = 1; length < 20; ++length) {
    for (std::size_t at = 0; at < length; ++at) {
      for (const char hurts : {'"', '\\', '\n', '\t', '\r'}) {
        std::string text(length, '!');
        text[at] = hurts;
        std::string out;
        JsonWriter(out).value(text);
        std::string expected = "\"" + std::string(length, '!') + "\"";
        expected.insert(at + 1, "\\");
        expected[at + 2] = hurts == '\n' ? 'n' : hurts == '\t' ? 't' : hurts == '\r' ? 'r' : hurts;
        EXPECT_EQ(out, expected);
      }
    }
  }
}

TEST(JsonWriter, KeepsValidUtf8AndReplacesTheRest) {
  EXPECT_EQ(text_json("grüße 🏔"), "\"grüße 🏔\"");
  EXPECT_EQ(text_json("a\xff"
                      "b"),
            "\"a\xEF\xBF\xBD"
            "b\"");
  EXPECT_EQ(text_json("\xC3"), "\"\xEF\xBF\xBD\"");
  EXPECT_EQ(text_json("\xC0\xAF"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\"");                  // overlong
  EXPECT_EQ(text_json("\xED\xA0\x80"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");  // surrogate
  EXPECT_EQ(text_json("\xF4\x90\x80\x80").size(), 2 + 4 * 3U);  // above U+10FFFF
}

TEST(JsonWriter, WritesWholeRangeOf64BitNumbers) {
  std::string out;
  JsonWriter writer(out);
  writer.begin_array();
  writer.value(std::numeric_limits<std::int64_t>::min());
  writer.value(std::numeric_limits<std::int64_t>::max());
  writer.value(0);
  writer.end_array();
  EXPECT_EQ(out, "[-9223372036854775808,9223372036854775807,0]");
}

TEST(JsonWriter, SetsCommasBetweenMembersAndItems) {
  std::string out;
  JsonWriter writer(out);
  writer.begin_object();
  writer.member("a", 1);
  writer.member("none", std::optional<std::string>());
  writer.member("list", std::vector<std::string>{"x", "y"});
  writer.member("map", std::map<std::string, std::string>{{"k\"", "v"}, {"l", ""}});
  writer.key("objects");
  writer.begin_array();
  writer.begin_object();
  writer.end_object();
  writer.begin_object();
  writer.member("flag", true);
  writer.end_object();
  writer.null();
  writer.end_array();
  writer.end_object();
  EXPECT_EQ(
      out,
      R"({"a":1,"list":["x","y"],"map":{"k\"":"v","l":""},"objects":[{},{"flag":true},null]})");
}

TEST(ToValidUtf8, LeavesValidTextAlone) {
  EXPECT_EQ(to_valid_utf8("naïve"), "naïve");
  EXPECT_EQ(to_valid_utf8("a\x80z"), "a\xEF\xBF\xBDz");
}

}  // namespace
}  // namespace tarn::api
