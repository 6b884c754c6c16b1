// What goes out together, and what its answers mean for the jobs in it.
#pragma once

#include <memory>
#include <vector>

#include "kv/postgres/jobs.h"
#include "kv/postgres/session.h"

namespace tarn::kv {

/// The lane, as its groups see it.
class JobOwner {
 public:
  virtual void settled(const Job& job) = 0;  // has just been answered
  virtual void again(std::shared_ptr<ReadJob> job) = 0;
  virtual void again(std::shared_ptr<RunJob> job) = 0;
  virtual void again(std::shared_ptr<QueryJob> job) = 0;

 protected:
  ~JobOwner() = default;
};

/// Thrown (as an exception_ptr) when an answer was lost: a write may have happened.
std::exception_ptr lost_connection();

std::unique_ptr<Group> make_group(JobOwner& owner, std::vector<std::shared_ptr<ReadJob>> jobs);
/// No address is written twice by the current parts of `jobs`. `locks`: take guard_locks() first.
std::unique_ptr<Group> make_group(JobOwner& owner, std::vector<std::shared_ptr<RunJob>> jobs,
                                  bool locks);
std::unique_ptr<Group> make_group(JobOwner& owner, std::shared_ptr<QueryJob> job);

}  // namespace tarn::kv
