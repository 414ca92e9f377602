// SPDX-License-Identifier: GPL-2.0-or-later
// Which virtual services one Service object stands for. Pure: objects in, plain data out.
#pragma once

#include <vector>

#include "json/tree.h"
#include "port/packet_filter.h"

namespace coracle::proxy {

// `slices` are the EndpointSlices that carry the label kubernetes.io/service-name of this Service.
// Ready endpoints serve; if none is ready, those that still serve while terminating do (KEP-1669).
// Headless and ExternalName Services give nothing. A port without endpoints gives a service without
// backends. Traffic policies that say Local leave out what runs on other nodes than `node_name`.
std::vector<port::VirtualService> plan_service(json::Node service,
                                               const std::vector<json::Node>& slices,
                                               std::string_view node_name);

}  // namespace coracle::proxy
