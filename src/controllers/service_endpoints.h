// SPDX-License-Identifier: GPL-2.0-or-later
// Which pods stand behind a Service, with the ports they offer: the common half of the
// EndpointSlice and the Endpoints controller (upstream staging/src/k8s.io/endpointslice,
// pkg/controller/endpoint).
#pragma once

#include <string>
#include <vector>

#include "controllers/controller.h"
#include "controllers/owners.h"

namespace coracle::controllers {

struct OfferedPort {
  std::string name;
  std::string protocol;
  std::string app_protocol;
  int64_t port = 0;
  friend auto operator<=>(const OfferedPort&, const OfferedPort&) = default;
};

struct ServicePod {
  Parsed pod;
  std::vector<OfferedPort> ports;  // in the order of the Service
};

// True for Services whose endpoints are ours to keep: with a selector and not ExternalName.
bool selects_pods(json::Node service);
// Pods with an address that have not ended; those without all named ports offer fewer ports. In
// order of name.
std::vector<ServicePod> service_pods(const api::State& state, const Parsed& service);
bool is_published(json::Node service,
                  json::Node pod);  // ready, or the Service publishes unready addresses

// No cluster IP: labelled service.kubernetes.io/headless.
bool is_headless(json::Node service);

void wake_services_of_pod(const api::Change& change, const api::State& state, Keys& keys);

inline constexpr std::string_view kHeadlessLabel = "service.kubernetes.io/headless";

}  // namespace coracle::controllers
