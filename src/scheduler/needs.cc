// SPDX-License-Identifier: GPL-2.0-or-later
#include "scheduler/needs.h"

#include <algorithm>

#include "api/claims.h"
#include "api/quantity.h"
#include "base/bytes.h"

namespace coracle::scheduler {

namespace {

// What an asking-for-nothing container counts in scores (upstream util.DefaultMilliCPURequest,
// DefaultMemoryRequest).
constexpr int64_t kDefaultCpu = 100;
constexpr int64_t kDefaultMemory = 200 * 1024 * 1024;

int64_t* find_extended(Amounts& amounts, std::string_view name) {
  for (auto& [key, value] : amounts.extended) {
    if (key == name) return &value;
  }
  return nullptr;
}

int64_t& extended(Amounts& amounts, const std::string& name) {
  if (int64_t* found = find_extended(amounts, name)) return *found;
  const auto at =
      std::lower_bound(amounts.extended.begin(), amounts.extended.end(), name,
                       [](const auto& entry, const std::string& key) { return entry.first < key; });
  return amounts.extended.insert(at, {name, 0})->second;
}

Amounts scored_requests(json::Node container) {
  Amounts amounts = read_amounts(container["resources"]["requests"]);
  if (!container["resources"]["requests"]["cpu"]) amounts.cpu = kDefaultCpu;
  if (!container["resources"]["requests"]["memory"]) amounts.memory = kDefaultMemory;
  return amounts;
}

// Containers run together, init containers one after another, each beside the restartable ones
// before it (component-helpers resource.PodRequests).
template <class Read>
Amounts pod_amounts(json::Node spec, Read read) {
  Amounts total;
  for (const json::Node container : spec["containers"])
    total.add(read(container));
  Amounts restartable;
  Amounts highest;
  for (const json::Node container : spec["initContainers"]) {
    Amounts step = read(container);
    if (container["restartPolicy"].string() == "Always") {
      restartable.add(step);
      total.add(step);
      step = restartable;
    } else {
      step.add(restartable);
    }
    highest.raise_to(step);
  }
  total.raise_to(highest);
  total.add(read_amounts(spec["overhead"]));
  return total;
}

std::vector<NodeTerm::Requirement> read_requirements(json::Node list) {
  std::vector<NodeTerm::Requirement> requirements;
  for (const json::Node item : list) {
    NodeTerm::Requirement requirement{
        std::string(item["key"].string()), std::string(item["operator"].string()), {}};
    for (const json::Node value : item["values"])
      requirement.values.emplace_back(value.string());
    requirements.push_back(std::move(requirement));
  }
  return requirements;
}

bool requirement_matches(const NodeTerm::Requirement& requirement, const std::string* value) {
  const auto listed = [&] {
    return value != nullptr && std::find(requirement.values.begin(), requirement.values.end(),
                                         *value) != requirement.values.end();
  };
  if (requirement.op == "In") return listed();
  if (requirement.op == "NotIn") return !listed();
  if (requirement.op == "Exists") return value != nullptr;
  if (requirement.op == "DoesNotExist") return value == nullptr;
  if (value == nullptr || requirement.values.size() != 1) return false;
  const auto have = parse_signed(*value);
  const auto bound = parse_signed(requirement.values[0]);
  if (!have || !bound) return false;
  return requirement.op == "Gt" ? *have > *bound : requirement.op == "Lt" && *have < *bound;
}

void read_pod_affinity(json::Node pod, PodNeeds& needs) {
  constexpr const char* kRequired = "requiredDuringSchedulingIgnoredDuringExecution";
  constexpr const char* kPreferred = "preferredDuringSchedulingIgnoredDuringExecution";
  const json::Node near = pod["spec"]["affinity"]["podAffinity"];
  const json::Node far = pod["spec"]["affinity"]["podAntiAffinity"];
  needs.near = read_pod_terms(near[kRequired], pod);
  needs.far = read_pod_terms(far[kRequired], pod);
  needs.liked = read_pod_terms(near[kPreferred], pod);
  needs.disliked = read_pod_terms(far[kPreferred], pod);
}

void read_affinity(json::Node affinity, PodNeeds& needs) {
  const json::Node node = affinity["nodeAffinity"];
  const json::Node required = node["requiredDuringSchedulingIgnoredDuringExecution"];
  needs.has_required_terms = bool{required};
  for (const json::Node term : required["nodeSelectorTerms"])
    needs.required.push_back(read_term(term, 0));
  for (const json::Node term : node["preferredDuringSchedulingIgnoredDuringExecution"]) {
    needs.preferred.push_back(read_term(term["preference"], term["weight"].integer()));
  }
}

void read_ports(json::Node containers, PodNeeds& needs) {
  for (const json::Node container : containers) {
    for (const json::Node port : container["ports"]) {
      if (port["hostPort"].integer() <= 0) continue;
      const std::string_view address = port["hostIP"].string();
      needs.ports.push_back({std::string(address.empty() ? "0.0.0.0" : address),
                             std::string(port["protocol"].string("TCP")),
                             port["hostPort"].integer()});
    }
  }
}

}  // namespace

void Amounts::add(const Amounts& other) {
  cpu += other.cpu;
  memory += other.memory;
  storage += other.storage;
  for (const auto& [name, value] : other.extended)
    coracle::scheduler::extended(*this, name) += value;
}

void Amounts::subtract(const Amounts& other) {
  cpu -= other.cpu;
  memory -= other.memory;
  storage -= other.storage;
  for (const auto& [name, value] : other.extended)
    coracle::scheduler::extended(*this, name) -= value;
}

void Amounts::raise_to(const Amounts& other) {
  cpu = std::max(cpu, other.cpu);
  memory = std::max(memory, other.memory);
  storage = std::max(storage, other.storage);
  for (const auto& [name, value] : other.extended) {
    int64_t& mine = coracle::scheduler::extended(*this, name);
    mine = std::max(mine, value);
  }
}

Amounts read_amounts(json::Node resource_list) {
  Amounts amounts;
  for (const json::Node entry : resource_list) {
    const std::string_view name = entry.key();
    if (name == "cpu")
      amounts.cpu = api::quantity_millis(entry.string()).value_or(0);
    else if (name == "memory")
      amounts.memory = api::quantity_value(entry.string()).value_or(0);
    else if (name == "ephemeral-storage")
      amounts.storage = api::quantity_value(entry.string()).value_or(0);
    else if (name != "pods")
      extended(amounts, std::string(name)) = api::quantity_value(entry.string()).value_or(0);
  }
  return amounts;
}

bool HostPort::conflicts_with(const HostPort& other) const {
  if (port != other.port || protocol != other.protocol) return false;
  return address == other.address || address == "0.0.0.0" || other.address == "0.0.0.0";
}

bool Toleration::tolerates(const Taint& taint) const {
  if (!effect.empty() && effect != taint.effect) return false;
  if (!key.empty() && key != taint.key) return false;
  if (op == "Exists") return true;
  return !key.empty() && value == taint.value;
}

PodNeeds read_needs(json::Node pod) {
  const json::Node spec = pod["spec"];
  PodNeeds needs;
  needs.requests = pod_amounts(
      spec, [](json::Node container) { return read_amounts(container["resources"]["requests"]); });
  needs.scored = pod_amounts(spec, scored_requests);
  read_ports(spec["containers"], needs);
  for (const json::Node item : spec["tolerations"]) {
    needs.tolerations.push_back(
        {std::string(item["key"].string()), std::string(item["operator"].string("Equal")),
         std::string(item["value"].string()), std::string(item["effect"].string())});
  }
  for (const json::Node label : spec["nodeSelector"])
    needs.node_selector.emplace_back(label.key(), label.string());
  read_affinity(spec["affinity"], needs);
  read_pod_affinity(pod, needs);
  needs.spreads = read_spreads(pod);
  for (const char* list : {"initContainers", "containers"}) {
    for (const json::Node container : spec[list])
      needs.images.push_back(image_name(container["image"].string()));
  }
  for (const json::Node volume : spec["volumes"]) {
    std::string claim = api::claim_of(volume, pod["metadata"]["name"].string());
    if (!claim.empty()) needs.claims.push_back({std::move(claim), bool{volume["ephemeral"]}});
  }
  needs.node_name = std::string(spec["nodeName"].string());
  needs.priority = spec["priority"].integer();
  needs.preempts = spec["preemptionPolicy"].string() != "Never";
  return needs;
}

bool PodNeeds::tolerates(const Taint& taint) const {
  return std::any_of(tolerations.begin(), tolerations.end(),
                     [&](const Toleration& each) { return each.tolerates(taint); });
}

const std::string* NodeOffer::label(std::string_view key) const {
  for (const auto& [label_key, value] : labels) {
    if (label_key == key) return &value;
  }
  return nullptr;
}

NodeOffer read_offer(json::Node node) {
  NodeOffer offer;
  offer.name = std::string(node["metadata"]["name"].string());
  const json::Node allocatable = node["status"]["allocatable"];
  offer.allocatable = read_amounts(allocatable);
  offer.pods_max = api::quantity_value(allocatable["pods"].string()).value_or(0);
  for (const json::Node taint : node["spec"]["taints"]) {
    offer.taints.push_back({std::string(taint["key"].string()),
                            std::string(taint["value"].string()),
                            std::string(taint["effect"].string())});
  }
  for (const json::Node label : node["metadata"]["labels"])
    offer.labels.emplace_back(label.key(), label.string());
  offer.unschedulable = node["spec"]["unschedulable"].boolean();
  for (const json::Node image : node["status"]["images"]) {
    for (const json::Node name : image["names"])
      offer.images.emplace_back(name.string(), image["sizeBytes"].integer());
  }
  std::sort(offer.images.begin(), offer.images.end());
  return offer;
}

bool suits(const PodNeeds& pod, const NodeOffer& node) {
  for (const auto& [key, value] : pod.node_selector) {
    const std::string* have = node.label(key);
    if (have == nullptr || *have != value) return false;
  }
  return !pod.has_required_terms ||
         std::any_of(pod.required.begin(), pod.required.end(),
                     [&](const NodeTerm& term) { return term_matches(term, node); });
}

const Taint* untolerated(const PodNeeds& pod, const NodeOffer& node) {
  for (const Taint& taint : node.taints) {
    if (taint.effect != "PreferNoSchedule" && !pod.tolerates(taint)) return &taint;
  }
  return nullptr;
}

std::string image_name(std::string_view image) {
  const size_t slash = image.rfind('/');
  const std::string_view last = slash == std::string_view::npos ? image : image.substr(slash);
  const bool tagged = last.find_first_of(":@") != std::string_view::npos;
  return join({image, tagged || image.empty() ? "" : ":latest"});
}

NodeTerm read_term(json::Node term, int64_t weight) {
  return {read_requirements(term["matchExpressions"]), read_requirements(term["matchFields"]),
          weight};
}

bool term_matches(const NodeTerm& term, const NodeOffer& node) {
  if (term.labels.empty() && term.fields.empty()) return false;  // an empty term matches nothing
  for (const NodeTerm::Requirement& requirement : term.labels) {
    if (!requirement_matches(requirement, node.label(requirement.key))) return false;
  }
  for (const NodeTerm::Requirement& requirement : term.fields) {
    if (requirement.key != "metadata.name" || !requirement_matches(requirement, &node.name))
      return false;
  }
  return true;
}

}  // namespace coracle::scheduler
