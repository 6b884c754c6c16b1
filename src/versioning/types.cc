#include "versioning/types.h"

#include "versioning/ident.h"

namespace tarn::versioning {

CommitId compute_commit_id(const Commit& commit) {
  std::vector<std::string> parents;
  parents.reserve(commit.parents.size());
  for (const CommitId& parent : commit.parents)
    parents.push_back(parent.str());
  return CommitId::from_stored(Ident()
                                   .string("commit:v1")
                                   .string(commit.committer)
                                   .string(commit.message)
                                   .string(commit.meta_range_id)
                                   .int64(commit.creation_date.seconds)
                                   .string_map(commit.metadata)
                                   .embedded(Ident().string_list(parents).identity())
                                   .address());
}

}  // namespace tarn::versioning
