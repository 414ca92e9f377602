// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/sim/convergence.h"

#include <set>
#include <string_view>

#include "api/claims.h"
#include "base/bytes.h"
#include "tests/sim/convergence_rules.h"

namespace coracle::sim {
namespace {

using Cluster = AtRest;

}  // namespace

std::string_view condition(json::Node object, std::string_view type) {
  for (const json::Node each : object["status"]["conditions"]) {
    if (each["type"].string() == type) return each["status"].string();
  }
  return {};
}

bool is_owned_by(json::Node object, std::string_view uid) {
  for (const json::Node owner : object["metadata"]["ownerReferences"]) {
    if (owner["uid"].string() == uid && owner["controller"].boolean()) return true;
  }
  return false;
}

// The counters of a status that is what the spec wants; 0 is left out.
std::string wrong_count(json::Node object, std::string_view counter, int64_t wanted) {
  const int64_t is = object["status"][counter].integer();
  if (is == wanted) return {};
  return join({"status.", counter, " is ", std::to_string(is), ", not ", std::to_string(wanted)});
}

// A pod whose claim is missing or on its way out waits for ever.
bool lacks_claims(const AtRest& cluster, const api::Object& pod, json::Node node) {
  for (const std::string& claim : api::claims_of(node)) {
    const auto found = cluster.state.get(api::kPersistentVolumeClaim, pod.ns(), claim);
    if (!found || found->deleting()) return true;
  }
  return false;
}

namespace {

// Held by a pod that may go on for ever.
bool is_in_use(const Cluster& cluster, const api::Object& claim) {
  bool used = false;
  api::for_each(cluster.state, api::kPod, claim.ns(), [&](const api::ObjectRef& pod) {
    json::Tree tree;
    for (const std::string& name : api::claims_of(pod->parse(tree)))
      used = used || name == claim.name();
  });
  return used;
}

std::string nothing_is_ending(const Cluster& cluster) {
  std::string wrong;
  for (const api::Kind* kind : api::all_kinds()) {
    if (!wrong.empty()) break;
    wrong = first_wrong(cluster, *kind, [&](const api::Object& object, json::Node) {
      if (kind == &api::kPersistentVolumeClaim && is_in_use(cluster, object)) return std::string();
      return object.deleting() ? std::string("still terminating") : std::string();
    });
  }
  return wrong;
}

bool owner_is_there(const Cluster& cluster, const api::Object& object, json::Node owner) {
  const std::string_view group_version = owner["apiVersion"].string();
  const size_t slash = group_version.find('/');
  const bool core = slash == std::string_view::npos;
  const api::Kind* kind = api::find_kind_by_name(
      core ? std::string_view() : group_version.substr(0, slash),
      core ? group_version : group_version.substr(slash + 1), owner["kind"].string());
  if (kind == nullptr) return false;
  const api::ObjectRef found = cluster.state.get(
      *kind, kind->namespaced ? object.ns() : std::string_view(), owner["name"].string());
  return found && found->uid() == owner["uid"].string();
}

std::string nothing_is_left_behind(const Cluster& cluster) {
  std::string wrong;
  for (const api::Kind* kind : api::all_kinds()) {
    if (!wrong.empty()) break;
    wrong = first_wrong(cluster, *kind, [&](const api::Object& object, json::Node node) {
      if (kind->namespaced && !cluster.state.get(api::kNamespace, {}, object.ns()))
        return std::string("its namespace is gone");
      for (const json::Node owner : node["metadata"]["ownerReferences"]) {
        if (!owner_is_there(cluster, object, owner)) return std::string("its owner is gone");
      }
      return std::string();
    });
  }
  return wrong;
}

std::string namespaces_are_furnished(const Cluster& cluster) {
  return first_wrong(cluster, api::kNamespace, [&](const api::Object& object, json::Node) {
    if (!cluster.state.get(api::kServiceAccount, object.name(), "default"))
      return std::string("no ServiceAccount default");
    if (!cluster.state.get(api::kConfigMap, object.name(), "kube-root-ca.crt"))
      return std::string("no ConfigMap kube-root-ca.crt");
    return std::string();
  });
}

// What the sets of a Deployment want together. One that was paused in the middle of a rollout
// stands still with both sets, above or below what it wants itself.
int64_t wanted_by_sets(const Cluster& cluster, const api::Object& deployment) {
  int64_t replicas = 0;
  api::for_each(cluster.state, api::kReplicaSet, deployment.ns(), [&](const api::ObjectRef& set) {
    json::Tree tree;
    const json::Node node = set->parse(tree);
    if (is_owned_by(node, deployment.uid())) replicas += node["spec"]["replicas"].integer();
  });
  return replicas;
}

std::string deployments_are_as_specified(const Cluster& cluster) {
  return first_wrong(cluster, api::kDeployment, [&](const api::Object& object, json::Node node) {
    if (node["status"]["observedGeneration"].integer() != node["metadata"]["generation"].integer())
      return std::string("status.observedGeneration is old");
    const int64_t of_sets = wanted_by_sets(cluster, object);
    const bool paused = node["spec"]["paused"].boolean();
    const int64_t wanted = paused ? of_sets : node["spec"]["replicas"].integer();
    std::string wrong;
    if (of_sets != wanted) wrong = join({"its sets want ", std::to_string(of_sets)});
    for (const char* counter : {"replicas", "readyReplicas", "availableReplicas"}) {
      if (wrong.empty()) wrong = wrong_count(node, counter, wanted);
    }
    if (paused || !wrong.empty()) return wrong;
    wrong = wrong_count(node, "updatedReplicas", wanted);
    if (wrong.empty()) wrong = wrong_count(node, "unavailableReplicas", 0);
    if (wrong.empty() && condition(node, "Available") != "True") wrong = "not Available";
    return wrong;
  });
}

std::string replica_sets_have_their_pods(const Cluster& cluster) {
  return first_wrong(cluster, api::kReplicaSet, [&](const api::Object& object, json::Node node) {
    const int64_t wanted = node["spec"]["replicas"].integer();
    if (node["status"]["observedGeneration"].integer() != node["metadata"]["generation"].integer())
      return std::string("status.observedGeneration is old");
    int64_t pods = 0;
    api::for_each(cluster.state, api::kPod, object.ns(), [&](const api::ObjectRef& pod) {
      json::Tree tree;
      if (is_owned_by(pod->parse(tree), object.uid())) pods++;
    });
    if (pods != wanted) {
      return join({std::to_string(pods), " pods instead of ", std::to_string(wanted)});
    }
    std::string wrong;
    for (const char* counter : {"replicas", "readyReplicas", "availableReplicas"}) {
      if (wrong.empty()) wrong = wrong_count(node, counter, wanted);
    }
    return wrong;
  });
}

std::string pods_run(const Cluster& cluster) {
  size_t pods = 0;
  std::string wrong = first_wrong(cluster, api::kPod, [&](const api::Object& pod, json::Node node) {
    const std::string_view phase = node["status"]["phase"].string();
    if (phase == "Succeeded" || phase == "Failed") return std::string();
    if (node["spec"]["nodeName"].string().empty() && lacks_claims(cluster, pod, node))
      return std::string();
    pods++;
    if (node["spec"]["nodeName"].string() != kNodeName) return std::string("not scheduled");
    if (node["status"]["phase"].string() != "Running") return std::string("not Running");
    if (condition(node, "Ready") != "True") return std::string("not Ready");
    const auto found = cluster.kubelet.containers().find(std::string(pod.uid()));
    if (found == cluster.kubelet.containers().end()) return std::string("no container");
    if (found->second != node["status"]["podIP"].string()) return std::string("another address");
    return std::string();
  });
  if (wrong.empty() && pods != cluster.kubelet.containers().size()) wrong = "a container too many";
  return wrong;
}

bool selects(json::Node selector, json::Node labels) {
  for (const json::Node each : selector) {
    if (labels[each.key()].string() != each.string()) return false;
  }
  return selector.size() > 0;
}

std::string endpoints_are_the_ready_pods(const Cluster& cluster) {
  return first_wrong(cluster, api::kService, [&](const api::Object& service, json::Node node) {
    // The cluster's own, kubernetes and kube-dns, have none.
    if (node["spec"]["selector"].size() == 0) return std::string();
    std::multiset<std::string> wanted;
    std::multiset<std::string> sliced;
    std::multiset<std::string> listed;
    api::for_each(cluster.state, api::kPod, service.ns(), [&](const api::ObjectRef& object) {
      json::Tree tree;
      const json::Node pod = object->parse(tree);
      if (selects(node["spec"]["selector"], pod["metadata"]["labels"]))
        wanted.emplace(pod["status"]["podIP"].string());
    });
    api::for_each(cluster.state, api::kEndpointSlice, service.ns(), [&](const api::ObjectRef& ref) {
      json::Tree tree;
      const json::Node slice = ref->parse(tree);
      if (slice["metadata"]["labels"]["kubernetes.io/service-name"].string() != service.name())
        return;
      for (const json::Node endpoint : slice["endpoints"]) {
        if (endpoint["conditions"]["ready"].boolean())
          sliced.emplace(endpoint["addresses"].first().string());
      }
    });
    json::Tree tree;
    const api::ObjectRef ref = cluster.state.get(api::kEndpoints, service.ns(), service.name());
    if (!ref) return std::string("no Endpoints");
    for (const json::Node subset : ref->parse(tree)["subsets"]) {
      for (const json::Node address : subset["addresses"])
        listed.emplace(address["ip"].string());
    }
    if (sliced != wanted) return std::string("its EndpointSlices are not its ready pods");
    if (listed != wanted) return std::string("its Endpoints are not its ready pods");
    return std::string();
  });
}

std::string the_node_is_ready(const Cluster& cluster) {
  const api::ObjectRef object = cluster.state.get(api::kNode, {}, kNodeName);
  if (!object) return "no node";
  json::Tree tree;
  const json::Node node = object->parse(tree);
  if (condition(node, "Ready") != "True") return "the node is not Ready";
  if (node["spec"]["taints"].size() > 0) return "the node is tainted";
  return {};
}

constexpr RestRule kRules[] = {
    nothing_is_ending, nothing_is_left_behind,       namespaces_are_furnished,
    the_node_is_ready, deployments_are_as_specified, replica_sets_have_their_pods,
    pods_run,          endpoints_are_the_ready_pods,
};

}  // namespace

std::string what_is_missing(const api::State& state, const Kubelet& kubelet) {
  const Cluster cluster{state, kubelet};
  for (const auto rules : {std::span<const RestRule>(kRules), workload_rules()}) {
    for (const RestRule rule : rules) {
      std::string wrong = rule(cluster);
      if (!wrong.empty()) return wrong;
    }
  }
  return {};
}

}  // namespace coracle::sim
