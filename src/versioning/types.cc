#include "versioning/types.h"

#include "sst/ident.h"

namespace tarn::versioning {

CommitId compute_commit_id(const Commit& commit) {
  std::vector<std::string> parents;
  parents.reserve(commit.parents.size());
  for (const CommitId& parent : commit.parents)
    parents.push_back(parent.str());
  sst::IdentEncoder parent_list;
  parent_list.add_string_list(parents);
  sst::IdentEncoder ident;
  ident.add_string("commit:v1")
      .add_string(commit.committer)
      .add_string(commit.message)
      .add_string(commit.meta_range_id)
      .add_int64(commit.creation_date.seconds)
      .add_string_map(commit.metadata)
      .add_embedded(parent_list.digest());
  return CommitId::from_stored(ident.hex_digest());
}

}  // namespace tarn::versioning
