// SPDX-License-Identifier: GPL-2.0-or-later
// What a pod's decisions do: sandboxes, starts, stops, the end.
#include <algorithm>
#include <array>

#include "base/bytes.h"
#include "base/log.h"
#include "node/bundle.h"
#include "node/container_start.h"
#include "node/image_name.h"
#include "node/links.h"
#include "node/pod_actor.h"
#include "node/pod_files.h"
#include "node/volumes.h"

namespace coracle::node {

namespace {

constexpr Duration kRetryFirst = milliseconds(500);
constexpr Duration kRetryMax = seconds(122);  // upstream's exponentialbackoff for volumes
constexpr Duration kShowBackOffAfter = seconds(2);
constexpr int kSigTerm = 15;

struct SignalName {
  std::string_view name;
  int number;
};
constexpr std::array<SignalName, 9> kSignals = {{{"HUP", 1},
                                                 {"INT", 2},
                                                 {"QUIT", 3},
                                                 {"KILL", 9},
                                                 {"USR1", 10},
                                                 {"USR2", 12},
                                                 {"TERM", 15},
                                                 {"WINCH", 28},
                                                 {"PWR", 30}}};

int signal_number(std::string_view name) {
  if (const auto number = parse_unsigned(name); number && *number > 0 && *number < 65)
    return static_cast<int>(*number);
  if (name.starts_with("SIG")) name.remove_prefix(3);
  for (const SignalName& row : kSignals) {
    if (row.name == name) return row.number;
  }
  if (name.starts_with("RTMIN+"))
    return 34 + static_cast<int>(parse_unsigned(name.substr(6)).value_or(0) % 30);
  return kSigTerm;
}

}  // namespace

void PodActor::move(Phase to) {
  ASSERT(may_move(record_.phase, to));
  LOG(kDebug, "node: pod moved", kv("pod", record_.ns + "/" + record_.name),
      kv("from", phase_name(record_.phase)), kv("to", phase_name(to)));
  record_.phase = to;
  if (to == Phase::kRemoved && sandbox_ == nullptr) clean_up();
  if (to == Phase::kEnded && sandbox_ == nullptr && record_.ip) {
    around_.addresses.release(*record_.ip);
    record_.ip.reset();
  }
}

void PodActor::clean_up() {
  const std::string path = around_.pod_directory(record_.uid);
  around_.cgroups.remove_pod(record_.uid);
  static_cast<void>(
      around_.ports.links.remove_link(pod_link_name(around_.options.bridge, record_.uid)));
  if (record_.ip) around_.addresses.release(*record_.ip);
  record_.ip.reset();
  static_cast<void>(around_.ports.disk.remove(path + "/record.json"));
  remove_later(around_.ports.unpack, around_.ports.disk, path);
  remove_later(around_.ports.unpack, around_.ports.disk, around_.pod_run_directory(record_.uid));
}

// --- The sandbox

bool PodActor::create_sandbox(json::Node pod) {
  const std::string sysctl = forbidden_sysctl(pod);
  if (!sysctl.empty()) {
    record_.failed = true;
    record_.reason = "SysctlForbidden";
    record_.message = sysctl;
    warn("SysctlForbidden", sysctl);
    return true;
  }
  if (sandbox_ != nullptr) {  // the one before is still ending
    record_.retry_at = around_.ports.clock.now() + kRetryFirst;
    return true;
  }
  if (!tokens_.ensure(pod)) {
    record_.retry_at = around_.ports.clock.now() + seconds(30);  // or when the answer comes
    return true;
  }
  const Place here = place();
  const VolumeContext volumes{pod,
                              around_.client.state(),
                              around_.ports.disk,
                              around_.pod_directory(record_.uid),
                              around_.pod_run_directory(record_.uid),
                              here,
                              tokens_.all(),
                              around_.ports.clock.wall()};
  if (!prepare(volumes)) return true;
  const bool on_host = pod["spec"]["hostNetwork"].boolean();
  if (!on_host && !record_.ip) record_.ip = around_.addresses.take();
  if (!on_host && !record_.ip) {
    fail_sandbox("FailedCreatePodSandBox",
                 join({"Failed to create pod sandbox: no free address in ",
                       around_.options.pod_cidr.text()}));
    return true;
  }
  return ask_for_sandbox(pod, memory_volumes(volumes));
}

// False: not now; the record says when to try again.
bool PodActor::prepare(const VolumeContext& volumes) {
  const Result<> prepared = prepare_volumes(volumes);
  if (!prepared) {
    fail_sandbox("FailedMount", prepared.error().message);
    return false;
  }
  if (owner_.ensure(volumes)) return true;
  record_.retry_at = around_.ports.clock.now() + seconds(30);  // or when the walk is over
  return false;
}

bool PodActor::ask_for_sandbox(json::Node pod, std::vector<port::SandboxMount> mounts) {
  port::SandboxOptions options;
  options.directory = around_.pod_directory(record_.uid) + "/sandbox";
  options.hostname = pod_hostname(pod);
  options.host_network = pod["spec"]["hostNetwork"].boolean();
  options.mounts = std::move(mounts);
  options.mounts.push_back(
      {"tmpfs", "shm", shm_path(around_, record_.uid), "nosuid,nodev,noexec,mode=1777,size=64m"});
  port::Disk& disk = around_.ports.disk;
  Result<> made = disk.remove_tree(options.directory);
  if (made) made = disk.make_directories(options.directory, 0700);
  if (made) made = disk.make_directories(shm_path(around_, record_.uid), 0755);
  if (!made) {
    fail_sandbox("FailedCreatePodSandBox",
                 join({"Failed to create pod sandbox: ", made.error().message}));
    return true;
  }
  move(Phase::kSettingUp);
  starting_since_ = around_.ports.clock.now();
  save();
  Result<std::unique_ptr<port::Sandbox>> created = around_.ports.sandboxes.create(options, *this);
  if (created) {
    sandbox_ = std::move(*created);
  } else {
    move(Phase::kNew);
    fail_sandbox("FailedCreatePodSandBox",
                 join({"Failed to create pod sandbox: ", created.error().message}));
  }
  return true;
}

void PodActor::fail_sandbox(std::string_view reason, const std::string& message) {
  record_.retry_delay =
      record_.retry_delay.ns == 0 ? kRetryFirst : std::min(record_.retry_delay * 2, kRetryMax);
  record_.retry_at = around_.ports.clock.now() + record_.retry_delay;
  warn(reason, message);
}

// Its namespaces exist: connects them.
bool PodActor::try_sandbox(json::Node pod) {
  Result<> connected;
  if (!pod["spec"]["hostNetwork"].boolean() && record_.ip) {
    port::PodLink link;
    link.namespace_pid = sandbox_->pid();
    link.host_name = pod_link_name(around_.options.bridge, record_.uid);
    link.bridge = around_.options.bridge;
    link.address = around_.addresses.with_prefix(*record_.ip);
    link.gateway = around_.addresses.gateway();
    connected = around_.ports.links.connect_pod(link);
  }
  if (connected) connected = write_pod_files(around_, pod, record_, place());
  if (connected) {
    record_.retry_delay = {};
    return true;
  }
  sandbox_->end();
  ending_ = true;
  move(Phase::kNew);
  fail_sandbox("FailedCreatePodSandBox",
               join({"Failed to create pod sandbox: ", connected.error().message}));
  return false;
}

void PodActor::end_sandbox() {
  probes_.clear();
  hooks_.clear();
  if (sandbox_ == nullptr || ending_) return;
  static_cast<void>(
      around_.ports.links.remove_link(pod_link_name(around_.options.bridge, record_.uid)));
  ending_ = true;
  sandbox_->end();
}

// --- Starting

void PodActor::start_container(size_t index, json::Node pod) {
  ContainerState& state = record_.containers[index];
  const ContainerSpec spec = containers_of(pod)[index];
  const Image* image = find_image(state, spec, pod);
  if (image == nullptr) return;
  const int64_t attempt = state.ended ? state.attempt + 1 : state.attempt;
  const Place here = place();
  const std::string id = join({state.name, "-", std::to_string(attempt)});
  Result<port::ContainerStart> start = prepare_container(
      {around_, pod, spec, record_, *image, here, tokens_.all(), id, attempt, sandbox_->pid()});
  if (!start) return refuse_start(state, "CreateContainerConfigError", start.error().message);
  if (state.ended) {
    state.back_off =
        state.back_off.ns == 0 ? kBackOffFirst : std::min(state.back_off * 2, kBackOffMax);
    state.before = std::move(state.ended);
    remove_later(around_.ports.unpack, around_.ports.disk,
                 bundle_path(around_, record_.uid, state.id()));
    for (const std::string_view suffix :
         {"", ".1", ".2", ".3"})  // the logs of the attempt before the last
      static_cast<void>(around_.ports.disk.remove(
          log_path(around_, record_.uid, state.name, attempt - 2) + std::string(suffix)));
  }
  ContainerState fresh;
  fresh.name = state.name;
  fresh.run = RunState::kStarting;
  fresh.attempt = attempt;
  fresh.image = spec.node["image"].string();
  fresh.image_id = image->id;
  fresh.stop_signal = image->stop_signal;
  fresh.before = std::move(state.before);
  fresh.back_off = state.back_off;
  fresh.start_probed = spec.sidecar && state.start_probed;
  if (!is_starting()) starting_since_ = around_.ports.clock.now();
  state = std::move(fresh);
  save();
  event("Created", "Container created", state.name);
  sandbox_->start(*start);
}

void PodActor::refuse_start(ContainerState& state,
                            std::string_view reason,
                            const std::string& message) {
  state.run = state.ended ? RunState::kTerminated : RunState::kWaiting;
  state.waiting_reason = reason;
  state.waiting_message = message;
  state.image_back_off = state.image_back_off.ns == 0
                             ? kBackOffFirst
                             : std::min(state.image_back_off * 2, kBackOffMax);
  state.not_before = around_.ports.clock.now() + state.image_back_off;
  warn("Failed", join({"Error: ", message}), state.name);
}

// The image to run, or none and a waiting reason (upstream pkg/kubelet/images/image_manager.go).
const Image* PodActor::find_image(ContainerState& state, const ContainerSpec& spec, json::Node) {
  const std::string_view name = spec.node["image"].string();
  state.image = name;
  if (const Result<std::string> normal = normal_image_name(name);
      !normal && around_.images.find(name) == nullptr) {
    const std::string message =
        join({"Failed to apply default image tag \"", name, "\": ", normal.error().message});
    warn("InspectFailed", message, state.name);
    refuse_start(state, "InvalidImageName", message);
    return nullptr;
  }
  const Image* image = around_.images.find(name);
  if (image == nullptr) {
    image_missing(state, spec);
    return nullptr;
  }
  state.show_back_off_at = {};
  event("Pulled",
        join({"Container image \"", name,
              "\" already present on machine and can be accessed by the pod"}),
        state.name);
  return image;
}

void PodActor::image_missing(ContainerState& state, const ContainerSpec& spec) {
  const std::string_view name = spec.node["image"].string();
  const Mono now = around_.ports.clock.now();
  state.image_back_off = state.image_back_off.ns == 0
                             ? kBackOffFirst
                             : std::min(state.image_back_off * 2, kBackOffMax);
  state.not_before = now + state.image_back_off;
  state.run = state.ended ? RunState::kTerminated : RunState::kWaiting;
  if (spec.node["imagePullPolicy"].string() == "Never") {
    state.waiting_reason = "ErrImageNeverPull";
    state.waiting_message =
        join({"Container image \"", name, "\" is not present with pull policy of Never"});
    warn("ErrImageNeverPull", state.waiting_message, state.name);
    warn("Failed", "Error: ErrImageNeverPull", state.name);
    return;
  }
  event("Pulling", join({"Pulling image \"", name, "\""}), state.name);
  state.waiting_reason = "ErrImagePull";
  state.waiting_message = Images::pull_refused(name).message;
  state.show_back_off_at = now + kShowBackOffAfter;
  warn("Failed", join({"Failed to pull image \"", name, "\": ", state.waiting_message}),
       state.name);
  warn("Failed", "Error: ErrImagePull", state.name);
}

// --- Stopping

void PodActor::stop_container(size_t index, json::Node pod) {
  ContainerState& state = record_.containers[index];
  const Mono now = around_.ports.clock.now();
  state.stopped_at = now;
  stop_probes(index);
  std::string why = state.kill_reason;
  if (why.empty() && record_.phase == Phase::kRunning)
    why = join({"Container ", state.name, " definition changed, will be restarted"});
  if (why.empty()) why = join({"Stopping container ", state.name});
  event("Killing", why, state.name);
  const json::Node spec = pod ? containers_of(pod)[index].node : json::Node();
  const json::Node hook = spec["lifecycle"]["preStop"];
  const Duration grace = seconds(std::min<int64_t>(pod ? grace_seconds(pod) : 1, 1 << 30));
  if (state.run != RunState::kRunning || !hook) return send_stop_signal(index);
  state.hook_until = now + grace;
  start_hook(index, HookType::kPreStop, spec, grace);
}

AttemptPlace PodActor::attempt_place(size_t container) {
  CommandRunner& runner = *this;
  return {around_.ports.network, around_.ports.clock, around_.ports.random, runner, container};
}

void PodActor::start_hook(size_t index, HookType type, json::Node container, Duration limit) {
  HookListener& listener = *this;
  hooks_.push_back(std::make_unique<Hook>(attempt_place(index), type, container, place().pod_ip,
                                          limit, listener));
}

void PodActor::on_hook(size_t container, HookType type, bool ok, std::string_view why) {
  schedule();
  if (container >= record_.containers.size()) return;
  ContainerState& state = record_.containers[container];
  json::Tree tree;
  const json::Node pod = pod_ ? pod_->parse(tree) : json::Node();
  if (type == HookType::kPreStop) {
    if (!ok) warn("FailedPreStopHook", join({"PreStopHook failed: ", why}), state.name);
    if (state.hook_until) state.hook_until = around_.ports.clock.now();
  } else if (!ok) {
    warn("FailedPostStartHook", join({"PostStartHook failed: ", why}), state.name);
    if (state.alive()) state.kill_reason = "FailedPostStartHook";
  } else if (state.run == RunState::kStarting && pod) {
    container_ready(container, pod);
  }
}

void PodActor::run_due_hooks() {
  for (size_t i = 0; i < record_.containers.size(); ++i) {
    ContainerState& state = record_.containers[i];
    if (!state.hook_until || around_.ports.clock.now() < *state.hook_until) continue;
    state.hook_until.reset();
    state.hook_ended = around_.ports.clock.now();
    if (state.alive()) send_stop_signal(i);
  }
}

void PodActor::send_stop_signal(size_t index) {
  const ContainerState& state = record_.containers[index];
  if (sandbox_ != nullptr) sandbox_->signal(state.id(), signal_number(state.stop_signal));
}

}  // namespace coracle::node
