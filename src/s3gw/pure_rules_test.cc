// Ranges, conditions, headers, tokens: the rules that need no server.
#include <gtest/gtest.h>

#include "base/random.h"
#include "s3gw/branch_order.h"
#include "s3gw/byte_range.h"
#include "s3gw/conditions.h"
#include "s3gw/continuation_token.h"
#include "s3gw/copy_source.h"
#include "s3gw/encoded_words.h"
#include "s3gw/error_response.h"
#include "s3gw/object_headers.h"
#include "s3gw/part_count.h"

namespace tarn::s3gw {

namespace {

std::string range_of(std::string_view header, std::uint64_t size) {
  const RangeAnswer answer = resolve_range(header, size);
  if (answer.kind == RangeAnswer::Kind::whole) return "whole";
  if (answer.kind == RangeAnswer::Kind::unsatisfiable) return "416";
  return content_range(answer.range, size);
}

TEST(ByteRange, AnswersAsTheReferenceTable) {
  EXPECT_EQ(range_of("bytes=0-0", 100), "bytes 0-0/100");
  for (const char* all : {"bytes=0-100", "bytes=0-999999", "bytes=0-", "bytes=-100", "bytes=-101",
                          "bytes=0-99999999999999999999"}) {
    EXPECT_EQ(range_of(all, 100), "bytes 0-99/100") << all;
  }
  EXPECT_EQ(range_of("bytes=00-01", 100), "bytes 0-1/100");
  EXPECT_EQ(range_of("bytes=-1", 100), "bytes 99-99/100");
  for (const char* none : {"bytes=100-110", "bytes=-0", "bytes=99999999999999999999-"}) {
    EXPECT_EQ(range_of(none, 100), "416") << none;
  }
  for (const char* ignored : {"bytes=10-5", "bytes=a-z", "bytes=0-0,1-2", "bytes= -1", "foo=0-1",
                              "bytes=0 -1", "bytes=-", "bytes=", "0-1"}) {
    EXPECT_EQ(range_of(ignored, 100), "whole") << ignored;
  }
  EXPECT_EQ(range_of("bytes=-5", 0), "416");
  EXPECT_EQ(range_of("bytes=0-", 0), "416");
  EXPECT_EQ(resolve_range(std::nullopt, 5).kind, RangeAnswer::Kind::whole);
}

constexpr Timestamp kModified{.seconds = 1'000'000, .nanos = 5};
constexpr Timestamp kNow{.seconds = 2'000'000};

Verdict verdict(Preconditions conditions) {
  return evaluate(conditions, "abc", kModified, kNow);
}

std::string at(std::int64_t seconds) {
  return to_http_date({.seconds = seconds});
}

TEST(Conditions, FollowTheOrderOfRfc9110) {
  using Kind = Verdict::Kind;
  EXPECT_EQ(verdict({}).kind, Kind::proceed);
  EXPECT_EQ(verdict({.if_match = "\"abc\""}).kind, Kind::proceed);
  EXPECT_EQ(verdict({.if_match = "x, W/\"abc\""}).kind, Kind::proceed);
  EXPECT_EQ(verdict({.if_match = "*"}).kind, Kind::proceed);
  EXPECT_EQ(verdict({.if_match = "\"x\""}), (Verdict{Kind::failed, "If-Match"}));
  EXPECT_EQ(verdict({.if_none_match = "abc"}), (Verdict{Kind::not_modified, "If-None-Match"}));
  EXPECT_EQ(verdict({.if_none_match = "\"x\""}).kind, Kind::proceed);
  EXPECT_EQ(verdict({.if_modified_since = at(1'000'000)}).kind, Kind::not_modified);
  EXPECT_EQ(verdict({.if_modified_since = at(999'999)}).kind, Kind::proceed);
  EXPECT_EQ(verdict({.if_unmodified_since = at(999'999)}).kind, Kind::failed);
  EXPECT_EQ(verdict({.if_unmodified_since = at(1'000'000)}).kind, Kind::proceed);
  // A true If-Match overrides the date; so does a false If-None-Match.
  EXPECT_EQ(verdict({.if_match = "abc", .if_unmodified_since = at(1)}).kind, Kind::proceed);
  EXPECT_EQ(verdict({.if_none_match = "x", .if_modified_since = at(1'000'001)}).kind,
            Kind::proceed);
  EXPECT_EQ(verdict({.if_match = "abc", .if_none_match = "abc"}).kind, Kind::not_modified);
  // What is no date, or lies ahead, says nothing.
  EXPECT_EQ(verdict({.if_modified_since = "yesterday"}).kind, Kind::proceed);
  EXPECT_EQ(verdict({.if_modified_since = at(3'000'000)}).kind, Kind::proceed);
  EXPECT_EQ(verdict({.if_modified_since = "1970-01-12T13:46:40Z"}).kind, Kind::not_modified);
}

TEST(CopySource, IsDecodedOnceWithoutItsVersion) {
  const auto source = parse_copy_source("/repo/main/a%20b+%3FversionId=x?versionId=null");
  ASSERT_TRUE(source);
  EXPECT_EQ(source->bucket, "repo");
  EXPECT_EQ(source->key, (ObjectKey{"main", true, "a b+?versionId=x"}));
  EXPECT_EQ(source->version, "null");
  for (const char* bad : {"", "/", "repo", "repo/", "repo/main", "repo/main/", "/repo//x",
                          "repo/main/%zz", "//main/x"}) {
    EXPECT_FALSE(parse_copy_source(bad)) << bad;
  }
}

TEST(CopySource, TakesRangesWithBothEndsOnly) {
  const auto range = parse_copy_range("bytes=5-9");
  ASSERT_TRUE(range);
  EXPECT_EQ(range->first, 5U);
  EXPECT_EQ(range->last, 9U);
  for (const char* bad : {"", "bytes=", "bytes=5-", "bytes=-5", "bytes=9-5", "5-9", "bytes=0-1,3-4",
                          "bytes=a-b", "bytes=0-99999999999999999999"}) {
    EXPECT_FALSE(parse_copy_range(bad)) << bad;
  }
}

TEST(EncodedWords, BecomeTextAndBack) {
  EXPECT_EQ(decode_words("plain"), "plain");
  EXPECT_EQ(decode_words("=?UTF-8?Q?caf=C3=A9_x?="), "café x");
  EXPECT_EQ(decode_words("=?utf-8?B?w6k=?= =?utf-8?b?w6k=?= a"), "éé a");
  EXPECT_EQ(decode_words("=?ISO-8859-1?Q?=E9?="), "é");
  EXPECT_EQ(decode_words("\xe9"), "é");
  EXPECT_EQ(decode_words("é"), "é");
  for (const char* none : {"=?", "=?utf-8?", "=?utf-8?Q?", "=?utf-8?Q?=zz?=", "=?koi8?Q?a?="}) {
    EXPECT_EQ(decode_words(none), none);
  }
  EXPECT_EQ(encode_words("plain text"), "plain text");
  EXPECT_EQ(encode_words("é _=?"), "=?UTF-8?Q?=C3=A9_=5F=3D=3F?=");
  EXPECT_EQ(decode_words(encode_words("naïve – ok\n")), "naïve – ok\n");
}

TEST(ObjectHeaders, KeepUserMetadataInTheReferencesForm) {
  const auto stored = stored_metadata({{"X-Amz-Meta-Foo", " a "},
                                       {"x-amz-meta-foo", "b"},
                                       {"x-amz-meta-u", "=?UTF-8?Q?=C3=A9?="},
                                       {"Content-Encoding", "aws-chunked, gzip"},
                                       {"Cache-Control", "no-store"},
                                       {"Content-Type", "text/plain"}});
  ASSERT_TRUE(stored);
  EXPECT_EQ(*stored, (versioning::Metadata{{"X-Amz-Meta-foo", "a,b"},
                                           {"X-Amz-Meta-u", "é"},
                                           {"::tarn::cache-control", "no-store"},
                                           {"::tarn::content-encoding", "gzip"}}));
  EXPECT_EQ(*stored_metadata({{"content-encoding", "aws-chunked"}}), versioning::Metadata{});
}

TEST(ObjectHeaders, ShowBothSpellingsOfMetadataAndCountWhatHasNoName) {
  const HeaderFields shown = shown_headers({{"X-Amz-Meta-foo", "prefixed"},
                                            {"foo", "bare"},
                                            {"Bar", "é"},
                                            {"no token", "x"},
                                            {"::lakefs::import", "hidden"},
                                            {"::tarn::expires", "0"}});
  EXPECT_EQ(shown, (HeaderFields{{"expires", "0"},
                                 {"x-amz-meta-bar", "=?UTF-8?Q?=C3=A9?="},
                                 {"x-amz-meta-foo", "prefixed"},
                                 {"x-amz-missing-meta", "1"}}));
}

TEST(ObjectHeaders, RefuseWhatMustNotBeIgnored) {
  EXPECT_TRUE(check_write_headers({{"x-amz-server-side-encryption", "AES256"}}));
  for (const auto& [name, value] : std::vector<std::pair<std::string, std::string>>{
           {"x-amz-server-side-encryption", "aws:kms"},
           {"X-Amz-Server-Side-Encryption-Customer-Key", "k"},
           {"x-amz-object-lock-mode", "GOVERNANCE"},
           {"x-amz-write-offset-bytes", "3"}}) {
    const auto ok = check_write_headers({{name, value}});
    ASSERT_FALSE(ok) << name;
    EXPECT_EQ(ok.error().code, aws::S3ErrorCode::not_implemented);
  }
  EXPECT_EQ(stored_metadata({{"x-amz-storage-class", "WARM"}}).error().code,
            aws::S3ErrorCode::invalid_storage_class);
  EXPECT_EQ(stored_metadata({{"x-amz-meta-a", std::string(2'048, 'x')}}).error().code,
            aws::S3ErrorCode::metadata_too_large);
}

TEST(ContinuationToken, ComesBackOnlyAsItWasMade) {
  const std::string token = make_token("main/ü\x01", true);
  EXPECT_EQ(parse_token(token), "main/ü\x01");
  EXPECT_EQ(parse_token(make_token("", false)), "");
  for (std::size_t i = 0; i < token.size(); ++i) {
    std::string broken = token;
    broken[i] = broken[i] == 'A' ? 'B' : 'A';
    EXPECT_EQ(parse_token(broken), std::nullopt) << i;
  }
  EXPECT_EQ(parse_token(""), std::nullopt);
  EXPECT_EQ(parse_token("main/a"), std::nullopt);
}

TEST(BranchOrder, IsThatOfNamesWithASlash) {
  BranchOrder order;
  std::vector<std::string> ready;
  for (const char* name : {"a", "a-", "a-b", "a-b-c", "a-c", "a0", "a_", "b"})
    order.add(name, ready);
  order.finish(ready);
  std::vector<std::string> expected = ready;
  std::ranges::sort(expected, {}, [](const std::string& name) { return name + '/'; });
  EXPECT_EQ(ready, expected);
  EXPECT_EQ(ready.size(), 8U);
  EXPECT_EQ(earlier_names("a-b-c"), (std::vector<std::string>{"a", "a-b", "a-b-c"}));
  EXPECT_EQ(earlier_names(""), std::vector<std::string>{});
}

TEST(PartCount, IsReadFromMultipartEtags) {
  EXPECT_EQ(part_count_of("d41d8cd98f00b204e9800998ecf8427e-3"), 3U);
  EXPECT_EQ(part_count_of("d41d8cd98f00b204e9800998ecf8427e"), std::nullopt);
  EXPECT_EQ(part_count_of("x-y"), std::nullopt);
  EXPECT_FALSE(parse_part_number("0"));
  EXPECT_FALSE(parse_part_number("10001"));
  EXPECT_FALSE(parse_part_number("1x"));
  EXPECT_EQ(*parse_part_number("10000"), 10'000U);
}

TEST(ErrorResponse, KeepsAnS3FailuresOwnAnswer) {
  const aws::S3Failure failure({.code = aws::S3ErrorCode::bad_digest, .message = "m"});
  EXPECT_EQ(s3_error_of(failure).code, aws::S3ErrorCode::bad_digest);
  const Error error(ErrorCode::internal, "secret path");
  EXPECT_EQ(s3_error_of(error).message, "");
}

}  // namespace

}  // namespace tarn::s3gw
