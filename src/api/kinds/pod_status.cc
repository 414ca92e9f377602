// SPDX-License-Identifier: GPL-2.0-or-later
#include "api/kinds/pod_template.h"
#include "api/meta.h"

namespace coracle::api {
namespace {

constexpr Field kPodConditionFields[] = {
    text("type", 1).listed().about("Name of the condition."),
    text("status", 2).listed().about("True, False or Unknown."),
    time("lastProbeTime", 3).about("When the condition was last checked."),
    time("lastTransitionTime", 4).about("When the status last changed."),
    text("reason", 5).about("Machine-readable reason of the last change."),
    text("message", 6).about("Explanation for people."),
    int64("observedGeneration", 7)
        .or_zero()
        .about("Generation of the spec that the condition is about."),
};
constexpr Message kPodCondition{"io.k8s.api.core.v1.PodCondition", kPodConditionFields,
                                "PodCondition is one aspect of the state of a Pod."};

constexpr Field kContainerStateWaitingFields[] = {
    text("reason", 1).about("Why it waits, in one word."),
    text("message", 2).about("Why it waits, for people."),
};
constexpr Message kContainerStateWaiting{
    "io.k8s.api.core.v1.ContainerStateWaiting", kContainerStateWaitingFields,
    "ContainerStateWaiting is the state of a container that does not run yet."};

constexpr Field kContainerStateRunningFields[] = {
    time("startedAt", 1).about("When it was started."),
};
constexpr Message kContainerStateRunning{
    "io.k8s.api.core.v1.ContainerStateRunning", kContainerStateRunningFields,
    "ContainerStateRunning is the state of a container that runs."};

constexpr Field kContainerStateTerminatedFields[] = {
    int32("exitCode", 1).listed().about("Exit code of its program."),
    int32("signal", 2).or_zero().about("Signal that ended it."),
    text("reason", 3).about("Why it ended, in one word."),
    text("message", 4).about("Its last words."),
    time("startedAt", 5).about("When it was started."),
    time("finishedAt", 6).about("When it ended."),
    text("containerID", 7).about("Identity of the container on the node."),
};
constexpr Message kContainerStateTerminated{
    "io.k8s.api.core.v1.ContainerStateTerminated", kContainerStateTerminatedFields,
    "ContainerStateTerminated is the state of a container that has ended."};

constexpr Field kContainerStateFields[] = {
    object("waiting", 1, kContainerStateWaiting).about("The container does not run yet."),
    object("running", 2, kContainerStateRunning).about("The container runs."),
    object("terminated", 3, kContainerStateTerminated).about("The container has ended."),
};
constexpr Message kContainerState{"io.k8s.api.core.v1.ContainerState", kContainerStateFields,
                                  "ContainerState is one of waiting, running and terminated."};

constexpr Field kLinuxContainerUserFields[] = {
    int64("uid", 1).listed().about("User of the first process."),
    int64("gid", 2).listed().about("Group of the first process."),
    list_of("supplementalGroups", 3, Type::kInt64).about("Further groups of the first process."),
};
constexpr Message kLinuxContainerUser{
    "io.k8s.api.core.v1.LinuxContainerUser", kLinuxContainerUserFields,
    "LinuxContainerUser tells user and groups of a container's first process."};

constexpr Field kContainerUserFields[] = {
    object("linux", 1, kLinuxContainerUser).about("User and groups on Linux."),
};
constexpr Message kContainerUser{"io.k8s.api.core.v1.ContainerUser", kContainerUserFields,
                                 "ContainerUser tells which user a container runs as."};

constexpr Field kImageVolumeStatusFields[] = {
    text("imageRef", 1).listed().about("Exact identity of the image."),
};
constexpr Message kImageVolumeStatus{"io.k8s.api.core.v1.ImageVolumeStatus",
                                     kImageVolumeStatusFields,
                                     "ImageVolumeStatus is the state of an image volume."};

constexpr Field kVolumeStatusFields[] = {
    object("image", 1, kImageVolumeStatus).about("State of an image volume."),
};
constexpr Message kVolumeStatus{"io.k8s.api.core.v1.VolumeStatus", kVolumeStatusFields,
                                "VolumeStatus is the state of a volume."};

constexpr Field kVolumeMountStatusFields[] = {
    text("name", 1).listed().about("Name of the volume."),
    text("mountPath", 2).listed().about("Where it is mounted."),
    boolean("readOnly", 3).or_zero().about("Whether it is mounted read-only."),
    text("recursiveReadOnly", 4).about("Whether mounts below it are read-only too."),
    object("volumeStatus", 5, kVolumeStatus).about("State of the volume."),
};
constexpr Message kVolumeMountStatus{"io.k8s.api.core.v1.VolumeMountStatus",
                                     kVolumeMountStatusFields,
                                     "VolumeMountStatus is the state of a mount."};

constexpr Field kResourceHealthFields[] = {
    text("resourceID", 1).listed().about("Identity of the device."),
    text("health", 2).about("Healthy, Unhealthy or Unknown."),
    text("message", 6).about("Explanation for people."),
};
constexpr Message kResourceHealth{"io.k8s.api.core.v1.ResourceHealth", kResourceHealthFields,
                                  "ResourceHealth is the health of a device."};

constexpr Field kResourceStatusFields[] = {
    text("name", 1).listed().about("Name of the resource."),
    list("resources", 2, kResourceHealth).map_keys("resourceID").about("Health of each device."),
};
constexpr Message kResourceStatus{"io.k8s.api.core.v1.ResourceStatus", kResourceStatusFields,
                                  "ResourceStatus is the health of devices of a container."};

constexpr Field kContainerStatusFields[] = {
    text("name", 1).listed().about("Name of the container."),
    object("state", 2, kContainerState).about("Present state: waiting, running or terminated."),
    object("lastState", 3, kContainerState).about("State before the last restart."),
    boolean("ready", 4).listed().about("Whether the readiness check succeeds."),
    int32("restartCount", 5).listed().about("How often the container was restarted."),
    text("image", 6).listed().about("Image that it runs."),
    text("imageID", 7).listed().about("Exact identity of the image."),
    text("containerID", 8).about("Identity of the container on the node."),
    boolean("started", 9).about("Whether the startup check succeeded."),
    map_of("allocatedResources", 10, Type::kQuantity).about("Requests set aside by the node."),
    object("resources", 11, kResourceRequirements).about("Requests and limits that are in force."),
    list("volumeMounts", 12, kVolumeMountStatus)
        .keyed_by("mountPath")
        .about("State of the mounts."),
    object("user", 13, kContainerUser).about("User and groups of the first process."),
    list("allocatedResourcesStatus", 14, kResourceStatus)
        .keyed_by("name")
        .about("Health of devices."),
    text("stopSignal", 15).about("Signal that ends the container."),
};
constexpr Message kContainerStatus{"io.k8s.api.core.v1.ContainerStatus", kContainerStatusFields,
                                   "ContainerStatus is the state of a container."};

constexpr Field kPodIPFields[] = {
    text("ip", 1).listed().about("The address."),
};
constexpr Message kPodIP{"io.k8s.api.core.v1.PodIP", kPodIPFields, "PodIP is an address of a Pod."};

constexpr Field kHostIPFields[] = {
    text("ip", 1).listed().about("The address."),
};
constexpr Message kHostIP{"io.k8s.api.core.v1.HostIP", kHostIPFields,
                          "HostIP is an address of a node."};

constexpr Field kPodResourceClaimStatusFields[] = {
    text("name", 1).listed().about("Name of the entry in the spec."),
    text("resourceClaimName", 2).about("Claim that was made for it."),
};
constexpr Message kPodResourceClaimStatus{
    "io.k8s.api.core.v1.PodResourceClaimStatus", kPodResourceClaimStatusFields,
    "PodResourceClaimStatus is the state of a resource claim."};

constexpr Field kContainerExtendedResourceRequestFields[] = {
    text("containerName", 1).listed().about("Name of the container."),
    text("resourceName", 2).listed().about("Name of the extended resource."),
    text("requestName", 3).listed().about("Name of the request in the claim."),
};
constexpr Message kContainerExtendedResourceRequest{
    "io.k8s.api.core.v1.ContainerExtendedResourceRequest", kContainerExtendedResourceRequestFields,
    "ContainerExtendedResourceRequest maps a request of a container to a claim."};

constexpr Field kPodExtendedResourceClaimStatusFields[] = {
    list("requestMappings", 1, kContainerExtendedResourceRequest)
        .listed()
        .about("Which requests of containers the claim serves."),
    text("resourceClaimName", 2).listed().about("Name of the claim."),
};
constexpr Message kPodExtendedResourceClaimStatus{
    "io.k8s.api.core.v1.PodExtendedResourceClaimStatus", kPodExtendedResourceClaimStatusFields,
    "PodExtendedResourceClaimStatus is the state of a claim made for extended resources."};

constexpr Field kNodeAllocatableResourceClaimStatusFields[] = {
    text("resourceClaimName", 1).listed().about("Name of the claim."),
    list_of("containers", 2, Type::kString).set().about("Containers that use the claim."),
    map_of("resources", 3, Type::kQuantity).listed().about("Resources that the claim takes up."),
};
constexpr Message kNodeAllocatableResourceClaimStatus{
    "io.k8s.api.core.v1.NodeAllocatableResourceClaimStatus",
    kNodeAllocatableResourceClaimStatusFields,
    "NodeAllocatableResourceClaimStatus is the state of a claim on node resources."};

constexpr Field kPodStatusFields[] = {
    text("phase", 1).about("Pending, Running, Succeeded, Failed or Unknown."),
    list("conditions", 2, kPodCondition)
        .keyed_by("type")
        .about("Aspects of the state: PodScheduled, Initialized, ContainersReady, Ready."),
    text("message", 3).about("Why the Pod is in this state, for people."),
    text("reason", 4).about("Why the Pod is in this state, in one word."),
    text("hostIP", 5).about("Address of the node."),
    text("podIP", 6).about("Address of the Pod."),
    time("startTime", 7).about("When the node agent took the Pod on."),
    list("containerStatuses", 8, kContainerStatus).about("State of each container."),
    text("qosClass", 9).about("Guaranteed, Burstable or BestEffort, from requests and limits."),
    list("initContainerStatuses", 10, kContainerStatus).about("State of each init container."),
    text("nominatedNodeName", 11).about("Node that is being made free for the Pod."),
    list("podIPs", 12, kPodIP).keyed_by("ip").about("Addresses of the Pod, one a family."),
    list("ephemeralContainerStatuses", 13, kContainerStatus)
        .about("State of each ephemeral container."),
    text("resize", 14).about("Not used any more."),
    list("resourceClaimStatuses", 15, kPodResourceClaimStatus)
        .keyed_by("name")
        .retaining_keys()
        .about("State of resource claims."),
    list("hostIPs", 16, kHostIP).patch_key("ip").about("Addresses of the node, one a family."),
    int64("observedGeneration", 17)
        .or_zero()
        .about("Generation of the spec that this status is about."),
    object("extendedResourceClaimStatus", 18, kPodExtendedResourceClaimStatus)
        .about("State of the claim made for extended resources."),
    map_of("allocatedResources", 19, Type::kQuantity)
        .about("Resources set aside for the Pod as a whole."),
    object("resources", 20, kResourceRequirements)
        .about("Resources in force for the Pod as a whole."),
    list("nodeAllocatableResourceClaimStatuses", 21, kNodeAllocatableResourceClaimStatus)
        .about("State of claims on node resources."),
};

}  // namespace

constinit const Message kPodStatus{"io.k8s.api.core.v1.PodStatus", kPodStatusFields,
                                   "PodStatus is what the node agent reports of a Pod."};

}  // namespace coracle::api
