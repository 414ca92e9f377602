// SPDX-License-Identifier: GPL-2.0-or-later
// One Deployment with its ReplicaSets, as one plan sees them. The steps of upstream
// pkg/controller/deployment live in rollout.cc (find and create), rollout_scale.cc (how many where)
// and rollout_status.cc (status and conditions).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "controllers/controller.h"
#include "controllers/owners.h"

namespace coracle::controllers {

class Rollout {
 public:
  Rollout(const Now& now, Parsed deployment);
  api::Plan plan();

 private:
  // --- rollout.cc
  void find_sets();
  void sync();
  void sync_paused_or_scaled();
  void sync_rolling();
  void sync_recreate();
  int64_t next_revision() const;
  bool keep_fresh_set();
  bool note_found(int64_t revision);
  bool set_revision(json::Node deployment, int64_t revision) const;
  void create_fresh_set();
  std::string set_name(std::string_view hash) const;
  json::Node write_fresh_set(json::Tree& tree, std::string_view hash) const;
  api::Call create_set_call(std::string_view hash) const;
  bool note_pause();
  void delete_history();
  bool old_pods_run() const;

  // --- rollout_scale.cc
  bool is_scaling() const;
  bool scale_proportionally();
  bool scale_by_share(std::vector<const Parsed*> active);
  int64_t share_of(const Parsed& set, int64_t allowed) const;
  bool scale_fresh();
  bool scale_down_old();
  bool scale_all_old_to_zero();
  bool scale_to(const Parsed& set, int64_t replicas);
  int64_t fresh_replicas() const;
  int64_t max_surge() const;
  int64_t max_unavailable() const;

  // --- rollout_status.cc
  enum class Progress : uint8_t { kKeep, kJudge };
  void write_status(Progress progress);
  void count_into(json::Node status) const;
  void judge_availability(json::Node status) const;
  void judge_progress(json::Node status) const;
  void move_failures(json::Node status) const;
  void watch_deadline(json::Node status);
  bool is_complete(json::Node status) const;
  bool is_progressing(json::Node status) const;
  bool has_timed_out(json::Node status) const;
  Wall deadline(json::Node progressing) const;
  bool has_deadline() const;

  json::Node spec() const { return deployment_.node["spec"]; }
  int64_t replicas() const { return spec()["replicas"].integer(1); }
  bool is_rolling() const {
    return spec()["strategy"]["type"].string("RollingUpdate") != "Recreate";
  }

  const Now& now_;
  Parsed deployment_;
  std::vector<Parsed> sets_;       // all, oldest first
  const Parsed* fresh_ = nullptr;  // the one whose template is the deployment's; null: not made yet
  std::vector<const Parsed*> old_;  // the others, oldest first
  api::Plan plan_;
};

inline int64_t wanted_by(const Parsed& set) {
  return set.node["spec"]["replicas"].integer(1);
}

// maxSurge (rounded up) and maxUnavailable (down): an integer or a percentage of `total`.
int64_t resolve_share(json::Node value, int64_t total, bool round_up, int64_t otherwise_percent);

inline constexpr std::string_view kRevision = "deployment.kubernetes.io/revision";
inline constexpr std::string_view kRevisionHistory = "deployment.kubernetes.io/revision-history";
inline constexpr std::string_view kDesiredReplicas = "deployment.kubernetes.io/desired-replicas";
inline constexpr std::string_view kMaxReplicas = "deployment.kubernetes.io/max-replicas";
inline constexpr std::string_view kTemplateHash = "pod-template-hash";

}  // namespace coracle::controllers
