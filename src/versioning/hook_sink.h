// The seam through which hooks (a layer above) see and may refuse what the engine does.
#pragma once

#include <cstdint>
#include <string>

#include "base/context.h"
#include "base/task.h"
#include "versioning/types.h"

namespace tarn::versioning {

enum class HookEvent : std::uint8_t {
  prepare_commit,
  pre_commit,
  post_commit,
  pre_merge,
  post_merge,
  pre_create_branch,
  post_create_branch,
  pre_delete_branch,
  post_delete_branch,
  pre_create_tag,
  post_create_tag,
  pre_delete_tag,
  post_delete_tag,
  pre_revert,
  post_revert,
  pre_cherry_pick,
  post_cherry_pick,
};

struct HookRecord {
  HookEvent event;
  const Repository* repository = nullptr;
  std::string branch;            // branch or tag acted on
  std::string source_ref;        // where action files are read from
  std::optional<Commit> commit;  // the commit about to be made, or made
  std::string pre_run_id;        // post events: the run of their pre event, if it ran
};

/// Throws Error{hook_aborted} from a pre event to stop the operation; post events never fail it.
class HookSink {
 public:
  virtual ~HookSink() = default;
  /// Returns the run id, "" if no action matched.
  virtual Task<std::string> run(Context& ctx, const HookRecord& record) = 0;

 protected:
  HookSink() = default;
  HookSink(const HookSink&) = delete;
  HookSink& operator=(const HookSink&) = delete;
};

class NoHooks final : public HookSink {
 public:
  Task<std::string> run(Context& ctx, const HookRecord& record) override;
};

}  // namespace tarn::versioning
