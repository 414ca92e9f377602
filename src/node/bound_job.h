// SPDX-License-Identifier: GPL-2.0-or-later
// Jobs of a lane that end with their owner: one whose owner is gone runs to its end and tells
// nobody.
#pragma once

#include <algorithm>
#include <vector>

#include "port/disk.h"

namespace coracle::node {

class BoundJob;

// A member of the owner; all of its jobs are cut loose with it.
class BoundJobs {
 public:
  BoundJobs() = default;
  ~BoundJobs();
  BoundJobs(const BoundJobs&) = delete;
  BoundJobs& operator=(const BoundJobs&) = delete;
  size_t under_way() const { return jobs_.size(); }

 private:
  friend class BoundJob;
  std::vector<BoundJob*> jobs_;
};

class BoundJob : public port::Job {
 public:
  explicit BoundJob(BoundJobs& jobs) : jobs_(&jobs) { jobs.jobs_.push_back(this); }
  ~BoundJob() override { leave(); }
  BoundJob(const BoundJob&) = delete;
  BoundJob& operator=(const BoundJob&) = delete;
  void done() final {
    if (jobs_ == nullptr) return;
    leave();
    finished();
  }

 protected:
  virtual void finished() = 0;  // on the loop; the owner is there

 private:
  friend class BoundJobs;
  void leave() {
    if (jobs_ != nullptr) std::erase(jobs_->jobs_, this);
    jobs_ = nullptr;
  }
  BoundJobs* jobs_;
};

inline BoundJobs::~BoundJobs() {
  for (BoundJob* job : jobs_)
    job->jobs_ = nullptr;
}

}  // namespace coracle::node
