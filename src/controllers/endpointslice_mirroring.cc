// SPDX-License-Identifier: GPL-2.0-or-later
// EndpointSlice mirroring: Endpoints made by hand, for a Service without a selector, are published
// as slices, which is all that proxies read (upstream pkg/controller/endpointslicemirroring).
#include <algorithm>
#include <vector>

#include "base/bytes.h"
#include "controllers/controller.h"
#include "controllers/owners.h"
#include "controllers/rows.h"
#include "controllers/service_endpoints.h"

namespace coracle::controllers {

namespace {

constexpr size_t kAddressesMax = 1000;  // upstream --mirroring-max-endpoints-per-subset
constexpr std::string_view kServiceName = "kubernetes.io/service-name";
constexpr std::string_view kManagedBy = "endpointslice.kubernetes.io/managed-by";
constexpr std::string_view kManager = "endpointslicemirroring-controller.k8s.io";
constexpr std::string_view kSkip = "endpointslice.kubernetes.io/skip-mirror";
constexpr std::string_view kLeader = "control-plane.alpha.kubernetes.io/leader";
constexpr std::string_view kApplied = "kubectl.kubernetes.io/last-applied-configuration";

bool wants_mirror(const api::ObjectRef& endpoints, const api::ObjectRef& service) {
  if (!endpoints || endpoints->deleting() || !service) return false;
  json::Tree tree;
  const json::Node metadata = endpoints->parse(tree)["metadata"];
  if (metadata["labels"][kSkip].string() == "true" || metadata["annotations"][kLeader])
    return false;
  json::Tree service_tree;
  const json::Node spec = service->parse(service_tree)["spec"];
  return spec["selector"].size() == 0 && spec["type"].string() != "ExternalName";
}

void write_address(json::Node out, json::Node address, bool ready) {
  out.array("addresses").append(address["ip"].string());
  out.object("conditions").set("ready", ready);
  for (const char* name : {"hostname", "nodeName"}) {
    if (!address[name].string().empty()) out.set(name, address[name].string());
  }
  if (address["targetRef"]) out.set("targetRef", address["targetRef"]);
}

// Slices of other families are left out: addresses of this cluster are IPv4.
void write_addresses(json::Node slice, json::Node subset) {
  const json::Node endpoints = slice.array("endpoints");
  endpoints.clear();
  size_t count = 0;
  for (const char* list : {"addresses", "notReadyAddresses"}) {
    const bool ready = list == std::string_view("addresses");
    for (const json::Node address : subset[list]) {
      if (address["ip"].string().find(':') != std::string_view::npos) continue;
      if (count++ < kAddressesMax) write_address(endpoints.append_object(), address, ready);
    }
  }
}

void write_ports(json::Node slice, json::Node subset) {
  const json::Node ports = slice.array("ports");
  ports.clear();
  for (const json::Node port : subset["ports"]) {
    const json::Node out = ports.append_object();
    out.set("name", port["name"].string());
    out.set("port", port["port"].integer());
    out.set("protocol", port["protocol"].string("TCP"));
    if (!port["appProtocol"].string().empty()) out.set("appProtocol", port["appProtocol"].string());
  }
}

void write_mirror(json::Node slice, const Parsed& endpoints, json::Node subset) {
  slice.set("addressType", "IPv4");
  const json::Node metadata = slice["metadata"];
  const json::Node labels = metadata.object("labels");
  labels.clear();
  for (const json::Node label : endpoints.node["metadata"]["labels"])
    labels.set(label.key(), label.string());
  labels.set(kServiceName, endpoints.ref->name());
  labels.set(kManagedBy, kManager);
  metadata.remove("annotations");
  for (const json::Node annotation : endpoints.node["metadata"]["annotations"]) {
    if (annotation.key() != kApplied)
      metadata.object("annotations").set(annotation.key(), annotation.string());
  }
  write_addresses(slice, subset);
  write_ports(slice, subset);
}

api::Call create_mirror(const Now& now, const Parsed& endpoints, json::Node subset, size_t index) {
  json::Tree tree;
  const json::Node slice = tree.make_object();
  slice.set("kind", "EndpointSlice");
  slice.set("apiVersion", "discovery.k8s.io/v1");
  const json::Node metadata = slice.object("metadata");
  const std::string name = free_name(now.state, api::kEndpointSlice, *endpoints.ref, index);
  metadata.set("name", name);
  metadata.set("generateName", join({endpoints.ref->name(), "-"}));
  metadata.set("namespace", endpoints.ref->ns());
  append_controller_reference(metadata.array("ownerReferences"), *endpoints.ref);
  write_mirror(slice, endpoints, subset);
  api::Call call;
  call.key = {&api::kEndpointSlice, std::string(endpoints.ref->ns()), name};
  call.body = json::write(slice);
  return call;
}

std::vector<Parsed> mirrors_of(const api::State& state, const api::Key& endpoints) {
  std::vector<Parsed> slices;
  api::for_each(state, api::kEndpointSlice, endpoints.ns, [&](const api::ObjectRef& object) {
    Parsed slice = parse(object);
    const json::Node labels = slice.node["metadata"]["labels"];
    if (labels[kServiceName].string() == endpoints.name &&
        labels[kManagedBy].string() == kManager && !object->deleting()) {
      slices.push_back(std::move(slice));
    }
  });
  return slices;
}

// One slice a subset, in order; slices that stand already are written again where they differ.
Result<api::Plan> plan_mirrors(const Now& now, const api::Key& key) {
  api::Plan plan;
  const std::vector<Parsed> slices = mirrors_of(now.state, key);
  const api::ObjectRef object = now.state.get(api::kEndpoints, key.ns, key.name);
  const api::ObjectRef service = now.state.get(api::kService, key.ns, key.name);
  size_t used = 0;
  if (wants_mirror(object, service)) {
    const Parsed endpoints = parse(object);
    for (const json::Node subset : endpoints.node["subsets"]) {
      const size_t index = used++;
      if (index >= slices.size()) {
        plan.calls.push_back(create_mirror(now, endpoints, subset, index));
        continue;
      }
      const Parsed next = parse(slices[index].ref);
      write_mirror(next.node, endpoints, subset);
      if (!json::equal(next.node, slices[index].node)) plan.calls.push_back(update_call(next));
    }
  }
  for (size_t i = used; i < slices.size(); ++i)
    plan.calls.push_back(delete_call(*slices[i].ref));
  return plan;
}

void wake_endpoints_of_same_name(const api::Change& change, const api::State& state, Keys& keys) {
  const std::string_view ns = change.after->ns();
  const std::string_view name = change.after->name();
  if (state.get(api::kEndpoints, ns, name))
    keys.insert({&api::kEndpoints, std::string(ns), std::string(name)});
}

void wake_endpoints_of_mirror(const api::Change& change, const api::State&, Keys& keys) {
  json::Tree tree;
  const json::Node labels = change.after->parse(tree)["metadata"]["labels"];
  if (labels[kManagedBy].string() != kManager) return;
  keys.insert({&api::kEndpoints, std::string(change.after->ns()),
               std::string(labels[kServiceName].string())});
}

constexpr Watch kWatches[] = {
    {&api::kEndpoints, wake_itself},
    {&api::kService, wake_endpoints_of_same_name},
    {&api::kEndpointSlice, wake_endpoints_of_mirror},
};

}  // namespace

const Controller kEndpointSliceMirroringController{"endpoint-slice-mirroring-controller", kWatches,
                                                   plan_mirrors, nullptr};

}  // namespace coracle::controllers
