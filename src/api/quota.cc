// SPDX-License-Identifier: GPL-2.0-or-later
#include "api/quota.h"

#include <algorithm>

#include "api/quantity.h"
#include "base/bytes.h"

namespace coracle::api {
namespace {

constexpr int64_t kOne = 1000;

// The most that is asked for at any time: containers together with the restartable init
// containers, or one init container beside the restartable ones before it.
QuotaUsage amounts_of(json::Node spec, std::string_view which) {
  QuotaUsage total;
  QuotaUsage restartable;
  QuotaUsage highest;
  const auto amount = [](json::Node entry) { return quantity_millis(entry.string()).value_or(0); };
  for (const json::Node container : spec["containers"]) {
    for (const json::Node entry : container["resources"][which])
      total[std::string(entry.key())] += amount(entry);
  }
  for (const json::Node container : spec["initContainers"]) {
    const bool stays = container["restartPolicy"].string() == "Always";
    for (const json::Node entry : container["resources"][which]) {
      const std::string name(entry.key());
      int64_t step = amount(entry) + restartable[name];
      if (stays) {
        restartable[name] = step;
        total[name] += amount(entry);
      }
      highest[name] = std::max(highest[name], step);
    }
  }
  for (const auto& [name, most] : highest)
    total[name] = std::max(total[name], most);
  for (const json::Node entry : spec["overhead"])
    total[std::string(entry.key())] += amount(entry);
  return total;
}

void add_pod(json::Node pod, QuotaUsage& usage) {
  const std::string_view phase = pod["status"]["phase"].string();
  if (phase == "Succeeded" || phase == "Failed") return;
  usage["pods"] += kOne;
  for (const auto& [name, amount] : amounts_of(pod["spec"], "requests")) {
    usage[join({"requests.", name})] += amount;
    if (name == "cpu" || name == "memory" || name == "ephemeral-storage") usage[name] += amount;
  }
  for (const auto& [name, amount] : amounts_of(pod["spec"], "limits"))
    usage[join({"limits.", name})] += amount;
}

void add_service(json::Node service, QuotaUsage& usage) {
  const std::string_view type = service["spec"]["type"].string();
  usage["services"] += kOne;
  if (type == "LoadBalancer") usage["services.loadbalancers"] += kOne;
  const bool allocates = service["spec"]["allocateLoadBalancerNodePorts"].boolean(true);
  if (type == "NodePort" || (type == "LoadBalancer" && allocates))
    usage["services.nodeports"] += kOne * static_cast<int64_t>(service["spec"]["ports"].size());
}

void add_claim(json::Node claim, QuotaUsage& usage) {
  const int64_t storage =
      quantity_millis(claim["spec"]["resources"]["requests"]["storage"].string()).value_or(0);
  usage["persistentvolumeclaims"] += kOne;
  usage["requests.storage"] += storage;
  const std::string_view storage_class = claim["spec"]["storageClassName"].string();
  if (storage_class.empty()) return;
  const std::string prefix = join({storage_class, ".storageclass.storage.k8s.io/"});
  usage[prefix + "persistentvolumeclaims"] += kOne;
  usage[prefix + "requests.storage"] += storage;
}

bool asks_for_nothing(json::Node spec) {
  for (const char* list : {"containers", "initContainers"}) {
    for (const json::Node container : spec[list]) {
      for (const char* which : {"requests", "limits"}) {
        for (const json::Node entry : container["resources"][which]) {
          const bool counts = entry.key() == "cpu" || entry.key() == "memory";
          if (counts && quantity_millis(entry.string()).value_or(0) > 0) return false;
        }
      }
    }
  }
  return true;
}

bool looks_beyond_its_namespace(json::Node spec) {
  for (const char* kind : {"podAffinity", "podAntiAffinity"}) {
    const json::Node affinity = spec["affinity"][kind];
    for (const json::Node term : affinity["requiredDuringSchedulingIgnoredDuringExecution"]) {
      if (term["namespaces"].size() > 0 || term["namespaceSelector"]) return true;
    }
    for (const json::Node wish : affinity["preferredDuringSchedulingIgnoredDuringExecution"]) {
      const json::Node term = wish["podAffinityTerm"];
      if (term["namespaces"].size() > 0 || term["namespaceSelector"]) return true;
    }
  }
  return false;
}

bool in_scope(json::Node spec, std::string_view scope) {
  if (scope == "Terminating") return bool{spec["activeDeadlineSeconds"]};
  if (scope == "NotTerminating") return !spec["activeDeadlineSeconds"];
  if (scope == "BestEffort") return asks_for_nothing(spec);
  if (scope == "NotBestEffort") return !asks_for_nothing(spec);
  if (scope == "CrossNamespacePodAffinity") return looks_beyond_its_namespace(spec);
  return scope == "PriorityClass" && !spec["priorityClassName"].string().empty();
}

bool term_covers(json::Node spec, json::Node term) {
  const std::string_view op = term["operator"].string();
  const bool in = in_scope(spec, term["scopeName"].string());
  if (op == "Exists") return in;
  if (op == "DoesNotExist") return !in;
  const std::string_view name = spec["priorityClassName"].string();
  bool listed = false;
  for (const json::Node value : term["values"])
    listed = listed || (value.string() == name && !name.empty());
  return op == "In" ? listed : !listed;
}

}  // namespace

void add_quota_usage(const Kind& kind, json::Node object, QuotaUsage& usage) {
  const std::string_view plural = kind.plural;
  usage[join({"count/", group_resource(kind)})] += kOne;
  if (&kind == &kPod) return add_pod(object, usage);
  if (&kind == &kService) return add_service(object, usage);
  if (&kind == &kPersistentVolumeClaim) return add_claim(object, usage);
  if (kind.group.empty() && (plural == "secrets" || plural == "configmaps" ||
                             plural == "replicationcontrollers" || plural == "resourcequotas"))
    usage[std::string(plural)] += kOne;
}

bool quota_counts(json::Node hard, const Kind& kind) {
  const std::string count = join({"count/", group_resource(kind)});
  for (const json::Node name : hard) {
    if (name.key() == count) return true;
    if (name.key().starts_with("count/")) continue;
    if (&kind == &kPod || name.key().find(kind.plural) != std::string_view::npos ||
        (&kind == &kPersistentVolumeClaim && name.key().find("storage") != std::string_view::npos))
      return true;
  }
  return false;
}

bool quota_covers(json::Node quota, const Kind& kind, json::Node object) {
  const json::Node spec = quota["spec"];
  const json::Node terms = spec["scopeSelector"]["matchExpressions"];
  if (spec["scopes"].size() + terms.size() == 0) return true;
  if (&kind != &kPod) return false;
  for (const json::Node scope : spec["scopes"]) {
    if (!in_scope(object["spec"], scope.string())) return false;
  }
  for (const json::Node term : terms) {
    if (!term_covers(object["spec"], term)) return false;
  }
  return true;
}

std::string quota_quantity(std::string_view name, int64_t thousandths) {
  const bool cpu = name == "cpu" || name.ends_with(".cpu");
  if (cpu || thousandths % kOne != 0) return millis_quantity(thousandths);
  const bool bytes = name.ends_with("memory") || name.ends_with("storage");
  return bytes ? bytes_quantity(thousandths / kOne) : std::to_string(thousandths / kOne);
}

}  // namespace coracle::api
