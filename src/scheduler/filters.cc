// SPDX-License-Identifier: GPL-2.0-or-later
#include "scheduler/filters.h"

#include <algorithm>

#include "base/bytes.h"

namespace coracle::scheduler {

namespace {

void refuse(Refused& refused, std::string reason, bool for_good = false) {
  refused.reasons.push_back(std::move(reason));
  refused.for_good = refused.for_good || for_good;
}

void node_unschedulable(const Survey& survey, const NodeOffer& node, Refused& refused) {
  if (!node.unschedulable) return;
  const Taint taint{"node.kubernetes.io/unschedulable", "", "NoSchedule"};
  if (!survey.needs().tolerates(taint)) refuse(refused, "node(s) were unschedulable", true);
}

void node_name(const Survey& survey, const NodeOffer& node, Refused& refused) {
  const std::string& wanted = survey.needs().node_name;
  if (!wanted.empty() && wanted != node.name)
    refuse(refused, "node(s) didn't match the requested node name", true);
}

// Which taint it was is told by `kubectl describe node`.
void taint_toleration(const Survey& survey, const NodeOffer& node, Refused& refused) {
  if (!node.taints.empty() && untolerated(survey.needs(), node) != nullptr)
    refuse(refused, "node(s) had untolerated taint(s)", true);
}

void node_affinity(const Survey& survey, const NodeOffer& node, Refused& refused) {
  if (!suits(survey.needs(), node))
    refuse(refused, "node(s) didn't match Pod's node affinity/selector", true);
}

void node_ports(const Survey& survey, const NodeOffer& node, Refused& refused) {
  for (const HostPort& wanted : survey.needs().ports) {
    for (const HostPort& taken : node.ports) {
      if (!wanted.conflicts_with(taken)) continue;
      return refuse(refused, "node(s) didn't have free ports for the requested pod ports");
    }
  }
}

int64_t extended_of(const Amounts& amounts, std::string_view name) {
  for (const auto& [key, value] : amounts.extended) {
    if (key == name) return value;
  }
  return 0;
}

void node_resources_fit(const Survey& survey, const NodeOffer& node, Refused& refused) {
  const Amounts& wanted = survey.needs().requests;
  if (node.pods + 1 > node.pods_max) refuse(refused, "Too many pods");
  bool never = false;
  const auto lacks = [&never](int64_t amount, int64_t total, int64_t used) {
    if (amount <= 0 || amount <= total - used) return false;
    never = never || amount > total;
    return true;
  };
  if (lacks(wanted.cpu, node.allocatable.cpu, node.used.cpu)) refuse(refused, "Insufficient cpu");
  if (lacks(wanted.memory, node.allocatable.memory, node.used.memory))
    refuse(refused, "Insufficient memory");
  if (lacks(wanted.storage, node.allocatable.storage, node.used.storage))
    refuse(refused, "Insufficient ephemeral-storage");
  for (const auto& [name, amount] : wanted.extended) {
    if (lacks(amount, extended_of(node.allocatable, name), extended_of(node.used, name)))
      refuse(refused, join({"Insufficient ", name}));
  }
  // More than the node has at all (upstream insufficientResource.Unresolvable).
  refused.for_good = refused.for_good || never;
}

void volume_restrictions(const Survey& survey, const NodeOffer&, Refused& refused) {
  if (survey.volumes() != nullptr && survey.volumes()->is_taken())
    refuse(refused,
           "node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod "
           "access mode");
}

void volume_binding(const Survey& survey, const NodeOffer& node, Refused& refused) {
  if (survey.volumes() == nullptr) return;
  if (const char* why = survey.volumes()->unbindable(node)) refuse(refused, why, true);
}

void volume_zone(const Survey& survey, const NodeOffer& node, Refused& refused) {
  if (survey.volumes() == nullptr) return;
  if (const char* why = survey.volumes()->out_of_zone(node)) refuse(refused, why, true);
}

void pod_topology_spread(const Survey& survey, const NodeOffer& node, Refused& refused) {
  const Survey::Spreading spreading = survey.spreading(node);
  if (spreading == Survey::Spreading::kNoLabel)
    refuse(refused, "node(s) didn't match pod topology spread constraints (missing required label)",
           true);
  if (spreading == Survey::Spreading::kTooMany)
    refuse(refused, "node(s) didn't match pod topology spread constraints");
}

void inter_pod_affinity(const Survey& survey, const NodeOffer& node, Refused& refused) {
  if (!survey.is_near(node))
    refuse(refused, "node(s) didn't match pod affinity rules", true);
  else if (!survey.is_far(node))
    refuse(refused, "node(s) didn't match pod anti-affinity rules");
  else if (survey.disturbs_others(node))
    refuse(refused, "node(s) didn't satisfy existing pods anti-affinity rules");
}

constexpr uint32_t kNeighbours = kNodeAdded | kNodeLabels | kPodGone | kPodPlaced | kPodRelabelled;

constexpr Filter kFilters[] = {
    {"NodeUnschedulable", node_unschedulable, kNodeAdded | kNodeTaints},
    {"NodeName", node_name, kNodeAdded},
    {"TaintToleration", taint_toleration, kNodeAdded | kNodeTaints},
    {"NodeAffinity", node_affinity, kNodeAdded | kNodeLabels},
    {"NodePorts", node_ports, kNodeAdded | kPodGone},
    {"NodeResourcesFit", node_resources_fit, kNodeAdded | kNodeRoom | kPodGone},
    {"VolumeRestrictions", volume_restrictions, kPodGone | kVolumes},
    {"VolumeBinding", volume_binding, kNodeAdded | kNodeLabels | kVolumes},
    {"VolumeZone", volume_zone, kNodeAdded | kNodeLabels | kVolumes},
    {"PodTopologySpread", pod_topology_spread, kNeighbours | kNodeTaints},
    {"InterPodAffinity", inter_pod_affinity, kNeighbours | kOther},
};

}  // namespace

std::span<const Filter> filters() {
  return kFilters;
}

Refused refusal_of(const Survey& survey, const NodeOffer& node, uint32_t& helped_by) {
  Refused refused;
  for (const Filter& filter : kFilters) {
    filter.check(survey, node, refused);
    if (!refused) continue;
    helped_by |= filter.helped_by;
    break;
  }
  return refused;
}

}  // namespace coracle::scheduler
