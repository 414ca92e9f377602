// SPDX-License-Identifier: GPL-2.0-or-later
// EndpointSlice: publishes where a Service's pods are (upstream pkg/controller/endpointslice).
#include <algorithm>
#include <map>

#include "base/bytes.h"
#include "controllers/controller.h"
#include "controllers/pods.h"
#include "controllers/rows.h"
#include "controllers/service_endpoints.h"

namespace coracle::controllers {

namespace {

constexpr size_t kEndpointsPerSlice = 100;  // upstream --max-endpoints-per-slice
constexpr std::string_view kServiceName = "kubernetes.io/service-name";
constexpr std::string_view kManagedBy = "endpointslice.kubernetes.io/managed-by";
constexpr std::string_view kManager = "endpointslice-controller.k8s.io";

using Ports = std::vector<OfferedPort>;

// Groups pods and recognises slices whatever the order.
Ports sorted(Ports ports) {
  std::sort(ports.begin(), ports.end());
  return ports;
}

void write_zone(const Now& now, json::Node out, std::string_view node_name) {
  const api::ObjectRef node = now.state.get(api::kNode, {}, node_name);
  if (!node) return;
  json::Tree tree;
  const json::Node zone = node->parse(tree)["metadata"]["labels"]["topology.kubernetes.io/zone"];
  if (!zone.string().empty()) out.set("zone", zone.string());
}

// Who should prefer the endpoint (upstream staging/endpointslice/trafficdist).
void write_hints(json::Node out, std::string_view distribution) {
  if (distribution.empty() || !out["conditions"]["ready"].boolean()) return;
  if (distribution == "PreferSameNode" && out["nodeName"])
    out.object("hints").array("forNodes").append_object().set("name", out["nodeName"]);
  if (out["zone"]) out.object("hints").array("forZones").append_object().set("name", out["zone"]);
}

void write_endpoint(const Now& now, json::Node out, const Parsed& service, json::Node pod) {
  out.array("addresses").append(pod["status"]["podIP"].string());
  const json::Node conditions = out.object("conditions");
  conditions.set("ready", is_published(service.node, pod));
  conditions.set("serving", is_ready(pod));
  conditions.set("terminating", bool{pod["metadata"]["deletionTimestamp"]});
  if (pod["spec"]["hostname"].string().size() > 0 &&
      pod["spec"]["subdomain"].string() == service.ref->name()) {
    out.set("hostname", pod["spec"]["hostname"].string());
  }
  if (const std::string_view on = pod["spec"]["nodeName"].string(); !on.empty()) {
    out.set("nodeName", on);
    write_zone(now, out, on);
  }
  write_hints(out, service.node["spec"]["trafficDistribution"].string());
  const json::Node target = out.object("targetRef");
  target.set("kind", "Pod");
  target.set("namespace", pod["metadata"]["namespace"].string());
  target.set("name", pod["metadata"]["name"].string());
  target.set("uid", pod["metadata"]["uid"].string());
}

void write_ports(json::Node array, const Ports& ports) {
  for (const OfferedPort& port : ports) {
    const json::Node out = array.append_object();
    out.set("name", port.name);
    out.set("port", port.port);
    out.set("protocol", port.protocol);
    if (!port.app_protocol.empty()) out.set("appProtocol", port.app_protocol);
  }
}

Ports read_ports(json::Node slice) {
  Ports ports;
  for (const json::Node port : slice["ports"]) {
    ports.push_back({std::string(port["name"].string()),
                     std::string(port["protocol"].string("TCP")),
                     std::string(port["appProtocol"].string()), port["port"].integer()});
  }
  return ports;
}

void write_labels(json::Node metadata, const Parsed& service) {
  const json::Node labels = metadata.object("labels");
  labels.clear();
  for (const json::Node label : service.node["metadata"]["labels"])
    labels.set(label.key(), label.string());
  labels.remove(kHeadlessLabel);
  labels.set(kServiceName, service.ref->name());
  labels.set(kManagedBy, kManager);
  if (is_headless(service.node)) labels.set(kHeadlessLabel, "");
}

// The wanted endpoints of one slice, in order.
struct Wanted {
  const Parsed* slice = nullptr;  // null: a new one
  Ports ports;
  std::vector<const ServicePod*> pods;
};

// Keeps endpoints in the slices they are in, fills gaps, and opens new slices only when all are
// full.
std::vector<Wanted> distribute(const std::vector<Parsed>& slices,
                               const std::map<Ports, std::vector<const ServicePod*>>& groups) {
  std::vector<Wanted> wanted;
  for (const auto& [key, members] : groups) {
    const Ports ports = members.empty() ? key : members.front()->ports;
    std::map<std::string_view, const ServicePod*> by_uid;
    for (const ServicePod* pod : members)
      by_uid[pod->pod.ref->uid()] = pod;
    const size_t first = wanted.size();
    for (const Parsed& slice : slices) {
      if (sorted(read_ports(slice.node)) != key) continue;
      Wanted& kept = wanted.emplace_back(Wanted{&slice, ports, {}});
      for (const json::Node endpoint : slice.node["endpoints"]) {
        const auto found = by_uid.find(endpoint["targetRef"]["uid"].string());
        if (found == by_uid.end()) continue;
        kept.pods.push_back(found->second);
        by_uid.erase(found);
      }
    }
    size_t at = first;
    for (const ServicePod* pod : members) {
      if (!by_uid.contains(pod->pod.ref->uid())) continue;
      while (at < wanted.size() && wanted[at].pods.size() >= kEndpointsPerSlice)
        ++at;
      if (at == wanted.size()) wanted.push_back(Wanted{nullptr, ports, {}});
      wanted[at].pods.push_back(pod);
    }
  }
  return wanted;
}

void write_slice(const Now& now, json::Node slice, const Parsed& service, const Wanted& wanted) {
  slice.set("addressType", "IPv4");
  write_labels(slice["metadata"], service);
  const json::Node endpoints = slice.array("endpoints");
  endpoints.clear();
  for (const ServicePod* pod : wanted.pods)
    write_endpoint(now, endpoints.append_object(), service, pod->pod.node);
  const json::Node ports = slice.array("ports");
  ports.clear();
  write_ports(ports, wanted.ports);
}

api::Call create_slice(const Now& now, const Parsed& service, const Wanted& wanted, size_t index) {
  json::Tree tree;
  const json::Node slice = tree.make_object();
  slice.set("kind", "EndpointSlice");
  slice.set("apiVersion", "discovery.k8s.io/v1");
  const json::Node metadata = slice.object("metadata");
  const std::string name = free_name(now.state, api::kEndpointSlice, *service.ref, index);
  metadata.set("name", name);
  metadata.set("generateName", join({service.ref->name(), "-"}));
  metadata.set("namespace", service.ref->ns());
  append_controller_reference(metadata.array("ownerReferences"), *service.ref);
  write_slice(now, slice, service, wanted);
  api::Call call;
  call.key = {&api::kEndpointSlice, std::string(service.ref->ns()), name};
  call.body = json::write(slice);
  return call;
}

std::vector<Parsed> slices_of(const api::State& state, const api::Key& service) {
  std::vector<Parsed> slices;
  api::for_each(state, api::kEndpointSlice, service.ns, [&](const api::ObjectRef& object) {
    Parsed slice = parse(object);
    const json::Node labels = slice.node["metadata"]["labels"];
    if (labels[kServiceName].string() == service.name && labels[kManagedBy].string() == kManager &&
        !object->deleting()) {
      slices.push_back(std::move(slice));
    }
  });
  return slices;
}

std::vector<const Parsed*> unused(const std::vector<Parsed>& slices,
                                  const std::vector<Wanted>& wanted) {
  std::vector<const Parsed*> spare;
  for (const Parsed& slice : slices) {
    const bool used = std::any_of(wanted.begin(), wanted.end(),
                                  [&](const Wanted& one) { return one.slice == &slice; });
    if (!used) spare.push_back(&slice);
  }
  return spare;
}

Result<api::Plan> plan_endpoint_slices(const Now& now, const api::Key& key) {
  api::Plan plan;
  const api::ObjectRef object = now.state.get(api::kService, key.ns, key.name);
  if (!object || object->deleting())
    return plan;  // the garbage collector follows the owner reference
  const Parsed service = parse(object);
  if (!selects_pods(service.node)) return plan;
  const std::vector<ServicePod> pods = service_pods(now.state, service);
  std::map<Ports, std::vector<const ServicePod*>> groups;
  for (const ServicePod& pod : pods)
    groups[sorted(pod.ports)].push_back(&pod);
  if (groups.empty()) groups[{}];  // an empty slice says "nobody", no slice says nothing
  const std::vector<Parsed> slices = slices_of(now.state, key);
  std::vector<Wanted> wanted = distribute(slices, groups);
  // One empty slice is enough, and none is needed beside others.
  const auto holds_nobody = [](const Wanted& one) { return one.pods.empty(); };
  if (!pods.empty())
    std::erase_if(wanted, holds_nobody);
  else
    wanted.resize(1);
  plan.refused =
      api::Note{object, true, "FailedToUpdateEndpointSlices",
                join({"Error updating Endpoint Slices for Service ", key.ns, "/", key.name, ": "})};
  std::vector<const Parsed*> spare = unused(slices, wanted);
  for (size_t i = 0; i < wanted.size(); ++i) {
    // A slice that would go takes the place of one that would come.
    if (wanted[i].slice == nullptr && !spare.empty()) {
      wanted[i].slice = spare.back();
      spare.pop_back();
    }
    if (wanted[i].slice == nullptr) {
      plan.calls.push_back(create_slice(now, service, wanted[i], i));
      continue;
    }
    const Parsed next = parse(wanted[i].slice->ref);
    write_slice(now, next.node, service, wanted[i]);
    if (!json::equal(next.node, wanted[i].slice->node)) plan.calls.push_back(update_call(next));
  }
  for (const Parsed* slice : spare)
    plan.calls.push_back(delete_call(*slice->ref));
  return plan;
}

void wake_service_of_slice(const api::Change& change, const api::State&, Keys& keys) {
  json::Tree tree;
  const json::Node labels = change.after->parse(tree)["metadata"]["labels"];
  const std::string_view service = labels[kServiceName].string();
  if (!service.empty())
    keys.insert({&api::kService, std::string(change.after->ns()), std::string(service)});
}

constexpr Watch kWatches[] = {
    {&api::kService, wake_itself},
    {&api::kPod, wake_services_of_pod},
    {&api::kEndpointSlice, wake_service_of_slice},
};

}  // namespace

const Controller kEndpointSliceController{"endpoint-slice-controller", kWatches,
                                          plan_endpoint_slices, nullptr};

}  // namespace coracle::controllers
