// SPDX-License-Identifier: GPL-2.0-or-later
// What the agent knows of one pod beside its API object: the phase of its own work and the state of
// every container. Written to <data>/pods/<uid>/record.json after each change, so that a new daemon
// goes on where the old one stopped. It is not synced: after a power cut the sandbox is gone too,
// and a torn record counts as none.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip.h"
#include "base/result.h"
#include "base/time.h"
#include "json/tree.h"

namespace coracle::node {

enum class Phase : uint8_t {
  kNew,        // no sandbox: volumes and addresses are being made ready
  kSettingUp,  // the sandbox was asked for
  kRunning,    // the sandbox stands; containers come and go by the pod's rules
  kStopping,   // containers are being ended, none starts any more
  kEnded,      // no sandbox, nothing runs; the status is final
  kRemoved,    // deleted from the API or forgotten by it; the directory is being removed
};
std::string_view phase_name(Phase phase);
bool may_move(Phase from, Phase to);

enum class RunState : uint8_t { kWaiting, kStarting, kRunning, kTerminated };
std::string_view run_state_name(RunState state);

struct Termination {
  int exit_code = 0;
  int signal = 0;
  int64_t attempt = 0;
  std::string reason;
  std::string message;
  Wall started;
  Wall finished;
};

struct ContainerState {
  std::string name;
  RunState run = RunState::kWaiting;
  int64_t attempt = 0;  // status.restartCount
  std::string waiting_reason;
  std::string waiting_message;
  std::string image;        // as in the spec when it was started
  std::string image_id;     // config digest
  std::string stop_signal;  // of the image, e.g. "SIGQUIT"
  Wall started;
  int64_t pid = 0;
  std::optional<Termination> ended;   // of this attempt
  std::optional<Termination> before;  // of the attempt before: status.lastState
  Duration back_off;                  // to wait after the next exit; 0 for the first one
  bool start_probed = false;          // passed its startup probe, or has none

  // --- Not kept over a restart of the daemon.
  bool ready = false;
  bool created = false;   // the Created event of this attempt is out
  Mono not_before;        // of the next start
  Mono show_back_off_at;  // ErrImagePull becomes ImagePullBackOff then; 0: never
  Duration image_back_off;
  std::string kill_reason;  // not empty: it is to be stopped (liveness, changed image)
  std::optional<int64_t> kill_grace_s;
  std::optional<Mono> stopped_at;  // when it was told to stop
  std::optional<Mono> hook_until;  // preStop is under way
  std::optional<Mono> hook_ended;  // preStop is done, and the signal sent
  bool killed = false;

  bool alive() const { return run == RunState::kStarting || run == RunState::kRunning; }
  std::string id() const { return name + "-" + std::to_string(attempt); }
};

struct PodRecord {
  std::string uid;
  std::string ns;
  std::string name;
  Phase phase = Phase::kNew;
  std::optional<Ip4> ip;
  Wall started;
  std::vector<ContainerState> containers;  // parallel to containers_of(pod)
  bool failed = false;                     // by the agent's decision: status.reason and message
  std::string reason;
  std::string message;

  // --- Not kept.
  bool gone = false;          // no longer in the API
  bool foreign = false;       // was over before this agent saw it: its status is left alone
  bool final_stored = false;  // the API has the final status
  Mono started_mono;          // `started` on the timer's clock
  Mono retry_at;              // of kNew after a failure
  Duration retry_delay;

  ContainerState* find(std::string_view container);
  const ContainerState* find(std::string_view container) const;
};

// A record for a pod that was never seen.
PodRecord new_record(json::Node pod, Wall now);
// Keeps states by name; containers that the spec no longer has are dropped, new ones wait.
void align(PodRecord& record, json::Node pod);

std::string record_text(const PodRecord& record);
Result<PodRecord> parse_record(std::string_view text);

// The same 64 hex digits for the same attempt, in every life of the daemon.
std::string container_id(const PodRecord& record, const ContainerState& state, int64_t attempt);

}  // namespace coracle::node
