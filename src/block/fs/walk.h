// Lists the files of a directory tree in the byte order of their whole paths, page by page.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/context.h"
#include "block/fs/files.h"
#include "block/object_store.h"

namespace tarn::block::fs {

struct WalkOptions {
  std::string_view prefix = {};  // of the paths to list
  std::string_view after = {};   // list only paths above this one
  std::size_t objects_max = 1'000;
  /// Hide the store's own things at the top: part files, and the private directory.
  bool hide_parts = true;
  bool hide_private = false;
  Context::Deadline deadline = Context::kNoDeadline;
};

/// Regular files below `top`; symbolic links are not followed and not listed. Holds the names of
/// one directory per level in memory and never more than one directory open. Blocking; throws.
ListPage walk(Files& files, int top, const WalkOptions& options);

}  // namespace tarn::block::fs
