#include "rest/error_response.h"

#include <gtest/gtest.h>

namespace tarn::rest {
namespace {

TEST(AnswerFor, KeepsTheTextOfAClientsMistake) {
  const auto answer = answer_for(Error(ErrorCode::no_changes, "commit: no changes"), true);
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(answer.message, "commit: no changes");
}

TEST(AnswerFor, FixesTextsClientsMatchOn) {
  const auto message = [](ErrorCode code) { return answer_for(Error(code, "x"), true).message; };
  EXPECT_EQ(message(ErrorCode::unauthenticated), "error authenticating request");
  EXPECT_EQ(message(ErrorCode::repository_in_deletion), "repository in deletion");
  EXPECT_EQ(message(ErrorCode::data_missing), "No data");
  EXPECT_EQ(message(ErrorCode::too_many_tries), "Too many attempts, try again later");
  EXPECT_EQ(message(ErrorCode::throttled), "Throughput exceeded. Slow down and retry");
}

TEST(AnswerFor, HidesInternalsFromStrangers) {
  const Error error(ErrorCode::corrupt, "stored branch does not parse");
  EXPECT_EQ(answer_for(error, false).message, "internal server error");
  EXPECT_EQ(answer_for(error, true).message, "stored branch does not parse");
  EXPECT_EQ(answer_for(error, false).status, 500);
}

TEST(StatusOf, SendsRefusedCallersTo401AndRefusedWritesTo403) {
  EXPECT_EQ(status_of(ErrorCode::permission_denied), 401);
  EXPECT_EQ(status_of(ErrorCode::protected_branch), 403);
  EXPECT_EQ(status_of(ErrorCode::read_only), 403);
}

TEST(StatusOf, LetsClientsRetryWhatMayPass) {
  EXPECT_EQ(status_of(ErrorCode::too_many_tries), 429);
  EXPECT_EQ(status_of(ErrorCode::unavailable), 503);
  EXPECT_EQ(status_of(ErrorCode::throttled), 503);
}

}  // namespace
}  // namespace tarn::rest
