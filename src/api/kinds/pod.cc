// SPDX-License-Identifier: GPL-2.0-or-later
#include "api/kinds/pod.h"

#include "api/kind.h"
#include "api/kinds/pod_template.h"
#include "api/meta.h"

namespace coracle::api {
namespace {

constexpr Field kPodFields[] = {
    kKindField,
    kApiVersionField,
    kMetadataField,
    object("spec", 2, kPodSpec).about("Desired behaviour of the Pod."),
    object("status", 3, kPodStatus).about("What the node agent last reported."),
};
constexpr Message kPodMessage{
    "io.k8s.api.core.v1.Pod", kPodFields,
    "Pod is a group of containers that run on one node and share network and volumes."};

constexpr SelectableField kSelectable[] = {
    {"spec.nodeName", [](json::Node pod) { return std::string(pod["spec"]["nodeName"].string()); }},
    {"spec.restartPolicy",
     [](json::Node pod) { return std::string(pod["spec"]["restartPolicy"].string()); }},
    {"spec.schedulerName",
     [](json::Node pod) { return std::string(pod["spec"]["schedulerName"].string()); }},
    {"spec.serviceAccountName",
     [](json::Node pod) { return std::string(pod["spec"]["serviceAccountName"].string()); }},
    {"spec.hostNetwork",
     [](json::Node pod) {
       return std::string(pod["spec"]["hostNetwork"].boolean() ? "true" : "false");
     }},
    {"status.phase", [](json::Node pod) { return std::string(pod["status"]["phase"].string()); }},
    {"status.podIP", [](json::Node pod) { return std::string(pod["status"]["podIP"].string()); }},
    {"status.podIPs", [](json::Node pod) { return pod_ips_text(pod); }},
    {"status.nominatedNodeName",
     [](json::Node pod) { return std::string(pod["status"]["nominatedNodeName"].string()); }},
};

void fill_defaults(json::Node pod) {
  default_pod(pod["spec"]);
}

void prepare(json::Node pod, json::Node old) {
  if (old) return;
  pod.remove("status");
  const json::Node status = pod.object("status");
  status.set("phase", "Pending");
  status.set("qosClass", quality_of_service(pod["spec"]));
  if (pod["spec"]["schedulingGates"].size() == 0) return;
  const json::Node condition = status.array("conditions").append_object();
  condition.set("type", "PodScheduled");
  condition.set("status", "False");
  condition.set("reason", "SchedulingGated");
  condition.set("message", "Scheduling is blocked due to non-empty scheduling gates");
}

void warn(json::Node pod, std::string& out) {
  warn_of_pod_spec(pod["spec"], "spec", out);
}

}  // namespace

constinit const Kind kPod{.group = "",
                          .version = "v1",
                          .name = "Pod",
                          .plural = "pods",
                          .singular = "pod",
                          .short_names = "po",
                          .categories = "all",
                          .message = &kPodMessage,
                          .columns = kPodColumns,
                          .selectable = kSelectable,
                          .subresources = bit(Subresource::kStatus) | bit(Subresource::kLog) |
                                          bit(Subresource::kBinding) | bit(Subresource::kEviction) |
                                          bit(Subresource::kExec) | bit(Subresource::kAttach) |
                                          bit(Subresource::kPortForward),
                          .has_status = true,
                          .bumps_generation = true,
                          .fill_defaults = fill_defaults,
                          .prepare = prepare,
                          .validate = validate_pod,
                          .validate_update = validate_pod_update,
                          .warn = warn};

}  // namespace coracle::api
