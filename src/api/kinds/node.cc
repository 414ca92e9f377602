// SPDX-License-Identifier: GPL-2.0-or-later
#include <set>

#include "api/kind.h"
#include "api/kinds/cells.h"
#include "api/kinds/checks.h"
#include "api/meta.h"
#include "api/processing.h"
#include "base/bytes.h"
#include "base/ip.h"

namespace coracle::api {
namespace {

constexpr Field kConfigMapNodeConfigSourceFields[] = {
    text("namespace", 1).listed().about("Not used any more."),
    text("name", 2).listed().about("Not used any more."),
    text("uid", 3).about("Not used any more."),
    text("resourceVersion", 4).about("Not used any more."),
    text("kubeletConfigKey", 5).listed().about("Not used any more."),
};
constexpr Message kConfigMapNodeConfigSource{"io.k8s.api.core.v1.ConfigMapNodeConfigSource",
                                             kConfigMapNodeConfigSourceFields,
                                             "ConfigMapNodeConfigSource is not used any more."};

constexpr Field kNodeConfigSourceFields[] = {
    object("configMap", 2, kConfigMapNodeConfigSource).about("Not used any more."),
};
constexpr Message kNodeConfigSource{"io.k8s.api.core.v1.NodeConfigSource", kNodeConfigSourceFields,
                                    "NodeConfigSource is not used any more."};

constexpr Field kTaintFields[] = {
    text("key", 1).required().about("Key of the taint."),
    text("value", 2).about("Value of the taint."),
    text("effect", 3)
        .required()
        .one_of("NoSchedule|PreferNoSchedule|NoExecute")
        .about("NoSchedule, PreferNoSchedule or NoExecute."),
    time("timeAdded", 4).about("When a NoExecute taint was added."),
};
constexpr Message kTaint{"io.k8s.api.core.v1.Taint", kTaintFields,
                         "Taint keeps away Pods that do not tolerate it."};

constexpr Field kNodeAddressFields[] = {
    text("type", 1).required().about(
        "Hostname, InternalIP, ExternalIP, InternalDNS or ExternalDNS."),
    text("address", 2).listed().about("The address itself."),
};
constexpr Message kNodeAddress{"io.k8s.api.core.v1.NodeAddress", kNodeAddressFields,
                               "NodeAddress is one way to reach a node."};

constexpr Field kNodeConditionFields[] = {
    text("type", 1).required().about("Name of the condition."),
    text("status", 2).listed().about("True, False or Unknown."),
    time("lastHeartbeatTime", 3).about("When the condition was last reported."),
    time("lastTransitionTime", 4).about("When the status last changed."),
    text("reason", 5).about("Machine-readable reason of the last change."),
    text("message", 6).about("Explanation for people."),
};
constexpr Message kNodeCondition{"io.k8s.api.core.v1.NodeCondition", kNodeConditionFields,
                                 "NodeCondition is one aspect of the health of a node."};

constexpr Field kNodeConfigStatusFields[] = {
    object("assigned", 1, kNodeConfigSource).about("Not used any more."),
    object("active", 2, kNodeConfigSource).about("Not used any more."),
    object("lastKnownGood", 3, kNodeConfigSource).about("Not used any more."),
    text("error", 4).about("Not used any more."),
};
constexpr Message kNodeConfigStatus{"io.k8s.api.core.v1.NodeConfigStatus", kNodeConfigStatusFields,
                                    "NodeConfigStatus is not used any more."};

constexpr Field kDaemonEndpointFields[] = {
    int32("Port", 1).listed().about("Port number."),
};
constexpr Message kDaemonEndpoint{"io.k8s.api.core.v1.DaemonEndpoint", kDaemonEndpointFields,
                                  "DaemonEndpoint is the port of a daemon."};

constexpr Field kNodeDaemonEndpointsFields[] = {
    object("kubeletEndpoint", 1, kDaemonEndpoint).about("Port of the node agent."),
};
constexpr Message kNodeDaemonEndpoints{
    "io.k8s.api.core.v1.NodeDaemonEndpoints", kNodeDaemonEndpointsFields,
    "NodeDaemonEndpoints lists the ports of the daemons on a node."};

constexpr Field kNodeFeaturesFields[] = {
    boolean("supplementalGroupsPolicy", 1).about("Whether supplementalGroupsPolicy is honoured."),
};
constexpr Message kNodeFeatures{"io.k8s.api.core.v1.NodeFeatures", kNodeFeaturesFields,
                                "NodeFeatures lists features of the container runtime."};

constexpr Field kContainerImageFields[] = {
    list_of("names", 1, Type::kString).about("Names that the image is known by."),
    int64("sizeBytes", 2).or_zero().about("Size of the image."),
};
constexpr Message kContainerImage{"io.k8s.api.core.v1.ContainerImage", kContainerImageFields,
                                  "ContainerImage is an image that a node has."};

constexpr Field kNodeSwapStatusFields[] = {
    int64("capacity", 1).about("Bytes of swap space."),
};
constexpr Message kNodeSwapStatus{"io.k8s.api.core.v1.NodeSwapStatus", kNodeSwapStatusFields,
                                  "NodeSwapStatus tells about the swap space of a node."};

constexpr Field kNodeSystemInfoFields[] = {
    text("machineID", 1).listed().about("Contents of /etc/machine-id."),
    text("systemUUID", 2).listed().about("UUID of the hardware."),
    text("bootID", 3).listed().about("Identity of this boot."),
    text("kernelVersion", 4).listed().about("Version of the kernel."),
    text("osImage", 5).listed().about("Name of the operating system."),
    text("containerRuntimeVersion", 6).listed().about("Name and version of the container runtime."),
    text("kubeletVersion", 7).listed().about("Version of the node agent."),
    text("kubeProxyVersion", 8).listed().about("Not used any more."),
    text("operatingSystem", 9).listed().about("Operating system: linux."),
    text("architecture", 10)
        .listed()
        .about("CPU architecture in Go's spelling: amd64, arm64, arm."),
    object("swap", 11, kNodeSwapStatus).about("Swap space of the node."),
};
constexpr Message kNodeSystemInfo{"io.k8s.api.core.v1.NodeSystemInfo", kNodeSystemInfoFields,
                                  "NodeSystemInfo holds versions and identities of a machine."};

constexpr Field kNodeRuntimeHandlerFeaturesFields[] = {
    boolean("recursiveReadOnlyMounts", 1).about("Recursive read-only mounts are supported."),
    boolean("userNamespaces", 2).about("User namespaces are supported."),
};
constexpr Message kNodeRuntimeHandlerFeatures{
    "io.k8s.api.core.v1.NodeRuntimeHandlerFeatures", kNodeRuntimeHandlerFeaturesFields,
    "NodeRuntimeHandlerFeatures tells what a runtime handler can do."};

constexpr Field kNodeRuntimeHandlerFields[] = {
    text("name", 1).about("Name of the handler; empty for the default one."),
    object("features", 2, kNodeRuntimeHandlerFeatures).about("What the handler can do."),
};
constexpr Message kNodeRuntimeHandler{
    "io.k8s.api.core.v1.NodeRuntimeHandler", kNodeRuntimeHandlerFields,
    "NodeRuntimeHandler is one way in which a node can run containers."};

constexpr Field kAttachedVolumeFields[] = {
    text("name", 1).listed().about("Name of the volume."),
    text("devicePath", 2).listed().about("Device that it is attached as."),
};
constexpr Message kAttachedVolume{"io.k8s.api.core.v1.AttachedVolume", kAttachedVolumeFields,
                                  "AttachedVolume is a volume that is attached to a node."};

constexpr Field kNodeStatusFields[] = {
    map_of("capacity", 1, Type::kQuantity).about("All resources of the machine."),
    map_of("allocatable", 2, Type::kQuantity).about("Resources that Pods may use."),
    text("phase", 3).about("Not used any more."),
    list("conditions", 4, kNodeCondition)
        .keyed_by("type")
        .about("Health of the node: Ready, MemoryPressure, DiskPressure, PIDPressure."),
    list("addresses", 5, kNodeAddress)
        .keyed_by("type")
        .about("Host name and addresses of the machine."),
    object("daemonEndpoints", 6, kNodeDaemonEndpoints).about("Ports of the node agent."),
    object("nodeInfo", 7, kNodeSystemInfo).about("Versions and identities of the machine."),
    list("images", 8, kContainerImage).about("Images that are present on the node."),
    list_of("volumesInUse", 9, Type::kString).about("Attachable volumes in use."),
    list("volumesAttached", 10, kAttachedVolume).about("Volumes attached to the node."),
    object("config", 11, kNodeConfigStatus).about("Not used any more."),
    list("runtimeHandlers", 12, kNodeRuntimeHandler).about("Runtime handlers of the node."),
    object("features", 13, kNodeFeatures).about("Features of the container runtime."),
    list_of("declaredFeatures", 14, Type::kString).about("Features that the node announces."),
};
constexpr Message kNodeStatus{"io.k8s.api.core.v1.NodeStatus", kNodeStatusFields,
                              "NodeStatus is what a node agent reports of its machine."};

constexpr Field kNodeSpecFields[] = {
    text("podCIDR", 1).about("Addresses that Pods of this node get."),
    text("externalID", 2).about("Not used any more."),
    text("providerID", 3).about("Identity of the machine at its provider."),
    boolean("unschedulable", 4)
        .or_zero()
        .about("If true, no new Pods are placed here (kubectl cordon)."),
    list("taints", 5, kTaint).about("Taints that keep Pods away which do not tolerate them."),
    object("configSource", 6, kNodeConfigSource).must(not_yet).about("Not used any more."),
    list_of("podCIDRs", 7, Type::kString)
        .merging()
        .set()
        .about("Addresses that Pods of this node get, one range a family."),
};
constexpr Message kNodeSpec{"io.k8s.api.core.v1.NodeSpec", kNodeSpecFields,
                            "NodeSpec is the desired behaviour of a Node."};

constexpr Field kNodeFields[] = {
    kKindField,
    kApiVersionField,
    kMetadataField,
    object("spec", 2, kNodeSpec).about("Desired behaviour of the Node."),
    object("status", 3, kNodeStatus).about("What the node agent last reported."),
};
constexpr Message kNodeMessage{"io.k8s.api.core.v1.Node", kNodeFields,
                               "Node is a machine that runs Pods."};

void status_cell(json::Node node, Wall, json::Writer& out) {
  std::string text;
  for (json::Node condition : node["status"]["conditions"]) {
    if (condition["type"].string() != "Ready") continue;
    text = condition["status"].string() == "True" ? "Ready" : "NotReady";
  }
  if (text.empty()) text = "Unknown";
  if (node["spec"]["unschedulable"].boolean()) text += ",SchedulingDisabled";
  out.value(text);
}

void roles_cell(json::Node node, Wall, json::Writer& out) {
  constexpr std::string_view kPrefix = "node-role.kubernetes.io/";
  std::set<std::string_view> roles;
  for (json::Node label : node["metadata"]["labels"]) {
    const std::string_view key = label.key();
    if (key.starts_with(kPrefix) && key.size() > kPrefix.size())
      roles.insert(key.substr(kPrefix.size()));
    if (key == "kubernetes.io/role" && !label.string().empty()) roles.insert(label.string());
  }
  std::string text;
  for (std::string_view role : roles)
    add_listed(text, role);
  out.value(text.empty() ? std::string("<none>") : text);
}

void info_cell(json::Node node, std::string_view name, json::Writer& out) {
  const std::string_view value = node["status"]["nodeInfo"][name].string();
  out.value(value.empty() ? "<unknown>" : value);
}

void address_cell(json::Node node, std::string_view type, json::Writer& out) {
  for (json::Node address : node["status"]["addresses"]) {
    if (address["type"].string() == type) return out.value(address["address"].string());
  }
  out.value("<none>");
}

void version_cell(json::Node node, Wall, json::Writer& out) {
  out.value(node["status"]["nodeInfo"]["kubeletVersion"].string());
}

constexpr Column kColumns[] = {
    {.name = "Status", .cell = status_cell, .description = "Whether the node takes Pods."},
    {.name = "Roles", .cell = roles_cell, .description = "Roles that labels give the node."},
    kAgeColumn,
    {.name = "Version", .cell = version_cell, .description = "Version of the node agent."},
    {.name = "Internal-IP",
     .cell =
         [](json::Node node, Wall, json::Writer& out) { address_cell(node, "InternalIP", out); },
     .wide = true,
     .description = "Address inside the cluster."},
    {.name = "External-IP",
     .cell =
         [](json::Node node, Wall, json::Writer& out) { address_cell(node, "ExternalIP", out); },
     .wide = true,
     .description = "Address outside the cluster."},
    {.name = "OS-Image",
     .cell = [](json::Node node, Wall, json::Writer& out) { info_cell(node, "osImage", out); },
     .wide = true,
     .description = "Operating system."},
    {.name = "Kernel-Version",
     .cell =
         [](json::Node node, Wall, json::Writer& out) { info_cell(node, "kernelVersion", out); },
     .wide = true,
     .description = "Version of the kernel."},
    {.name = "Container-Runtime",
     .cell = [](json::Node node,
                Wall,
                json::Writer& out) { info_cell(node, "containerRuntimeVersion", out); },
     .wide = true,
     .description = "Container runtime and its version."},
};

constexpr SelectableField kSelectable[] = {
    {"spec.unschedulable",
     [](json::Node node) {
       return std::string(node["spec"]["unschedulable"].boolean() ? "true" : "false");
     }},
};

void fill_defaults(json::Node node) {
  const json::Node status = node["status"];
  if (status["capacity"] && !status["allocatable"]) status.set("allocatable", status["capacity"]);
}

void check_taints(json::Node taints, Errors& errors) {
  std::set<std::pair<std::string_view, std::string_view>> seen;
  size_t index = 0;
  for (json::Node taint : taints) {
    const std::string path = item("spec.taints", index++);
    const json::Node key = taint["key"];
    if (!key.string().empty()) check_qualified_name(key, field(path, "key"), errors);
    const std::string problem = label_value_problem(taint["value"].string());
    if (!problem.empty()) errors.invalid(field(path, "value"), taint["value"], problem);
    const bool fresh = seen.emplace(key.string(), taint["effect"].string()).second;
    if (!fresh) errors.duplicate(path, taint);
  }
}

void check_pod_cidrs(json::Node spec, Errors& errors) {
  size_t index = 0;
  for (json::Node cidr : spec["podCIDRs"]) {
    const std::string path = item("spec.podCIDRs", index++);
    if (!parse_cidr4(cidr.string()))
      errors.invalid(path, cidr, "must be a valid IPv4 CIDR, e.g. 10.42.0.0/24");
  }
  const json::Node first = spec["podCIDRs"].first();
  if (first && spec["podCIDR"] && first.string() != spec["podCIDR"].string())
    errors.invalid(item("spec.podCIDRs", 0), first, "must equal podCIDR");
}

void check_resources(json::Node node, std::string_view list, Errors& errors) {
  const std::string path = field("status", list);
  for (json::Node amount : node["status"][list])
    check_qualified_name_text(amount.key(), entry(path, amount.key()), errors);
}

void validate(json::Node node, Errors& errors) {
  check_taints(node["spec"]["taints"], errors);
  check_pod_cidrs(node["spec"], errors);
  check_resources(node, "capacity", errors);
  check_resources(node, "allocatable", errors);
}

// Once known these facts of a machine stay.
void check_settled(json::Node node, json::Node old, std::string_view name, Errors& errors) {
  const std::string_view before = old["spec"][name].string();
  if (before.empty() || before == node["spec"][name].string()) return;
  errors.forbidden(field("spec", name),
                   join({"node updates may not change ", name, " except from \"\" to valid"}));
}

void validate_update(json::Node node, json::Node old, Errors& errors) {
  check_settled(node, old, "podCIDR", errors);
  check_settled(node, old, "providerID", errors);
}

}  // namespace

// A node agent creates its Node together with the status, so create does not wipe it.
constinit const Kind kNode{.group = "",
                           .version = "v1",
                           .name = "Node",
                           .plural = "nodes",
                           .singular = "node",
                           .short_names = "no",
                           .namespaced = false,
                           .message = &kNodeMessage,
                           .columns = kColumns,
                           .selectable = kSelectable,
                           .subresources = bit(Subresource::kStatus),
                           .has_status = true,
                           .fill_defaults = fill_defaults,
                           .validate = validate,
                           .validate_update = validate_update};

}  // namespace coracle::api
