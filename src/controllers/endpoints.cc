// SPDX-License-Identifier: GPL-2.0-or-later
// Endpoints: the older form of EndpointSlice, one object a Service (upstream
// pkg/controller/endpoint).
#include <algorithm>
#include <map>

#include "base/bytes.h"
#include "controllers/controller.h"
#include "controllers/pods.h"
#include "controllers/rows.h"
#include "controllers/service_endpoints.h"

namespace coracle::controllers {

namespace {

constexpr size_t kAddressesMax = 1000;  // upstream truncates and says so in an annotation
constexpr std::string_view kOverCapacity = "endpoints.kubernetes.io/over-capacity";
constexpr std::string_view kManagedBy = "endpoints.kubernetes.io/managed-by";

void write_address(json::Node out, const Parsed& service, json::Node pod) {
  out.set("ip", pod["status"]["podIP"].string());
  if (pod["spec"]["hostname"].string().size() > 0 &&
      pod["spec"]["subdomain"].string() == service.ref->name()) {
    out.set("hostname", pod["spec"]["hostname"].string());
  }
  if (!pod["spec"]["nodeName"].string().empty())
    out.set("nodeName", pod["spec"]["nodeName"].string());
  const json::Node target = out.object("targetRef");
  target.set("kind", "Pod");
  target.set("namespace", pod["metadata"]["namespace"].string());
  target.set("name", pod["metadata"]["name"].string());
  target.set("uid", pod["metadata"]["uid"].string());
}

void write_subset(json::Node subset,
                  const Parsed& service,
                  const std::vector<OfferedPort>& ports,
                  const std::vector<const ServicePod*>& pods) {
  for (const ServicePod* pod : pods) {
    const char* list =
        is_published(service.node, pod->pod.node) ? "addresses" : "notReadyAddresses";
    write_address(subset.array(list).append_object(), service, pod->pod.node);
  }
  for (const OfferedPort& port : ports) {
    const json::Node out = subset.array("ports").append_object();
    if (!port.name.empty()) out.set("name", port.name);
    out.set("port", port.port);
    out.set("protocol", port.protocol);
    if (!port.app_protocol.empty()) out.set("appProtocol", port.app_protocol);
  }
}

void write_endpoints(json::Node endpoints,
                     const Parsed& service,
                     const std::vector<ServicePod>& pods) {
  const json::Node metadata = endpoints.object("metadata");
  const json::Node labels = metadata.object("labels");
  labels.clear();
  for (const json::Node label : service.node["metadata"]["labels"])
    labels.set(label.key(), label.string());
  labels.set(kManagedBy, "endpoint-controller");
  if (is_headless(service.node))
    labels.set(kHeadlessLabel, "");
  else
    labels.remove(kHeadlessLabel);
  std::map<std::vector<OfferedPort>, std::vector<const ServicePod*>> groups;
  size_t count = 0;
  const bool unready_too = service.node["spec"]["publishNotReadyAddresses"].boolean();
  for (const ServicePod& pod : pods) {
    if (pod.pod.ref->deleting() && !unready_too) continue;
    // A headless Service may have no ports at all; otherwise a pod must offer one.
    if (pod.ports.empty() && service.node["spec"]["ports"].size() > 0) continue;
    if (count++ < kAddressesMax) groups[pod.ports].push_back(&pod);
  }
  if (count > kAddressesMax)
    metadata.object("annotations").set(kOverCapacity, "truncated");
  else if (metadata["annotations"])
    metadata["annotations"].remove(kOverCapacity);
  endpoints.remove("subsets");
  for (auto& [ports, members] : groups) {
    std::sort(members.begin(), members.end(), [](const ServicePod* a, const ServicePod* b) {
      return a->pod.node["status"]["podIP"].string() < b->pod.node["status"]["podIP"].string();
    });
    write_subset(endpoints.array("subsets").append_object(), service, ports, members);
  }
}

api::Call create_endpoints(const Parsed& service, const std::vector<ServicePod>& pods) {
  json::Tree tree;
  const json::Node endpoints = tree.make_object();
  endpoints.set("kind", "Endpoints");
  endpoints.set("apiVersion", "v1");
  endpoints.object("metadata").set("name", service.ref->name());
  endpoints.object("metadata").set("namespace", service.ref->ns());
  write_endpoints(endpoints, service, pods);
  api::Call call;
  call.key = {&api::kEndpoints, std::string(service.ref->ns()), std::string(service.ref->name())};
  call.body = json::write(endpoints);
  return call;
}

bool elects_leader(const api::ObjectRef& endpoints) {
  json::Tree tree;
  return bool{endpoints->parse(
      tree)["metadata"]["annotations"]["control-plane.alpha.kubernetes.io/leader"]};
}

Result<api::Plan> plan_endpoints(const Now& now, const api::Key& key) {
  api::Plan plan;
  const api::ObjectRef existing = now.state.get(api::kEndpoints, key.ns, key.name);
  const api::ObjectRef object = now.state.get(api::kService, key.ns, key.name);
  if (!object) {
    if (existing && !existing->deleting() && !elects_leader(existing))
      plan.calls.push_back(delete_call(*existing));
    return plan;
  }
  const Parsed service = parse(object);
  if (!selects_pods(service.node)) return plan;
  const std::vector<ServicePod> pods = service_pods(now.state, service);
  plan.refused =
      api::Note{object, true, "FailedToCreateEndpoint",
                join({"Failed to create endpoint for service ", key.ns, "/", key.name, ": "})};
  if (!existing) {
    plan.calls.push_back(create_endpoints(service, pods));
    return plan;
  }
  const Parsed before = parse(existing);
  const Parsed next = parse(existing);
  write_endpoints(next.node, service, pods);
  if (!json::equal(next.node, before.node)) plan.calls.push_back(update_call(next));
  return plan;
}

// Endpoints made by hand, perhaps before their Service, are looked at only when one of the two
// goes.
void wake_service_of_same_name(const api::Change& change, const api::State&, Keys& keys) {
  json::Tree tree;
  const bool ours = bool{change.after->parse(tree)["metadata"]["labels"][kManagedBy]};
  if (!ours && change.type != api::ChangeType::kDeleted) return;
  keys.insert({&api::kService, std::string(change.after->ns()), std::string(change.after->name())});
}

constexpr Watch kWatches[] = {
    {&api::kService, wake_itself},
    {&api::kPod, wake_services_of_pod},
    {&api::kEndpoints, wake_service_of_same_name},
};

}  // namespace

const Controller kEndpointsController{"endpoint-controller", kWatches, plan_endpoints, nullptr};

}  // namespace coracle::controllers
