// SPDX-License-Identifier: GPL-2.0-or-later
#include "controllers/service_endpoints.h"

#include <utility>

#include "controllers/pods.h"

namespace coracle::controllers {

namespace {

// 0: the container has no such port.
int64_t named_port(json::Node container, std::string_view name, std::string_view protocol) {
  for (const json::Node port : container["ports"]) {
    if (port["name"].string() == name && port["protocol"].string("TCP") == protocol)
      return port["containerPort"].integer();
  }
  return 0;
}

// A number stands for itself; a name is looked up among the ports of the containers that stay
// (sidecars too). -1: this pod does not offer it.
int64_t target_port(json::Node service_port, json::Node pod) {
  const json::Node target = service_port["targetPort"];
  if (target.is_number() && target.integer() > 0) return target.integer();
  if (!target.is_string() || target.string().empty()) return service_port["port"].integer(-1);
  const std::string_view protocol = service_port["protocol"].string("TCP");
  for (const char* list : {"containers", "initContainers"}) {
    for (const json::Node container : pod["spec"][list]) {
      const bool runs =
          list == std::string_view("containers") || container["restartPolicy"].string() == "Always";
      if (!runs) continue;
      if (const int64_t number = named_port(container, target.string(), protocol)) return number;
    }
  }
  return -1;
}

std::vector<OfferedPort> offered_ports(json::Node service, json::Node pod) {
  std::vector<OfferedPort> ports;
  for (const json::Node port : service["spec"]["ports"]) {
    const int64_t number = target_port(port, pod);
    if (number < 1) continue;
    ports.push_back({std::string(port["name"].string()),
                     std::string(port["protocol"].string("TCP")),
                     std::string(port["appProtocol"].string()), number});
  }
  return ports;
}

void wake_selecting(const api::Object& pod, const api::State& state, Keys& keys) {
  json::Tree pod_tree;
  json::Node labels;
  bool parsed = false;
  api::for_each(state, api::kService, pod.ns(), [&](const api::ObjectRef& service) {
    json::Tree tree;
    const json::Node node = service->parse(tree);
    if (!selects_pods(node)) return;
    if (!std::exchange(parsed, true)) labels = pod.parse(pod_tree)["metadata"]["labels"];
    if (api::LabelSelector::from_map(node["spec"]["selector"]).matches(labels))
      keys.insert({&api::kService, std::string(service->ns()), std::string(service->name())});
  });
}

}  // namespace

bool selects_pods(json::Node service) {
  return service["spec"]["selector"].size() > 0 &&
         service["spec"]["type"].string() != "ExternalName";
}

std::vector<ServicePod> service_pods(const api::State& state, const Parsed& service) {
  std::vector<ServicePod> pods;
  const auto selector = api::LabelSelector::from_map(service.node["spec"]["selector"]);
  api::for_each(state, api::kPod, service.ref->ns(), [&](const api::ObjectRef& object) {
    Parsed pod = parse(object);
    if (!selector.matches(pod.node["metadata"]["labels"])) return;
    if (has_ended(pod.node) || pod.node["status"]["podIP"].string().empty()) return;
    std::vector<OfferedPort> ports = offered_ports(service.node, pod.node);
    pods.push_back({std::move(pod), std::move(ports)});
  });
  return pods;
}

bool is_headless(json::Node service) {
  const std::string_view address = service["spec"]["clusterIP"].string();
  return address.empty() || address == "None";
}

bool is_published(json::Node service, json::Node pod) {
  return service["spec"]["publishNotReadyAddresses"].boolean() ||
         (is_ready(pod) && !pod["metadata"]["deletionTimestamp"]);
}

void wake_services_of_pod(const api::Change& change, const api::State& state, Keys& keys) {
  if (change.before) wake_selecting(*change.before, state, keys);
  wake_selecting(*change.after, state, keys);
}

}  // namespace coracle::controllers
