#include "catalog/recorded_codec.h"

#include "actions.pb.h"
#include "base/error.h"
#include "base/format.h"
#include "graveler.pb.h"
#include "kv.pb.h"

namespace tarn::catalog {

namespace {

template <class Message>
Message parse(std::string_view bytes, std::string_view what) {
  Message message;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    throw Error(ErrorCode::corrupt, format("a record of a {} does not parse", what));
  }
  return message;
}

/// The zero time of the reference is the year 1: it stands for "never".
Timestamp to_time(const google::protobuf::Timestamp& time) {
  constexpr std::int64_t kYearOne = -62'135'596'800;
  if (time.seconds() == kYearOne) return {};
  return {.seconds = time.seconds(), .nanos = time.nanos()};
}

}  // namespace

PullRequest decode_pull_request(std::string_view bytes) {
  namespace pb = ::io::treeverse::lakefs::graveler;
  const auto message = parse<pb::PullRequestData>(bytes, "pull request");
  PullRequest pull{.id = message.id(),
                   .created_at = to_time(message.created_at()),
                   .title = message.title(),
                   .author = message.author(),
                   .description = message.description(),
                   .source_branch = message.source_branch(),
                   .destination_branch = message.destination_branch(),
                   .merged_commit_id = message.commit_id()};
  switch (message.status()) {
    case pb::MERGED: pull.status = PullRequest::Status::merged; break;
    case pb::CLOSED: pull.status = PullRequest::Status::closed; break;
    default: pull.status = PullRequest::Status::open;
  }
  if (message.has_closed_at()) pull.closed_at = to_time(message.closed_at());
  return pull;
}

ActionRun decode_action_run(std::string_view bytes) {
  const auto message =
      parse<::io::treeverse::lakefs::actions::RunResultData>(bytes, "run of actions");
  return {.run_id = message.run_id(),
          .branch_id = message.branch_id(),
          .commit_id = message.commit_id(),
          .event_type = message.event_type(),
          .started_at = to_time(message.start_time()),
          .ended_at = to_time(message.end_time()),
          .passed = message.passed()};
}

HookRun decode_hook_run(std::string_view bytes) {
  const auto message =
      parse<::io::treeverse::lakefs::actions::TaskResultData>(bytes, "run of a hook");
  return {.hook_run_id = message.hook_run_id(),
          .hook_id = message.hook_id(),
          .action_name = message.action_name(),
          .started_at = to_time(message.start_time()),
          .ended_at = to_time(message.end_time()),
          .passed = message.passed()};
}

std::string decode_index(std::string_view bytes) {
  return parse<::io::treeverse::lakefs::kv::SecondaryIndex>(bytes, "secondary index").primary_key();
}

}  // namespace tarn::catalog
