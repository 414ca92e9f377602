// SPDX-License-Identifier: GPL-2.0-or-later
// What `kubectl get pods` shows (kubernetes pkg/printers/internalversion, printPod).
#include "api/kinds/cells.h"
#include "api/kinds/pod.h"
#include "base/bytes.h"

namespace coracle::api {
namespace {

// The containers of a pod summed up: how many are ready, what is wrong, when one last restarted.
struct Summary {
  std::string status;
  size_t ready = 0;
  size_t total = 0;
  int64_t restarts = 0;
  std::optional<Wall> last_restart;
};

bool is_condition_true(json::Node pod, std::string_view type) {
  for (json::Node condition : pod["status"]["conditions"]) {
    if (condition["type"].string() == type) return condition["status"].string() == "True";
  }
  return false;
}

bool is_sidecar(json::Node pod, std::string_view name) {
  for (json::Node container : pod["spec"]["initContainers"]) {
    if (container["name"].string() == name) return container["restartPolicy"].string() == "Always";
  }
  return false;
}

// "Error", "Signal:9", "ExitCode:1"
std::string ended_text(json::Node terminated) {
  const std::string_view reason = terminated["reason"].string();
  if (!reason.empty()) return std::string(reason);
  const int64_t signal = terminated["signal"].integer();
  if (signal != 0) return join({"Signal:", std::to_string(signal)});
  return join({"ExitCode:", std::to_string(terminated["exitCode"].integer())});
}

void count_restarts(json::Node status, Summary& summary) {
  summary.restarts += status["restartCount"].integer();
  const std::optional<Wall> ended =
      parse_rfc3339(status["lastState"]["terminated"]["finishedAt"].string());
  if (ended && (!summary.last_restart || *summary.last_restart < *ended))
    summary.last_restart = ended;
}

std::string init_text(json::Node state, size_t index, size_t total) {
  if (state["terminated"]) return join({"Init:", ended_text(state["terminated"])});
  const std::string_view waits = state["waiting"]["reason"].string();
  if (!waits.empty() && waits != "PodInitializing") return join({"Init:", waits});
  return join({"Init:", std::to_string(index), "/", std::to_string(total)});
}

// Returns whether the pod is still initializing. Restarts of sidecars also go to `sidecars`.
bool sum_up_init_containers(json::Node pod, Summary& summary, Summary& sidecars) {
  const size_t total = pod["spec"]["initContainers"].size();
  size_t index = 0;
  for (json::Node status : pod["status"]["initContainerStatuses"]) {
    const bool sidecar = is_sidecar(pod, status["name"].string());
    count_restarts(status, summary);
    if (sidecar) count_restarts(status, sidecars);
    const json::Node state = status["state"];
    const bool done = state["terminated"] && state["terminated"]["exitCode"].integer() == 0;
    const bool started = sidecar && status["started"].boolean();
    if (!done && !started) {
      summary.status = init_text(state, index, total);
      return true;
    }
    if (!done && status["ready"].boolean()) ++summary.ready;
    ++index;
  }
  return false;
}

// Returns whether the container runs and is ready.
bool sum_up_container(json::Node status, Summary& summary) {
  count_restarts(status, summary);
  const json::Node state = status["state"];
  const std::string_view waits = state["waiting"]["reason"].string();
  if (!waits.empty()) {
    summary.status = waits;
  } else if (state["terminated"]) {
    summary.status = ended_text(state["terminated"]);
  } else if (status["ready"].boolean() && state["running"]) {
    ++summary.ready;
    return true;
  }
  return false;
}

// The first container has the last word.
void sum_up_containers(json::Node pod, Summary& summary) {
  std::vector<json::Node> statuses;
  for (json::Node status : pod["status"]["containerStatuses"])
    statuses.push_back(status);
  bool runs = false;
  for (auto status = statuses.rbegin(); status != statuses.rend(); ++status)
    runs = sum_up_container(*status, summary) || runs;
  if (summary.status == "Completed" && runs)
    summary.status = is_condition_true(pod, "Ready") ? "Running" : "NotReady";
}

std::string phase_text(json::Node pod) {
  for (json::Node condition : pod["status"]["conditions"]) {
    if (condition["type"].string() == "PodScheduled" &&
        condition["reason"].string() == "SchedulingGated")
      return "SchedulingGated";
  }
  const std::string_view reason = pod["status"]["reason"].string();
  return std::string(reason.empty() ? pod["status"]["phase"].string() : reason);
}

void override_for_deletion(json::Node pod, Summary& summary) {
  if (!pod["metadata"]["deletionTimestamp"]) return;
  const std::string_view phase = pod["status"]["phase"].string();
  if (pod["status"]["reason"].string() == "NodeLost") {
    summary.status = "Unknown";
  } else if (phase != "Succeeded" && phase != "Failed") {
    summary.status = "Terminating";
  }
}

Summary sum_up(json::Node pod) {
  Summary summary;
  Summary sidecars;
  summary.status = phase_text(pod);
  const bool initializing = sum_up_init_containers(pod, summary, sidecars);
  if (!initializing || is_condition_true(pod, "Initialized")) {
    summary.restarts = sidecars.restarts;
    summary.last_restart = sidecars.last_restart;
    sum_up_containers(pod, summary);
  }
  summary.total = pod["spec"]["containers"].size();
  for (json::Node container : pod["spec"]["initContainers"])
    summary.total += container["restartPolicy"].string() == "Always" ? 1 : 0;
  override_for_deletion(pod, summary);
  return summary;
}

void ready_cell(json::Node pod, Wall, json::Writer& out) {
  const Summary summary = sum_up(pod);
  out.value(join({std::to_string(summary.ready), "/", std::to_string(summary.total)}));
}

void status_cell(json::Node pod, Wall, json::Writer& out) {
  out.value(sum_up(pod).status);
}

void restarts_cell(json::Node pod, Wall now, json::Writer& out) {
  const Summary summary = sum_up(pod);
  std::string text = std::to_string(summary.restarts);
  if (summary.restarts != 0 && summary.last_restart)
    text = join({text, " (", human_duration(now - *summary.last_restart), " ago)"});
  out.value(text);
}

void text_or_none(std::string_view text, json::Writer& out) {
  out.value(text.empty() ? "<none>" : text);
}

void ip_cell(json::Node pod, Wall, json::Writer& out) {
  text_or_none(pod["status"]["podIPs"].first()["ip"].string(pod["status"]["podIP"].string()), out);
}

void node_cell(json::Node pod, Wall, json::Writer& out) {
  text_or_none(pod["spec"]["nodeName"].string(), out);
}

void nominated_cell(json::Node pod, Wall, json::Writer& out) {
  text_or_none(pod["status"]["nominatedNodeName"].string(), out);
}

void gates_cell(json::Node pod, Wall, json::Writer& out) {
  const json::Node gates = pod["spec"]["readinessGates"];
  if (gates.size() == 0) return out.value("<none>");
  size_t open = 0;
  for (json::Node gate : gates)
    open += is_condition_true(pod, gate["conditionType"].string()) ? 1 : 0;
  out.value(join({std::to_string(open), "/", std::to_string(gates.size())}));
}

}  // namespace

constinit const Column kPodColumns[kPodColumnCount] = {
    {.name = "Ready", .cell = ready_cell, .description = "Ready containers of all."},
    {.name = "Status", .cell = status_cell, .description = "State of the containers, in a word."},
    {.name = "Restarts", .cell = restarts_cell, .description = "Restarts of the containers."},
    kAgeColumn,
    {.name = "IP", .cell = ip_cell, .wide = true, .description = "Address of the Pod."},
    {.name = "Node", .cell = node_cell, .wide = true, .description = "Node that it runs on."},
    {.name = "Nominated Node",
     .cell = nominated_cell,
     .wide = true,
     .description = "Node that is being made free for the Pod."},
    {.name = "Readiness Gates",
     .cell = gates_cell,
     .wide = true,
     .description = "Readiness gates that are open."},
};

std::string pod_ips_text(json::Node pod) {
  std::string text;
  for (json::Node ip : pod["status"]["podIPs"])
    add_listed(text, ip["ip"].string());
  return text;
}

}  // namespace coracle::api
