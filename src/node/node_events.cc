// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/node_events.h"

#include <array>
#include <utility>

#include "base/bytes.h"

namespace coracle::node {

namespace {

struct Turn {
  std::string_view condition;
  std::string_view when_true;
  std::string_view when_false;
};
constexpr std::string_view kUnschedulable = "Unschedulable";  // of the spec
constexpr std::array<Turn, 5> kTurns = {{
    {"MemoryPressure", "NodeHasInsufficientMemory", "NodeHasSufficientMemory"},
    {"DiskPressure", "NodeHasDiskPressure", "NodeHasNoDiskPressure"},
    {"PIDPressure", "NodeHasInsufficientPID", "NodeHasSufficientPID"},
    {"Ready", "NodeReady", "NodeNotReady"},
    {kUnschedulable, "NodeNotSchedulable", "NodeSchedulable"},
}};

std::string status_of(json::Node status, std::string_view condition) {
  for (const json::Node each : status["conditions"]) {
    if (each["type"].string() == condition) return std::string(each["status"].string());
  }
  return {};
}

}  // namespace

void NodeEvents::tell(const api::Object& node, std::string_view reason) {
  events_.normal(node, reason, join({"Node ", node_name_, " status is now: ", reason}));
}

void NodeEvents::short_of(const api::Object& node, std::string_view resource) {
  events_.warning(node, "EvictionThresholdMet", join({"Attempting to reclaim ", resource}));
}

void NodeEvents::look(const api::Object& node, json::Node stored, json::Node wanted) {
  const bool first = !std::exchange(started_, true);
  if (first) {
    events_.normal(node, "Starting", "Starting kubelet.");
    const std::string_view before = stored["status"]["nodeInfo"]["bootID"].string();
    const std::string_view now = wanted["nodeInfo"]["bootID"].string();
    if (!before.empty() && before != now)
      events_.warning(node, "Rebooted",
                      join({"Node ", node_name_, " has been rebooted, boot id: ", now}));
  }
  for (const Turn& turn : kTurns) {
    const bool of_spec = turn.condition == kUnschedulable;
    const std::string now = of_spec ? (stored["spec"]["unschedulable"].boolean() ? "True" : "False")
                                    : status_of(wanted, turn.condition);
    std::string& told = told_[std::string(turn.condition)];
    if (first) told = of_spec ? "False" : status_of(stored["status"], turn.condition);
    if (told == now) continue;
    told = now;
    tell(node, now == "True" ? turn.when_true : turn.when_false);
  }
}

}  // namespace coracle::node
