// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/decide.h"

#include <algorithm>
#include <array>

#include "node/spec.h"

namespace coracle::node {

namespace {

constexpr Duration kGraceMin = seconds(2);  // upstream minimumGracePeriodInSeconds
constexpr std::array<std::string_view, 10> kActionNames = {
    "create-sandbox", "move",          "fail",       "start",       "stop",
    "kill",           "image-backoff", "crash-loop", "end-sandbox", "delete"};

bool succeeded(const ContainerState& state) {
  return state.run == RunState::kTerminated && state.ended && state.ended->exit_code == 0;
}

bool init_done(const ContainerSpec& spec, const ContainerState& state) {
  if (!spec.sidecar) return succeeded(state);
  return state.start_probed &&
         (state.run == RunState::kRunning || state.attempt > 0 || state.ended);
}

class Decider {
 public:
  Decider(json::Node pod, const PodRecord& record, Mono now)
      : pod_(pod),
        record_(record),
        now_(now),
        specs_(containers_of(pod)) {}

  Decision run() {
    switch (record_.phase) {
      case Phase::kNew:
        fresh();
        break;
      case Phase::kSettingUp:
        setting_up();
        break;
      case Phase::kRunning:
        running();
        break;
      case Phase::kStopping:
        stopping();
        break;
      case Phase::kEnded:
        ended();
        break;
      case Phase::kRemoved:
        break;
    }
    return std::move(decision_);
  }

 private:
  void fresh();
  void setting_up();
  void running();
  void stopping();
  void ended();
  bool must_stop() const { return record_.failed || record_.gone || is_deleting(pod_); }
  bool past_deadline();
  bool all_over() const;
  bool init_phase();
  void keep_sidecars(size_t before);
  void main_phase();
  void consider_start(size_t index);
  bool consider_stop(size_t index);
  bool stop_group(bool sidecars);
  Duration grace(size_t index) const;

  const ContainerState& state(size_t index) const { return record_.containers[index]; }
  void act(ActionType type, size_t container = 0) {
    decision_.actions.push_back({type, container, Phase::kNew, {}, {}});
  }
  void move(Phase to) { decision_.actions.push_back({ActionType::kMove, 0, to, {}, {}}); }
  void wake(Mono at) {
    if (!decision_.again_at || at < *decision_.again_at) decision_.again_at = at;
  }

  json::Node pod_;
  const PodRecord& record_;
  Mono now_;
  std::vector<ContainerSpec> specs_;
  Decision decision_;
};

// --- Phases

void Decider::fresh() {
  if (must_stop()) return move(Phase::kEnded);
  const std::string what = unsupported_feature(pod_);
  if (!what.empty()) {
    decision_.actions.push_back({ActionType::kFail, 0, Phase::kNew, "Unsupported", what});
    return;
  }
  if (past_deadline()) return;
  if (all_over()) return move(Phase::kEnded);
  if (now_ < record_.retry_at) return wake(record_.retry_at);
  act(ActionType::kCreateSandbox);
}

void Decider::setting_up() {
  if (must_stop()) move(Phase::kStopping);
}

void Decider::running() {
  if (must_stop()) return move(Phase::kStopping);
  if (past_deadline()) return;
  for (size_t i = 0; i < specs_.size(); ++i)
    consider_stop(i);
  if (init_phase()) main_phase();
}

void Decider::stopping() {
  if (stop_group(false)) return;
  if (stop_group(true)) return;
  act(ActionType::kEndSandbox);
  move(Phase::kEnded);
}

void Decider::ended() {
  if (record_.gone) return move(Phase::kRemoved);
  if (is_deleting(pod_) && record_.final_stored) act(ActionType::kDelete);
}

// --- Parts

// Upstream pkg/kubelet/active_deadline.go.
bool Decider::past_deadline() {
  const json::Node limit = pod_["spec"]["activeDeadlineSeconds"];
  if (!limit.is_integer()) return false;
  const Mono at = record_.started_mono + seconds(std::clamp<int64_t>(limit.integer(), 0, 1 << 30));
  if (now_ < at) {
    wake(at);
    return false;
  }
  decision_.actions.push_back({ActionType::kFail, 0, Phase::kNew, "DeadlineExceeded",
                               "Pod was active on the node longer than the specified deadline"});
  return true;
}

// Nothing to run in a new sandbox: the one that was lost took the last container with it.
bool Decider::all_over() const {
  bool any = false;
  for (size_t i = 0; i < specs_.size(); ++i) {
    if (specs_[i].init) continue;
    const ContainerState& at = state(i);
    if (!at.ended || will_restart(pod_, i, at)) return false;
    any = true;
  }
  return any;
}

// True when the main containers may run.
bool Decider::init_phase() {
  for (size_t i = 0; i < specs_.size() && specs_[i].init; ++i) {
    if (init_done(specs_[i], state(i))) continue;
    keep_sidecars(i);
    const ContainerState& at = state(i);
    if (at.run == RunState::kTerminated && !will_restart(pod_, i, at))
      move(Phase::kStopping);
    else if (!at.alive())
      consider_start(i);
    return false;
  }
  return true;
}

void Decider::keep_sidecars(size_t before) {
  for (size_t i = 0; i < before; ++i) {
    if (specs_[i].sidecar && !state(i).alive()) consider_start(i);
  }
}

void Decider::main_phase() {
  bool any_left = false;
  size_t init_count = 0;
  for (size_t i = 0; i < specs_.size(); ++i) {
    if (specs_[i].init) {
      ++init_count;
      continue;
    }
    const ContainerState& at = state(i);
    const bool over = at.run == RunState::kTerminated && !will_restart(pod_, i, at);
    any_left = any_left || !over;
    if (!over && !at.alive()) consider_start(i);
  }
  if (!any_left) return move(Phase::kStopping);
  keep_sidecars(init_count);
}

void Decider::consider_start(size_t index) {
  const ContainerState& at = state(index);
  if (now_ >= at.not_before) return act(ActionType::kStart, index);
  if (at.run == RunState::kTerminated && at.waiting_reason.empty())
    act(ActionType::kShowCrashLoop, index);
  if (at.show_back_off_at.ns > 0 && now_ >= at.show_back_off_at)
    act(ActionType::kShowImageBackOff, index);
  else if (at.show_back_off_at.ns > 0)
    wake(at.show_back_off_at);
  wake(at.not_before);
}

Duration Decider::grace(size_t index) const {
  if (record_.gone)
    return seconds(is_deleting(pod_) ? std::min<int64_t>(grace_seconds(pod_), 2) : 2);
  // Hard thresholds leave no time (upstream hardEvictionGracePeriod; a second is the least there
  // is).
  if (record_.reason == "Evicted") return seconds(1);
  const ContainerState& at = state(index);
  if (record_.phase == Phase::kRunning && at.kill_grace_s) return seconds(*at.kill_grace_s);
  return seconds(std::min<int64_t>(grace_seconds(pod_), 1 << 30));
}

// A running pod's container that must go (liveness, changed image), step by step.
bool Decider::consider_stop(size_t index) {
  const ContainerState& at = state(index);
  if (!at.alive()) return false;
  const bool wanted =
      record_.phase == Phase::kStopping || !at.kill_reason.empty() ||
      (at.run == RunState::kRunning && at.image != specs_[index].node["image"].string());
  if (!wanted) return false;
  if (!at.stopped_at) {
    act(ActionType::kStop, index);
    return true;
  }
  Mono deadline = *at.stopped_at + grace(index);
  if (at.killed) return true;
  // A hook that took it all leaves the container a moment for its signal.
  if (at.hook_until) deadline = std::max(deadline, *at.hook_until + kGraceMin);
  if (at.hook_ended) deadline = std::max(deadline, *at.hook_ended + kGraceMin);
  if (now_ >= deadline)
    act(ActionType::kKill, index);
  else
    wake(deadline);
  return true;
}

// True while one of the group lives. Sidecars end after the main containers, last one first.
bool Decider::stop_group(bool sidecars) {
  bool alive = false;
  for (size_t i = specs_.size(); i-- > 0;) {
    if (specs_[i].sidecar != sidecars || !state(i).alive()) continue;
    consider_stop(i);
    alive = true;
    if (sidecars) return true;
  }
  return alive;
}

}  // namespace

std::string_view action_name(ActionType type) {
  return kActionNames[static_cast<size_t>(type)];
}

Decision decide(json::Node pod, const PodRecord& record, Mono now) {
  return Decider(pod, record, now).run();
}

bool will_restart(json::Node pod, size_t container, const ContainerState& state) {
  const std::vector<ContainerSpec> specs = containers_of(pod);
  if (container >= specs.size() || !state.ended) return true;
  if (specs[container].sidecar) return true;
  const bool failed = state.ended->exit_code != 0;
  if (specs[container].init && !failed) return false;
  switch (restart_policy(pod)) {
    case RestartPolicy::kAlways:
      return true;
    case RestartPolicy::kOnFailure:
      return failed;
    case RestartPolicy::kNever:
      return false;
  }
  return false;
}

bool is_initialized(json::Node pod, const PodRecord& record) {
  const std::vector<ContainerSpec> specs = containers_of(pod);
  for (size_t i = 0; i < specs.size() && i < record.containers.size(); ++i) {
    if (specs[i].init && !init_done(specs[i], record.containers[i])) return false;
  }
  return true;
}

}  // namespace coracle::node
