#include "base/log.h"

#include <cmath>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

#include "base/error.h"
#include "testing/temp_dir.h"

namespace tarn::log {
namespace {

using namespace std::string_literals;

constexpr Timestamp kNow{1'795'255'200, 5'000'000};
constexpr auto kJson = Config::Format::json;
constexpr auto kText = Config::Format::text;

TEST(LogText, QuotesOnlyWhatNeedsIt) {
  EXPECT_EQ(render_line(kText, kNow, Level::info, "r1", "commit created",
                        {{"took_ms", 12}, {"repo", "a"}, {"note", "two words"}, {"none", ""}}),
            "2026-11-21T10:00:00.005Z info  commit created request_id=r1 took_ms=12 repo=a "
            "note=\"two words\" none=\"\"");
}

TEST(LogText, CannotBeForgedByALineBreak) {
  const std::string line =
      render_line(kText, kNow, Level::warn, "a\nb", "m\nx", {{"k", "v\r\nINFO"}});
  EXPECT_EQ(line.find('\n'), std::string::npos);
  EXPECT_EQ(line.find('\r'), std::string::npos);
}

TEST(LogJson, WritesNumbersAndBooleansBareAndTextQuoted) {
  EXPECT_EQ(render_line(kJson, kNow, Level::error, {}, "m",
                        {{"n", -7}, {"ok", true}, {"s", "7"}, {"d", 0.5}}),
            R"({"time":"2026-11-21T10:00:00.005Z","level":"error","message":"m",)"
            R"("n":-7,"ok":true,"s":"7","d":0.500000})");
}

TEST(LogJson, EscapesQuotesBackslashesAndControlCharacters) {
  EXPECT_EQ(render_line(kJson, {}, Level::info, "q\"", "a\\b\nc\x01", {{"k", "\t\x7fé"}}),
            R"({"time":"1970-01-01T00:00:00Z","level":"info","message":"a\\b\nc\u0001",)"
            R"("request_id":"q\"","k":"\u0009\u007fé"})");
}

TEST(LogJson, ReplacesBytesThatAreNotUtf8) {
  EXPECT_EQ(render_line(kJson, {}, Level::info, {}, "a\xff\xe2\x82z\0"s, {}),
            "{\"time\":\"1970-01-01T00:00:00Z\",\"level\":\"info\",\"message\":"
            "\"a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz\\u0000\"}");
}

TEST(LogJson, QuotesNumbersJsonDoesNotKnow) {
  const std::string line =
      render_line(kJson, {}, Level::info, {}, "m", {{"a", std::nan("")}, {"b", -HUGE_VAL}});
  EXPECT_NE(line.find(R"("b":"-inf")"), std::string::npos) << line;
  EXPECT_NE(line.find(R"("a":"nan")"), std::string::npos) << line;
}

std::string contents(const std::string& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// Puts the process-wide configuration back.
struct LogFile : ::testing::Test {
  void TearDown() override { configure({}); }

  testing::TempDir dir;
};

TEST_F(LogFile, ReceivesLinesAtOrAboveItsLevelAtOnce) {
  configure({.level = Level::warn, .format = kJson, .output = dir.file("log")});
  EXPECT_FALSE(enabled(Level::info));
  info("not written");
  const Context ctx(Context::kNoDeadline, "req-7");
  write(Level::warn, ctx, "written", {{"k", 1}});
  error("also {} %v written");
  const std::string text = contents(dir.file("log"));
  EXPECT_EQ(text.find("not written"), std::string::npos);
  EXPECT_NE(text.find(R"("message":"written","request_id":"req-7","k":1})"
                      "\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find(R"("message":"also {} %v written"})"), std::string::npos) << text;
}

TEST_F(LogFile, IsAppendedTo) {
  for (int i = 0; i < 2; ++i) {
    configure({.output = dir.file("log")});
    info("again");
  }
  const std::string text = contents(dir.file("log"));
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2);
}

TEST_F(LogFile, StaysSilentWhenOff) {
  configure({.level = Level::off, .output = dir.file("log")});
  error("nothing");
  write(Level::off, "nothing");
  EXPECT_EQ(contents(dir.file("log")), "");
}

TEST_F(LogFile, IsRefusedWhenItCannotBeOpened) {
  try {
    configure({.output = dir.str()});
    ADD_FAILURE() << "opened a directory";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
  }
}

}  // namespace
}  // namespace tarn::log
