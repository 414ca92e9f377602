// SPDX-License-Identifier: GPL-2.0-or-later
#include "api/kinds/pod_template.h"

#include "api/kinds/checks.h"
#include "api/meta.h"

namespace coracle::api {
namespace {

constexpr Field kHostAliasFields[] = {
    text("ip", 1).required().about("Address."),
    list_of("hostnames", 2, Type::kString).about("Names for the address."),
};
constexpr Message kHostAlias{"io.k8s.api.core.v1.HostAlias", kHostAliasFields,
                             "HostAlias is a line of /etc/hosts."};

constexpr Field kPodDNSConfigOptionFields[] = {
    text("name", 1).required().about("Name of the option."),
    text("value", 2).about("Value of the option, if it takes one."),
};
constexpr Message kPodDNSConfigOption{"io.k8s.api.core.v1.PodDNSConfigOption",
                                      kPodDNSConfigOptionFields,
                                      "PodDNSConfigOption is an option of the resolver."};

constexpr Field kPodDNSConfigFields[] = {
    list_of("nameservers", 1, Type::kString).about("Addresses of name servers."),
    list_of("searches", 2, Type::kString).about("Domains that short names are searched in."),
    list("options", 3, kPodDNSConfigOption).about("Options of the resolver."),
};
constexpr Message kPodDNSConfig{"io.k8s.api.core.v1.PodDNSConfig", kPodDNSConfigFields,
                                "PodDNSConfig holds resolver settings."};

constexpr Field kPodOSFields[] = {
    text("name", 1).required().one_of("linux|windows").about("linux."),
};
constexpr Message kPodOS{"io.k8s.api.core.v1.PodOS", kPodOSFields,
                         "PodOS names the operating system of the containers."};

constexpr Field kPodReadinessGateFields[] = {
    text("conditionType", 1).required().about("Type of the condition in the Pod's status."),
};
constexpr Message kPodReadinessGate{
    "io.k8s.api.core.v1.PodReadinessGate", kPodReadinessGateFields,
    "PodReadinessGate is a condition that must be True for a Pod to be ready."};

constexpr Field kPodSchedulingGateFields[] = {
    text("name", 1).required().about("Name of the gate, unique in the Pod."),
};
constexpr Message kPodSchedulingGate{"io.k8s.api.core.v1.PodSchedulingGate",
                                     kPodSchedulingGateFields,
                                     "PodSchedulingGate keeps a Pod from being scheduled."};

constexpr Field kPodResourceClaimFields[] = {
    text("name", 1).listed().about("Name of the entry."),
    text("resourceClaimName", 3).about("Claim that is used."),
    text("resourceClaimTemplateName", 4).about("Template that a claim is made from."),
};
constexpr Message kPodResourceClaim{
    "io.k8s.api.core.v1.PodResourceClaim", kPodResourceClaimFields,
    "PodResourceClaim refers to a claim of devices; not supported by Coracle yet."};

constexpr Field kPodSchedulingGroupFields[] = {
    text("podGroupName", 1).about("Name of the group."),
};
constexpr Message kPodSchedulingGroup{
    "io.k8s.api.core.v1.PodSchedulingGroup", kPodSchedulingGroupFields,
    "PodSchedulingGroup places Pods together; not supported by Coracle yet."};

constexpr Field kPodSpecFields[] = {
    list("volumes", 1, kVolume)
        .keyed_by("name")
        .distinct()
        .retaining_keys()
        .about("Volumes that containers of the Pod can mount."),
    list("containers", 2, kContainer)
        .keyed_by("name")
        .required()
        .about("Containers of the Pod; at least one."),
    text("restartPolicy", 3)
        .otherwise("\"Always\"")
        .one_of("Always|OnFailure|Never")
        .about("When containers are started again after they end: Always, OnFailure or Never."),
    int64("terminationGracePeriodSeconds", 4)
        .otherwise("30")
        .about("Seconds between the stop signal and the kill when the Pod is deleted."),
    int64("activeDeadlineSeconds", 5).about("Seconds after which the Pod is ended as failed."),
    text("dnsPolicy", 6)
        .otherwise("\"ClusterFirst\"")
        .one_of("ClusterFirstWithHostNet|ClusterFirst|Default|None")
        .about("Where the Pod's resolver configuration comes from."),
    map_of("nodeSelector", 7, Type::kString).about("Labels that a node must have to run the Pod."),
    text("serviceAccountName", 8).about("ServiceAccount that the Pod runs as."),
    text("serviceAccount", 9).about("Old name of serviceAccountName."),
    text("nodeName", 10).about("Node that the Pod runs on; set by the scheduler."),
    boolean("hostNetwork", 11).or_zero().about("If true, the Pod uses the network of the node."),
    boolean("hostPID", 12).or_zero().about("If true, the Pod sees the processes of the node."),
    boolean("hostIPC", 13).or_zero().about("If true, the Pod shares IPC with the node."),
    object("securityContext", 14, kPodSecurityContext)
        .otherwise("{}")
        .about("Security settings of the Pod and defaults for its containers."),
    list("imagePullSecrets", 15, kLocalObjectReference)
        .keyed_by("name")
        .about("Secrets to pull the images with."),
    text("hostname", 16).about("Host name of the Pod; its name if absent."),
    text("subdomain", 17).about("Subdomain of the Pod's full host name."),
    object("affinity", 18, kAffinity)
        .about("Preferences and demands for the placement of the Pod."),
    text("schedulerName", 19)
        .otherwise("\"default-scheduler\"")
        .about("Scheduler that places the Pod."),
    list("initContainers", 20, kContainer)
        .keyed_by("name")
        .about("Containers that run to their end, one after the other, before the others start."),
    boolean("automountServiceAccountToken", 21)
        .about("Whether a token of the ServiceAccount is mounted."),
    list("tolerations", 22, kToleration).about("Taints that the Pod tolerates."),
    list("hostAliases", 23, kHostAlias)
        .keyed_by("ip")
        .about("Lines added to /etc/hosts of the Pod."),
    text("priorityClassName", 24)
        .about(
            "Importance of the Pod; system-node-critical and system-cluster-critical are known."),
    int32("priority", 25).about("Importance as a number, filled in from priorityClassName."),
    object("dnsConfig", 26, kPodDNSConfig)
        .about("Resolver settings, added to those that follow from dnsPolicy."),
    boolean("shareProcessNamespace", 27)
        .must(not_yet)
        .about("Whether all containers see each other's processes; not supported by Coracle yet."),
    list("readinessGates", 28, kPodReadinessGate)
        .about("Further conditions that must be True for the Pod to be ready."),
    text("runtimeClassName", 29)
        .must(check_subdomain_name)
        .about("RuntimeClass of the Pod; its handler must be crun or runc."),
    boolean("enableServiceLinks", 30)
        .about("Whether environment variables are made from the Services of the namespace."),
    text("preemptionPolicy", 31)
        .one_of("Never|PreemptLowerPriority")
        .about("Whether the Pod may displace less important ones."),
    map_of("overhead", 32, Type::kQuantity).must(not_yet).about("Not supported by Coracle yet."),
    list("topologySpreadConstraints", 33, kTopologySpreadConstraint)
        .keyed_by("topologyKey")
        .map_keys("topologyKey,whenUnsatisfiable")
        .about("How Pods are to be spread over nodes and zones."),
    list("ephemeralContainers", 34, kEphemeralContainer)
        .keyed_by("name")
        .must(not_yet)
        .about("Not supported by Coracle yet."),
    boolean("setHostnameAsFQDN", 35).must(not_yet).about("Not supported by Coracle yet."),
    object("os", 36, kPodOS).about("Operating system of the containers: linux."),
    boolean("hostUsers", 37)
        .about("True or absent: the Pod uses the user namespace of the node (false is not "
               "supported by Coracle yet)."),
    list("schedulingGates", 38, kPodSchedulingGate)
        .keyed_by("name")
        .about("Names that keep the Pod from being scheduled as long as one is left."),
    list("resourceClaims", 39, kPodResourceClaim)
        .keyed_by("name")
        .retaining_keys()
        .must(not_yet)
        .about("Not supported by Coracle yet."),
    object("resources", 40, kResourceRequirements)
        .must(not_yet)
        .about("Not supported by Coracle yet: set resources of the containers."),
    text("hostnameOverride", 41).must(not_yet).about("Not supported by Coracle yet."),
    object("schedulingGroup", 43, kPodSchedulingGroup)
        .must(not_yet)
        .about("Not supported by Coracle yet."),
};

constexpr Field kPodTemplateSpecFields[] = {
    object("metadata", 1, kObjectMeta).about("Labels and annotations of the Pods."),
    object("spec", 2, kPodSpec).about("Desired behaviour of the Pods."),
};

}  // namespace

constinit const Message kPodSpec{"io.k8s.api.core.v1.PodSpec", kPodSpecFields,
                                 "PodSpec is the desired behaviour of a Pod."};
constinit const Message kPodTemplateSpec{"io.k8s.api.core.v1.PodTemplateSpec",
                                         kPodTemplateSpecFields,
                                         "PodTemplateSpec describes Pods that are to be made."};

}  // namespace coracle::api
