// SPDX-License-Identifier: GPL-2.0-or-later
// One Job with its pods, as one plan sees them (upstream pkg/controller/job).
//
// Pods are counted exactly once: a pod that has ended is first named in
// status.uncountedTerminatedPods, then its finalizer is taken away, and only when that is done it
// becomes part of the counters. The status goes out before anything else of a plan.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "controllers/controller.h"
#include "controllers/index_set.h"
#include "controllers/pods.h"

namespace coracle::controllers {

inline constexpr std::string_view kJobFinalizer = "batch.kubernetes.io/job-tracking";
inline constexpr std::string_view kJobIndex = "batch.kubernetes.io/job-completion-index";
inline constexpr std::string_view kJobIndexFailures = "batch.kubernetes.io/job-index-failure-count";

// Complete or Failed.
bool is_finished_job(json::Node job);
bool has_job_finalizer(json::Node pod);
api::Call release_job_pod(const Parsed& pod);

class JobRun {
 public:
  JobRun(const Now& now, Parsed job);
  api::Plan plan();

 private:
  struct Verdict {  // how the Job ends
    bool success = false;
    std::string reason;
    std::string message;
  };
  using Uids = std::set<std::string, std::less<>>;

  // --- job.cc: the run as a whole
  void begin();
  void judge();
  void act();
  void finish();
  void suspend();
  std::optional<Verdict> standing_verdict() const;
  std::optional<Verdict> failure() const;
  std::optional<Verdict> index_failure() const;
  std::optional<Verdict> policy_success() const;
  bool has_reached_goal() const;
  int64_t restarts() const;
  void set_condition(std::string_view type, const Verdict& verdict);
  void write_status();

  // --- job_count.cc: pods that have ended
  void count();
  void settle_uncounted();
  void count_pod(const Parsed& pod);
  void count_success(const Parsed& pod);
  void count_failure(const Parsed& pod);
  bool has_failed(const Parsed& pod) const;
  std::string policy_action(const Parsed& pod);
  static bool rule_matches(json::Node rule, json::Node pod, std::string& why);
  Duration rest_after_failure(std::optional<int64_t> index) const;

  // --- job_pods.cc: pods that are to run
  void balance();
  void create_indexed(int64_t missing);
  void create_pod(std::optional<int64_t> index);
  json::Node write_pod(json::Tree& tree, std::optional<int64_t> index) const;
  int64_t failures_of(int64_t index) const;
  void remove_active(size_t surplus, bool counted);

  json::Node spec() const { return job_.node["spec"]; }
  bool is_indexed() const { return spec()["completionMode"].string() == "Indexed"; }
  bool replaces_only_failed() const {
    return spec()["podReplacementPolicy"].string() == "Failed" || spec()["podFailurePolicy"];
  }
  int64_t completions() const { return spec()["completions"].integer(); }
  int64_t index_of(const Parsed& pod) const;  // -1: none that counts
  int64_t succeeded() const;
  int64_t failed() const;

  const Now& now_;
  Parsed job_;
  Parsed next_;        // the Job as it will be written
  json::Node status_;  // of next_
  api::Plan plan_;
  std::vector<Parsed> pods_;
  std::vector<const Parsed*> active_;
  int64_t terminating_ = 0;
  IndexSet completed_;
  IndexSet failed_indexes_;
  Uids uncounted_succeeded_;
  Uids uncounted_failed_;
  std::vector<const Parsed*> to_release_;
  std::optional<Verdict> verdict_;
  size_t created_ = 0;
};

}  // namespace coracle::controllers
