// SPDX-License-Identifier: GPL-2.0-or-later
// The parts of validate_pod_spec, one file each.
#pragma once

#include <set>
#include <string_view>

#include "api/errors.h"
#include "json/tree.h"

namespace coracle::api {

// What a container may refer to, and what was seen so far.
struct PodRules {
  std::set<std::string_view> volumes;
  std::set<std::string_view> containers;  // init containers too: names are unique over both
  std::set<std::string> host_ports;       // "0.0.0.0/80/TCP"
  bool host_network = false;
};

// Adds the names of the volumes to `rules`.                        volume_validation.cc
void check_volumes(json::Node volumes, std::string_view path, PodRules& rules, Errors& errors);
void check_volume_mounts(json::Node container,
                         std::string_view path,
                         const PodRules& rules,
                         Errors& errors);
void check_field_ref(json::Node ref, std::string_view path, bool in_volume, Errors& errors);
void check_resource_ref(json::Node ref, std::string_view path, bool in_volume, Errors& errors);

// Of spec.initContainers or spec.containers.                       container_validation.cc
void check_containers(json::Node containers,
                      std::string_view path,
                      PodRules& rules,
                      Errors& errors);
void check_init_containers(json::Node containers,
                           std::string_view path,
                           PodRules& rules,
                           Errors& errors);

//                                                                  security_validation.cc
void check_pod_security(json::Node context, std::string_view path, Errors& errors);
void check_container_security(json::Node context, std::string_view path, Errors& errors);

//                                                                  probe_validation.cc
void check_probes(json::Node container, std::string_view path, Errors& errors);
void check_lifecycle(json::Node lifecycle, std::string_view path, Errors& errors);

//                                                                  scheduling_validation.cc
void check_scheduling(json::Node spec, std::string_view path, Errors& errors);

// Exactly one member of `object` out of `names` ('|'-separated) must be there.
enum class Choice : uint8_t { kNone, kOne, kMany };
Choice count_choices(json::Node object, std::string_view names);

}  // namespace coracle::api
