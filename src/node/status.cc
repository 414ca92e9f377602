// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/status.h"

#include <algorithm>
#include <array>

#include "base/bytes.h"
#include "node/decide.h"
#include "node/spec.h"

namespace coracle::node {

namespace {

bool is_over(const PodRecord& record) {
  return record.phase == Phase::kEnded || record.phase == Phase::kRemoved;
}

// Between an exit and the restart that follows it, while the rules ask for a pause.
bool in_crash_loop(const PodRecord& record, const ContainerState& state) {
  return state.run == RunState::kTerminated && record.phase == Phase::kRunning &&
         !state.waiting_reason.empty();
}

struct Count {
  size_t running = 0;
  size_t waiting = 0;
  size_t stopped = 0;
  size_t succeeded = 0;
};

Count count_main(json::Node pod, const PodRecord& record) {
  Count count;
  const std::vector<ContainerSpec> specs = containers_of(pod);
  for (size_t i = 0; i < specs.size() && i < record.containers.size(); ++i) {
    if (specs[i].init) continue;
    const ContainerState& state = record.containers[i];
    if (state.run == RunState::kRunning)
      ++count.running;
    else if (state.run == RunState::kTerminated && !in_crash_loop(record, state)) {
      ++count.stopped;
      if (state.ended && state.ended->exit_code == 0) ++count.succeeded;
    } else if (state.attempt > 0 || state.ended || state.before)
      ++count.stopped;
    else
      ++count.waiting;
  }
  return count;
}

}  // namespace

std::string pod_phase(json::Node pod, const PodRecord& record) {
  if (record.failed &&
      (is_over(record) || record.reason == "DeadlineExceeded" || record.reason == "Evicted"))
    return "Failed";
  const Count count = count_main(pod, record);
  const bool ready_to_run = is_initialized(pod, record) || count.running + count.stopped > 0;
  if (is_over(record)) {
    const bool all = count.stopped > 0 && count.stopped == count.succeeded && count.waiting == 0;
    return ready_to_run && all ? "Succeeded" : "Failed";
  }
  if (!ready_to_run || count.waiting > 0) return "Pending";
  if (count.running > 0) return "Running";
  if (count.stopped == 0) return "Pending";
  if (restart_policy(pod) == RestartPolicy::kAlways) return "Running";
  if (count.stopped == count.succeeded) return "Succeeded";
  return restart_policy(pod) == RestartPolicy::kNever ? "Failed" : "Running";
}

Waiting waiting_of(json::Node pod, const PodRecord& record, const ContainerState& state) {
  if (!state.waiting_reason.empty()) return {state.waiting_reason, state.waiting_message};
  const bool has_init = pod["spec"]["initContainers"].size() > 0;
  return {has_init && !is_initialized(pod, record) ? "PodInitializing" : "ContainerCreating", ""};
}

// --- Container statuses

namespace {

void put_termination(json::Node into,
                     const PodRecord& record,
                     const ContainerState& state,
                     const Termination& end) {
  const json::Node at = into.object("terminated");
  at.set("exitCode", end.exit_code);
  at.set("reason", end.reason);
  if (!end.message.empty()) at.set("message", end.message);
  at.set("startedAt", rfc3339(end.started));
  at.set("finishedAt", rfc3339(end.finished));
  at.set("containerID", join({"crun://", container_id(record, state, end.attempt)}));
}

void put_state(json::Node into, json::Node pod, const PodRecord& record, const ContainerState& at) {
  const json::Node state = into.object("state");
  const json::Node last = into.object("lastState");
  if (at.run == RunState::kRunning) {
    state.object("running").set("startedAt", rfc3339(at.started));
  } else if (at.run == RunState::kTerminated && at.ended && !in_crash_loop(record, at)) {
    put_termination(state, record, at, *at.ended);
  } else {
    const Waiting why = waiting_of(pod, record, at);
    const json::Node waiting = state.object("waiting");
    waiting.set("reason", why.reason);
    if (!why.message.empty()) waiting.set("message", why.message);
    if (at.ended) return put_termination(last, record, at, *at.ended);
  }
  if (at.before) put_termination(last, record, at, *at.before);
}

bool is_ready(const ContainerSpec& spec, const ContainerState& at) {
  if (spec.init && !spec.sidecar)
    return at.run == RunState::kTerminated && at.ended && at.ended->exit_code == 0;
  return at.run == RunState::kRunning && at.ready;
}

void put_mounts(json::Node into, json::Node container) {
  if (container["volumeMounts"].size() == 0) return;
  const json::Node list = into.array("volumeMounts");
  for (const json::Node mount : container["volumeMounts"]) {
    const json::Node row = list.append_object();
    row.set("name", mount["name"].string());
    row.set("mountPath", mount["mountPath"].string());
    if (!mount["readOnly"].boolean()) continue;
    row.set("readOnly", true);
    row.set("recursiveReadOnly", "Disabled");
  }
}

void put_container(json::Node list,
                   const ContainerSpec& spec,
                   const ContainerState& at,
                   const StatusContext& context) {
  const json::Node row = list.append_object();
  row.set("name", spec.name());
  put_state(row, context.pod, context.record, at);
  row.set("ready", is_ready(spec, at));
  row.set("restartCount", at.attempt);
  row.set("image", spec.node["image"].string());
  row.set("imageID", at.image_id);
  const bool was_made = at.run != RunState::kWaiting && at.run != RunState::kStarting;
  if (was_made)
    row.set("containerID", join({"crun://", container_id(context.record, at, at.attempt)}));
  else if (at.before)
    row.set("containerID", join({"crun://", container_id(context.record, at, at.before->attempt)}));
  row.set("started", at.run == RunState::kRunning && at.start_probed);
  if (spec.node["resources"].size() > 0 && at.run == RunState::kRunning)
    row.set("resources", spec.node["resources"]);
  put_mounts(row, spec.node);
}

void put_containers(json::Node status, const StatusContext& context) {
  const std::vector<ContainerSpec> specs = containers_of(context.pod);
  std::vector<size_t> main;
  status.remove("initContainerStatuses");
  status.remove("containerStatuses");
  const size_t known = std::min(specs.size(), context.record.containers.size());
  for (size_t i = 0; i < known; ++i) {
    if (!specs[i].init)
      main.push_back(i);
    else
      put_container(status.array("initContainerStatuses"), specs[i], context.record.containers[i],
                    context);
  }
  // Upstream sorts these by name and keeps the init containers in spec order.
  std::sort(main.begin(), main.end(),
            [&](size_t a, size_t b) { return specs[a].name() < specs[b].name(); });
  for (const size_t i : main)
    put_container(status.array("containerStatuses"), specs[i], context.record.containers[i],
                  context);
}

// --- Conditions

struct Condition {
  std::string_view type;
  std::string_view status;
  std::string reason;
  std::string message;
};

std::string names_of(const std::vector<std::string_view>& names) {
  std::string text = "[";
  for (const std::string_view name : names) {
    if (text.size() > 1) text += ' ';
    text += name;
  }
  return text + "]";
}

Condition initialized(json::Node pod, const PodRecord& record, std::string_view phase) {
  if (is_initialized(pod, record)) {
    return {"Initialized", "True", phase == "Succeeded" ? "PodCompleted" : "", ""};
  }
  std::vector<std::string_view> missing;
  const std::vector<ContainerSpec> specs = containers_of(pod);
  for (size_t i = 0; i < specs.size() && i < record.containers.size(); ++i) {
    const ContainerState& at = record.containers[i];
    const bool done = specs[i].sidecar ? at.start_probed : at.ended && at.ended->exit_code == 0;
    if (specs[i].init && !done) missing.push_back(specs[i].name());
  }
  return {"Initialized", "False", "ContainersNotInitialized",
          join({"containers with incomplete status: ", names_of(missing)})};
}

Condition containers_ready(json::Node pod, const PodRecord& record, std::string_view phase) {
  if (phase == "Succeeded") return {"ContainersReady", "False", "PodCompleted", ""};
  if (phase == "Failed") return {"ContainersReady", "False", "PodFailed", ""};
  std::vector<std::string_view> unready;
  const std::vector<ContainerSpec> specs = containers_of(pod);
  for (size_t i = 0; i < specs.size() && i < record.containers.size(); ++i) {
    if (specs[i].init && !specs[i].sidecar) continue;
    if (!is_ready(specs[i], record.containers[i])) unready.push_back(specs[i].name());
  }
  if (unready.empty()) return {"ContainersReady", "True", "", ""};
  return {"ContainersReady", "False", "ContainersNotReady",
          join({"containers with unready status: ", names_of(unready)})};
}

json::Node stored_condition(json::Node pod, std::string_view type) {
  for (const json::Node condition : pod["status"]["conditions"]) {
    if (condition["type"].string() == type) return condition;
  }
  return {};
}

Condition ready(json::Node pod, const Condition& containers) {
  Condition all{"Ready", containers.status, containers.reason, containers.message};
  if (containers.status != "True") return all;
  std::string missing;
  for (const json::Node gate : pod["spec"]["readinessGates"]) {
    const std::string_view type = gate["conditionType"].string();
    const json::Node found = stored_condition(pod, type);
    if (found["status"].string() == "True") continue;
    if (!missing.empty()) missing += ", ";
    missing += found ? join({"the status of pod readiness gate \"", type,
                             "\" is not \"True\", but ", found["status"].string()})
                     : join({"corresponding condition of pod readiness gate \"", type,
                             "\" does not exist."});
  }
  if (missing.empty()) return all;
  return {"Ready", "False", "ReadinessGatesNotReady", missing};
}

void put_condition(json::Node list, const Condition& condition, const StatusContext& context) {
  const json::Node stored = stored_condition(context.pod, condition.type);
  const json::Node row = list.append_object();
  row.set("type", condition.type);
  const json::Node generation = context.pod["metadata"]["generation"];
  if (generation) row.set("observedGeneration", generation.integer());
  row.set("status", condition.status);
  row.set_null("lastProbeTime");
  const bool same = stored["status"].string() == condition.status;
  row.set("lastTransitionTime",
          same ? stored["lastTransitionTime"].string() : std::string_view(rfc3339(context.now)));
  if (!condition.reason.empty()) row.set("reason", condition.reason);
  if (!condition.message.empty()) row.set("message", condition.message);
}

constexpr std::string_view kDisruption = "DisruptionTarget";
constexpr std::array<std::string_view, 5> kOwnConditions = {
    "PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"};

void put_conditions(json::Node status, std::string_view phase, const StatusContext& context) {
  const json::Node stored = context.pod["status"]["conditions"];
  const PodRecord& record = context.record;
  status.remove("conditions");
  const json::Node list = status.array("conditions");
  const bool stands = record.phase == Phase::kRunning || record.phase == Phase::kStopping;
  put_condition(list, {"PodReadyToStartContainers", stands ? "True" : "False", "", ""}, context);
  put_condition(list, initialized(context.pod, record, phase), context);
  const Condition containers = containers_ready(context.pod, record, phase);
  put_condition(list, ready(context.pod, containers), context);
  put_condition(list, containers, context);
  if (!stored_condition(context.pod, "PodScheduled"))
    put_condition(list, {"PodScheduled", "True", "", ""}, context);
  const bool evicted = record.reason == "Evicted";
  if (evicted)
    put_condition(list, {kDisruption, "True", "TerminationByKubelet", record.message}, context);
  for (const json::Node condition : stored) {
    const std::string_view type = condition["type"].string();
    if (evicted && type == kDisruption) continue;
    const bool own = std::find(kOwnConditions.begin(), kOwnConditions.end() - 1, type) !=
                     kOwnConditions.end() - 1;
    if (!own) list.append(condition);
  }
}

void put_addresses(json::Node status, const StatusContext& context) {
  if (!context.host_ip.empty()) {
    status.set("hostIP", context.host_ip);
    status.remove("hostIPs");
    status.array("hostIPs").append_object().set("ip", context.host_ip);
  }
  const Phase phase = context.record.phase;
  std::string ip;
  if (context.pod["spec"]["hostNetwork"].boolean()) {
    if (phase != Phase::kNew || status["podIP"]) ip = context.host_ip;
  } else if (context.record.ip && (phase == Phase::kRunning || phase == Phase::kStopping)) {
    ip = context.record.ip->text();
  }
  if (ip.empty()) return;  // an ended pod keeps the address it had
  status.set("podIP", ip);
  status.remove("podIPs");
  status.array("podIPs").append_object().set("ip", ip);
}

void set_or_remove(json::Node status, std::string_view name, std::string_view value) {
  if (value.empty())
    status.remove(name);
  else
    status.set(name, value);
}

}  // namespace

json::Node make_status(json::Tree& tree, const StatusContext& context) {
  const json::Node stored = context.pod["status"];
  const json::Node status = stored.is_object() ? tree.detached(stored) : tree.detached_object();
  const std::string phase = pod_phase(context.pod, context.record);
  status.set("phase", phase);
  const json::Node generation = context.pod["metadata"]["generation"];
  if (generation) status.set("observedGeneration", generation.integer());
  set_or_remove(status, "reason", context.record.reason);
  set_or_remove(status, "message", context.record.message);
  put_conditions(status, phase, context);
  put_containers(status, context);
  put_addresses(status, context);
  if (!status["startTime"]) status.set("startTime", rfc3339(context.record.started));
  if (!status["qosClass"]) status.set("qosClass", qos_name(qos_of(context.pod)));
  return status;
}

std::string status_patch(json::Node stored, json::Node wanted) {
  json::Tree tree;
  const json::Node root = tree.make_object();
  const json::Node patch = root.object("status");
  for (const json::Node field : wanted) {
    if (!json::equal(field, stored[field.key()])) patch.set(field.key(), field);
  }
  for (const json::Node field : stored) {
    if (!wanted[field.key()]) patch.set_null(field.key());
  }
  return patch.size() == 0 ? std::string() : json::write(root);
}

}  // namespace coracle::node
