// SPDX-License-Identifier: GPL-2.0-or-later
#include "api/claims.h"
#include "tests/sim/convergence_rules.h"

namespace coracle::sim {
namespace {

int64_t pods_of(const AtRest& cluster, const api::Object& owner, bool& stuck) {
  int64_t pods = 0;
  api::for_each(cluster.state, api::kPod, owner.ns(), [&](const api::ObjectRef& pod) {
    json::Tree tree;
    const json::Node node = pod->parse(tree);
    if (!is_owned_by(node, owner.uid())) return;
    ++pods;
    stuck = stuck || lacks_claims(cluster, *pod, node);
  });
  return pods;
}

std::string old_status(json::Node node) {
  const bool old =
      node["status"]["observedGeneration"].integer() != node["metadata"]["generation"].integer();
  return old ? "status.observedGeneration is old" : "";
}

std::string stateful_sets_have_their_pods(const AtRest& cluster) {
  return first_wrong(cluster, api::kStatefulSet, [&](const api::Object& set, json::Node node) {
    std::string wrong = old_status(node);
    bool stuck = false;
    const int64_t pods = pods_of(cluster, set, stuck);
    if (stuck) return wrong;  // somebody took a claim away beneath it
    const int64_t wanted = node["spec"]["replicas"].integer();
    if (wrong.empty() && pods != wanted) wrong = join({std::to_string(pods), " pods"});
    for (const char* counter :
         {"replicas", "readyReplicas", "availableReplicas", "updatedReplicas"}) {
      if (wrong.empty()) wrong = wrong_count(node, counter, wanted);
    }
    const json::Node status = node["status"];
    if (wrong.empty() && status["currentRevision"].string() != status["updateRevision"].string())
      wrong = "the roll-out has not ended";
    return wrong;
  });
}

std::string daemon_sets_cover_the_node(const AtRest& cluster) {
  return first_wrong(cluster, api::kDaemonSet, [&](const api::Object& set, json::Node node) {
    std::string wrong = old_status(node);
    bool stuck = false;
    if (wrong.empty() && pods_of(cluster, set, stuck) != 1) wrong = "not one pod";
    for (const char* counter : {"desiredNumberScheduled", "currentNumberScheduled", "numberReady",
                                "numberAvailable", "updatedNumberScheduled"}) {
      if (wrong.empty()) wrong = wrong_count(node, counter, 1);
    }
    return wrong;
  });
}

std::string jobs_have_ended(const AtRest& cluster) {
  return first_wrong(cluster, api::kJob, [&](const api::Object&, json::Node node) {
    const json::Node status = node["status"];
    std::string wrong = wrong_count(node, "active", 0);
    if (node["spec"]["suspend"].boolean()) {
      const bool ended =
          condition(node, "Complete") == "True" || condition(node, "Failed") == "True";
      if (wrong.empty() && !ended && condition(node, "Suspended") != "True")
        wrong = "not Suspended";
      return wrong;
    }
    const bool complete = condition(node, "Complete") == "True";
    if (!complete && condition(node, "Failed") != "True") wrong = "neither Complete nor Failed";
    if (wrong.empty() && complete)
      wrong = wrong_count(node, "succeeded", node["spec"]["completions"].integer());
    if (wrong.empty() && status["uncountedTerminatedPods"].size() > 0)
      wrong = "pods are not counted";
    return wrong;
  });
}

// A claim that no pod wants waits; any other has its volume, and that has it.
std::string claims_are_bound(const AtRest& cluster) {
  return first_wrong(
      cluster, api::kPersistentVolumeClaim, [&](const api::Object& claim, json::Node node) {
        const std::string_view phase = node["status"]["phase"].string();
        const std::string_view name = node["spec"]["volumeName"].string();
        const bool chosen = bool{node["metadata"]["annotations"][api::kSelectedNode]};
        if (name.empty()) return std::string(chosen ? "no volume was made" : "");
        const api::ObjectRef volume = cluster.state.get(api::kPersistentVolume, {}, name);
        if (!volume) return std::string("its volume is gone");
        json::Tree tree;
        if (volume->parse(tree)["spec"]["claimRef"]["uid"].string() != claim.uid())
          return std::string("its volume is another's");
        return std::string(phase == "Bound" ? "" : "not Bound");
      });
}

std::string volumes_have_their_claims(const AtRest& cluster) {
  return first_wrong(
      cluster, api::kPersistentVolume, [&](const api::Object& volume, json::Node node) {
        const json::Node wanted = node["spec"]["claimRef"];
        const api::ObjectRef claim = cluster.state.get(
            api::kPersistentVolumeClaim, wanted["namespace"].string(), wanted["name"].string());
        if (!claim || claim->uid() != wanted["uid"].string()) return std::string("nobody's");
        json::Tree tree;
        const bool taken = claim->parse(tree)["spec"]["volumeName"].string() == volume.name();
        return std::string(taken && node["status"]["phase"].string() == "Bound" ? "" : "not Bound");
      });
}

std::string budgets_know_their_pods(const AtRest& cluster) {
  return first_wrong(
      cluster, api::kPodDisruptionBudget, [&](const api::Object& budget, json::Node node) {
        const std::string_view app = node["spec"]["selector"]["matchLabels"]["app"].string();
        int64_t healthy = 0;
        api::for_each(cluster.state, api::kPod, budget.ns(), [&](const api::ObjectRef& pod) {
          json::Tree tree;
          const json::Node each = pod->parse(tree);
          if (each["metadata"]["labels"]["app"].string() == app &&
              condition(each, "Ready") == "True")
            ++healthy;
        });
        std::string wrong = old_status(node);
        return wrong.empty() ? wrong_count(node, "currentHealthy", healthy) : wrong;
      });
}

constexpr RestRule kRules[] = {
    stateful_sets_have_their_pods, daemon_sets_cover_the_node, jobs_have_ended, claims_are_bound,
    volumes_have_their_claims,     budgets_know_their_pods,
};

}  // namespace

std::span<const RestRule> workload_rules() {
  return kRules;
}

}  // namespace coracle::sim
