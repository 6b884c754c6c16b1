#include "rest/multipart_form.h"

#include <string>

#include <gtest/gtest.h>

#include "rest/testing/fake_http.h"
#include "testing/co_test.h"

namespace tarn::rest {
namespace {

constexpr std::string_view kForm =
    "preamble\r\n"
    "--B\r\nContent-Disposition: form-data; name=\"other\"\r\n\r\nx\r\n"
    "--B\r\ncontent-disposition: form-data; name=\"content\"; filename=\"a;b.txt\"\r\n"
    "Content-Type: text/plain\r\n\r\nhello\r\n--Bhello\r\n-world\r\n\r\n"
    "--B\r\nContent-Disposition: form-data; name=\"content\"\r\n\r\nsecond\r\n"
    "--B--\r\nepilogue";

/// Type and content of the part "content", with the form arriving in pieces of `step` bytes.
std::string parse(std::string_view form, std::size_t step) {
  FormParser parser("B", "content");
  std::string content;
  for (std::size_t at = 0; at < form.size(); at += step) {
    parser.feed(form.substr(at, step));
    content += parser.take();
  }
  if (parser.state() == FormParser::State::missing) return "(missing)";
  if (parser.state() != FormParser::State::done) return "(unfinished)";
  return parser.content_type() + "|" + content;
}

TEST(FormParser, FindsThePartHoweverTheBytesArrive) {
  for (std::size_t step = 1; step <= kForm.size(); ++step) {
    ASSERT_EQ(parse(kForm, step), "text/plain|hello\r\n--Bhello\r\n-world\r\n") << step;
  }
}

TEST(FormParser, FindsAnEmptyPart) {
  EXPECT_EQ(parse("--B\r\nContent-Disposition: form-data; name=content\r\n\r\n\r\n--B--\r\n", 7),
            "|");
}

TEST(FormParser, SaysWhenTheFormEndsWithoutThePart) {
  EXPECT_EQ(parse("--B\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\ny\r\n--B--\r\n", 5),
            "(missing)");
  EXPECT_EQ(parse("--B--\r\n", 3), "(missing)");
}

TEST(FormParser, WaitsForTheDelimiter) {
  EXPECT_EQ(parse("--B\r\nContent-Disposition: form-data; name=\"content\"\r\n\r\nhello", 100),
            "(unfinished)");
  EXPECT_EQ(parse("no delimiter at all", 4), "(unfinished)");
}

TEST(FormParser, RefusesHeadsThatDoNotParse) {
  FormParser garbage("B", "content");
  EXPECT_THROW(garbage.feed("--B\r\nno colon here\r\n\r\n"), Error);
  FormParser endless("B", "content");
  EXPECT_THROW(endless.feed("--B\r\nX: " + std::string(FormParser::kHeadMax, 'x')), Error);
}

struct BoundaryCase {
  std::string_view header;
  std::string_view expected;
};

TEST(ParseFormBoundary, ReadsQuotedAndBareBoundaries) {
  for (const auto& [header, expected] : std::initializer_list<BoundaryCase>{
           {"multipart/form-data; boundary=abc", "abc"},
           {"Multipart/Form-Data;boundary=\"a b;c\"; charset=x", "a b;c"},
           {"multipart/form-data; charset=x; Boundary=abc", "abc"},
           {"application/octet-stream; boundary=abc", "(none)"},
           {"", "(none)"},
           {"multipart/form-data", "(error)"},
           {"multipart/form-data; boundary=", "(error)"}}) {
    const auto boundary = parse_form_boundary(header);
    const std::string shown = !boundary ? "(error)" : boundary->value_or("(none)");
    EXPECT_EQ(shown, expected) << header;
  }
}

CO_TEST(FormPartSource, StreamsThePart) {
  testing::FakeRequest request({.target = "/", .body = std::string(kForm), .piece_bytes = 3});
  FormPartSource part(request.body(), "B", "content");
  EXPECT_EQ(co_await part.open(ctx), "text/plain");
  EXPECT_EQ(co_await io::read_all(ctx, part, 1'000), "hello\r\n--Bhello\r\n-world\r\n");
}

CO_TEST(FormPartSource, RefusesABodyThatEndsWithinThePart) {
  testing::FakeRequest request(
      {.target = "/", .body = std::string(kForm.substr(0, kForm.find("-world")))});
  FormPartSource part(request.body(), "B", "content");
  co_await part.open(ctx);
  CO_EXPECT_ERROR(io::read_all(ctx, part, 1'000), ErrorCode::invalid_argument);
}

CO_TEST(FormPartSource, RefusesAFormWithoutThePart) {
  testing::FakeRequest request({.target = "/", .body = "--B--\r\n"});
  FormPartSource part(request.body(), "B", "content");
  CO_EXPECT_ERROR(part.open(ctx), ErrorCode::invalid_argument);
}

}  // namespace
}  // namespace tarn::rest
