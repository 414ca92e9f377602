// SPDX-License-Identifier: GPL-2.0-or-later
// What containers report: running, over, lost; and their probes.
#include <algorithm>

#include "base/bytes.h"
#include "base/log.h"
#include "node/container_start.h"
#include "node/log_reader.h"
#include "node/pod_actor.h"

namespace coracle::node {

namespace {

constexpr size_t kMessageBytesMax = 4096;     // upstream MaxContainerTerminationMessageLength
constexpr size_t kLogMessageBytesMax = 2048;  // ...LogLength
constexpr int64_t kLogMessageLinesMax = 80;
constexpr int kUnknownExit = 137;
constexpr Duration kPostStartMax = minutes(24 * 60);  // upstream sets no limit at all
constexpr int kStartErrorExit = 128;                  // as containerd reports it
constexpr std::string_view kUnknownMessage =
    "The container could not be located when the pod was terminated";

}  // namespace

void PodActor::on_container(const port::ContainerRecord& now) {
  schedule();
  std::erase(unconfirmed_, now.id);
  for (size_t i = 0; i < record_.containers.size(); ++i) {
    ContainerState& state = record_.containers[i];
    if (state.id() != now.id) continue;
    if (!state.alive())
      break;  // known to be over: the shim was asked to forget it and did not hear
    if (now.phase == port::ContainerPhase::kRunning) return container_running(i, now);
    if (now.phase == port::ContainerPhase::kStarting) return;
    return container_over(i, now);
  }
  if (sandbox_ == nullptr) return;
  sandbox_->kill(now.id);
  sandbox_->forget(now.id);
}

void PodActor::container_running(size_t index, const port::ContainerRecord& now) {
  ContainerState& state = record_.containers[index];
  state.pid = now.pid;
  state.started = now.started;
  if (state.run == RunState::kRunning) return;  // adopted
  event("Started", "Container started", state.name);
  json::Tree tree;
  const json::Node pod = pod_ ? pod_->parse(tree) : json::Node();
  const std::vector<ContainerSpec> specs = containers_of(pod);
  const bool has_hook = index < specs.size() && specs[index].node["lifecycle"]["postStart"];
  if (!has_hook) return container_ready(index, pod);
  start_hook(index, HookType::kPostStart, specs[index].node, kPostStartMax);
}

// Until its postStart hook is done, a container is still starting.
void PodActor::container_ready(size_t index, json::Node pod) {
  record_.containers[index].run = RunState::kRunning;
  if (pod) start_probes(index, pod);
}

void PodActor::container_over(size_t index, const port::ContainerRecord& now) {
  ContainerState& state = record_.containers[index];
  stop_probes(index);
  for (std::unique_ptr<Hook>& hook : hooks_) {
    if (hook->container() == index) dead_hooks_.push_back(std::move(hook));
  }
  std::erase(hooks_, nullptr);
  json::Tree tree;
  const json::Node pod = pod_ ? pod_->parse(tree) : json::Node();
  Termination end;
  end.attempt = state.attempt;
  end.started = now.started.ns != 0 ? now.started : state.started;
  end.finished = now.finished.ns != 0 ? now.finished : around_.ports.clock.wall();
  const std::vector<ContainerSpec> specs = containers_of(pod);
  if (now.phase == port::ContainerPhase::kFailedToStart) {
    end.exit_code = kStartErrorExit;
    end.reason = "StartError";
    end.message = now.message;
    warn("Failed", join({"Error: ", now.message}), state.name);
  } else {
    end.exit_code = now.exit_code;
    end.signal = now.signal;
    const bool failed = now.exit_code != 0;
    // Read before the runtime removes the control group.
    const bool oom =
        failed && around_.cgroups.had_oom_kill(around_.cgroups.container_path(record_.uid, now.id));
    end.reason = oom ? "OOMKilled" : failed ? "Error" : "Completed";
    if (index < specs.size()) end.message = termination_message(specs[index], state, failed);
  }
  // One that never started has no start to measure from, and must not be tried again and again.
  const bool ran = end.started.ns != 0;
  if (ran && end.finished - end.started >= kBackOffForgottenAfter) state.back_off = {};
  state.run = RunState::kTerminated;
  state.ready = false;
  state.pid = 0;
  state.waiting_reason.clear();
  state.waiting_message.clear();
  state.kill_reason.clear();
  state.kill_grace_s.reset();
  state.stopped_at.reset();
  state.hook_until.reset();
  state.hook_ended.reset();
  state.killed = false;
  state.not_before = around_.ports.clock.now() + state.back_off;
  if (index < specs.size() && !specs[index].sidecar) state.start_probed = false;
  state.ended = std::move(end);
  save();
  if (sandbox_ != nullptr) sandbox_->forget(now.id);
}

std::string PodActor::termination_message(const ContainerSpec& spec,
                                          const ContainerState& state,
                                          bool failed) {
  const std::string path = termination_path(around_, record_.uid, state.id());
  std::string message;
  if (Result<std::unique_ptr<port::File>> file =
          around_.ports.disk.open(path, port::OpenMode::kRead)) {
    message.resize(kMessageBytesMax);
    const Result<size_t> got = (*file)->read_at(0, message.data(), message.size());
    message.resize(got ? *got : 0);
  }
  const bool use_log =
      failed && spec.node["terminationMessagePolicy"].string() == "FallbackToLogsOnError";
  if (!message.empty() || !use_log) return message;
  const std::string log = log_path(around_, record_.uid, state.name, state.attempt);
  return tail_text(around_.ports.disk, log, kLogMessageLinesMax, kLogMessageBytesMax);
}

void PodActor::on_lost(std::string_view why) {
  schedule();
  sandbox_over_ = true;
  adopting_ = false;
  confirm_by_.reset();
  ending_ = false;
  lose_containers();
  if (record_.phase == Phase::kRemoved) {
    clean_up();
  } else if (record_.phase == Phase::kEnded) {
    around_.cgroups.remove_pod(record_.uid);
    // Its logs stay until the pod is deleted; what its containers wrote goes at once.
    const std::string own = around_.pod_directory(record_.uid);
    remove_later(around_.ports.unpack, around_.ports.disk, own + "/containers");
    remove_later(around_.ports.unpack, around_.ports.disk, own + "/volumes");
    remove_later(around_.ports.unpack, around_.ports.disk, around_.pod_run_directory(record_.uid));
    if (record_.ip) around_.addresses.release(*record_.ip);
    record_.ip.reset();
  } else if (record_.phase == Phase::kSettingUp || record_.phase == Phase::kRunning) {
    LOG(kWarn, "node: pod sandbox was lost", kv("pod", record_.ns + "/" + record_.name),
        kv("why", why));
    const bool was_running = record_.phase == Phase::kRunning;
    around_.cgroups.remove_pod(record_.uid);
    move(Phase::kNew);
    if (was_running)
      event("SandboxChanged", "Pod sandbox changed, it will be killed and re-created.");
    else
      fail_sandbox("FailedCreatePodSandBox", join({"Failed to create pod sandbox: ", why}));
    for (size_t i = 0; i < record_.containers.size(); ++i)
      record_.containers[i].start_probed = false;
  }
}

// The sandbox took them along. Init containers run again in the next one.
void PodActor::lose_containers() {
  json::Tree tree;
  const std::vector<ContainerSpec> specs = containers_of(pod_ ? pod_->parse(tree) : json::Node());
  for (size_t i = 0; i < record_.containers.size(); ++i) {
    ContainerState& state = record_.containers[i];
    if (state.alive()) {
      port::ContainerRecord over;
      over.id = state.id();
      over.phase = port::ContainerPhase::kExited;
      over.exit_code = kUnknownExit;
      over.started = state.started;
      container_over(i, over);
      state.ended->reason = "ContainerStatusUnknown";
      state.ended->message = kUnknownMessage;
    }
    const bool again = record_.phase == Phase::kRunning && i < specs.size() && specs[i].init;
    if (again && state.run == RunState::kTerminated) {
      state.run = RunState::kWaiting;
      state.not_before = around_.ports.clock.now();
    }
  }
}

// After an adoption: what the record calls alive and the shim does not know never started.
void PodActor::confirm_adopted() {
  confirm_by_.reset();
  for (const std::string& id : unconfirmed_) {
    for (size_t i = 0; i < record_.containers.size(); ++i) {
      if (record_.containers[i].id() != id || !record_.containers[i].alive()) continue;
      port::ContainerRecord over;
      over.id = id;
      over.phase = port::ContainerPhase::kExited;
      over.exit_code = kUnknownExit;
      container_over(i, over);
      record_.containers[i].ended->reason = "ContainerStatusUnknown";
      record_.containers[i].ended->message = kUnknownMessage;
    }
  }
  unconfirmed_.clear();
}

// --- Probes

void PodActor::start_probes(size_t index, json::Node pod) {
  const std::vector<ContainerSpec> specs = containers_of(pod);
  if (index >= specs.size()) return;
  ContainerState& state = record_.containers[index];
  const json::Node container = specs[index].node;
  if (!state.start_probed && container["startupProbe"])
    return start_probe(index, container, ProbeType::kStartup);
  state.start_probed = true;
  if (!container["readinessProbe"]) state.ready = true;
  if (container["readinessProbe"]) start_probe(index, container, ProbeType::kReadiness);
  if (container["livenessProbe"]) start_probe(index, container, ProbeType::kLiveness);
}

void PodActor::start_probe(size_t index, json::Node container, ProbeType type) {
  ProbeListener& listener = *this;
  probes_.push_back(std::make_unique<Probe>(
      container, ProbePlace{attempt_place(index), type, place().pod_ip}, listener));
}

void PodActor::stop_probes(size_t index) {
  for (std::unique_ptr<Probe>& probe : probes_) {
    if (probe->container() == index) dead_probes_.push_back(std::move(probe));
  }
  std::erase(probes_, nullptr);
  if (!dead_probes_.empty()) schedule();
}

void PodActor::on_probe(size_t container, ProbeType type, bool healthy) {
  if (container >= record_.containers.size() || !pod_) return;
  ContainerState& state = record_.containers[container];
  if (state.run != RunState::kRunning || state.stopped_at) return;
  schedule();
  json::Tree tree;
  const json::Node pod = pod_->parse(tree);
  if (type == ProbeType::kReadiness) {
    state.ready = healthy;
  } else if (!healthy) {
    const std::string_view what = type == ProbeType::kLiveness ? "liveness" : "startup";
    state.kill_reason =
        join({"Container ", state.name, " failed ", what, " probe, will be restarted"});
    const json::Node spec = containers_of(pod)[container].node;
    const json::Node grace = spec[probe_field(type)]["terminationGracePeriodSeconds"];
    if (grace.is_integer()) state.kill_grace_s = grace.integer();
  } else if (type == ProbeType::kStartup) {
    stop_probes(container);
    state.start_probed = true;
    start_probes(container, pod);
  }
}

void PodActor::on_probe_failure(size_t container, ProbeType type, std::string_view why) {
  if (container >= record_.containers.size()) return;
  warn("Unhealthy", join({probe_name(type), " probe failed: ", why}),
       record_.containers[container].name);
}

}  // namespace coracle::node
