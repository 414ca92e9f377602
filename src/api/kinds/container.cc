// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>
#include <array>

#include "api/kinds/checks.h"
#include "api/kinds/pod_template.h"
#include "api/meta.h"

namespace coracle::api {
namespace {

constexpr Field kContainerPortFields[] = {
    text("name", 1).about("Name of the port, unique in the Pod, for Services to refer to."),
    int32("hostPort", 2).or_zero().about("Port of the node that leads to the container."),
    int32("containerPort", 3).required().must(is_port).about("Port number in the Pod."),
    text("protocol", 4).otherwise("\"TCP\"").one_of("SCTP|TCP|UDP").about("TCP, UDP or SCTP."),
    text("hostIP", 5).about("Address of the node that hostPort is bound to."),
};
constexpr Message kContainerPort{"io.k8s.api.core.v1.ContainerPort", kContainerPortFields,
                                 "ContainerPort is a port that a container listens on."};

constexpr Field kConfigMapKeySelectorFields[] = {
    text("name", 1).within(1).about("Name of the ConfigMap."),
    text("key", 2).required().about("Key to read."),
    boolean("optional", 3).about("If true, ConfigMap and key may be missing."),
};
constexpr Message kConfigMapKeySelector{"io.k8s.api.core.v1.ConfigMapKeySelector",
                                        kConfigMapKeySelectorFields,
                                        "ConfigMapKeySelector names a key of a ConfigMap."};

constexpr Field kSecretKeySelectorFields[] = {
    text("name", 1).within(1).about("Name of the Secret."),
    text("key", 2).required().about("Key to read."),
    boolean("optional", 3).about("If true, Secret and key may be missing."),
};
constexpr Message kSecretKeySelector{"io.k8s.api.core.v1.SecretKeySelector",
                                     kSecretKeySelectorFields,
                                     "SecretKeySelector names a key of a Secret."};

constexpr Field kFileKeySelectorFields[] = {
    text("volumeName", 1).listed().about("Volume with the file."),
    text("path", 2).listed().about("File in the volume."),
    text("key", 3).listed().about("Variable to read."),
    boolean("optional", 4).about("If true, file and variable may be missing."),
};
constexpr Message kFileKeySelector{
    "io.k8s.api.core.v1.FileKeySelector", kFileKeySelectorFields,
    "FileKeySelector names a variable in a file; not supported by Coracle yet."};

constexpr Field kObjectFieldSelectorFields[] = {
    text("apiVersion", 1)
        .otherwise("\"v1\"")
        .about("Version of the schema that fieldPath is written for."),
    text("fieldPath", 2).required().about("Path of the field, such as metadata.name."),
};

constexpr Field kResourceFieldSelectorFields[] = {
    text("containerName", 1).about("Container; needed in volumes."),
    text("resource", 2).required().about("Such as limits.cpu or requests.memory."),
    quantity("divisor", 3).otherwise("\"0\"").about("Unit that the value is given in."),
};

constexpr Field kEnvVarSourceFields[] = {
    object("fieldRef", 1, kObjectFieldSelector).about("A field of the Pod."),
    object("resourceFieldRef", 2, kResourceFieldSelector)
        .about("A request or limit of a container."),
    object("configMapKeyRef", 3, kConfigMapKeySelector).about("A key of a ConfigMap."),
    object("secretKeyRef", 4, kSecretKeySelector).about("A key of a Secret."),
    object("fileKeyRef", 5, kFileKeySelector).must(not_yet).about("Not supported by Coracle yet."),
};
constexpr Message kEnvVarSource{
    "io.k8s.api.core.v1.EnvVarSource", kEnvVarSourceFields,
    "EnvVarSource tells where the value of a variable comes from; exactly one is set."};

constexpr Field kEnvVarFields[] = {
    text("name", 1).required().about("Name of the variable."),
    text("value", 2)
        .about("Value; $(NAME) is replaced by the value of a variable that comes before."),
    object("valueFrom", 3, kEnvVarSource).about("Where the value comes from instead."),
};
constexpr Message kEnvVar{"io.k8s.api.core.v1.EnvVar", kEnvVarFields,
                          "EnvVar is an environment variable."};

constexpr Field kConfigMapEnvSourceFields[] = {
    text("name", 1).within(1).about("Name of the ConfigMap."),
    boolean("optional", 2).about("If true, the ConfigMap may be missing."),
};
constexpr Message kConfigMapEnvSource{
    "io.k8s.api.core.v1.ConfigMapEnvSource", kConfigMapEnvSourceFields,
    "ConfigMapEnvSource names a ConfigMap whose keys become variables."};

constexpr Field kSecretEnvSourceFields[] = {
    text("name", 1).within(1).about("Name of the Secret."),
    boolean("optional", 2).about("If true, the Secret may be missing."),
};
constexpr Message kSecretEnvSource{"io.k8s.api.core.v1.SecretEnvSource", kSecretEnvSourceFields,
                                   "SecretEnvSource names a Secret whose keys become variables."};

constexpr Field kEnvFromSourceFields[] = {
    text("prefix", 1).about("Put in front of every key."),
    object("configMapRef", 2, kConfigMapEnvSource).about("The ConfigMap."),
    object("secretRef", 3, kSecretEnvSource).about("The Secret."),
};
constexpr Message kEnvFromSource{
    "io.k8s.api.core.v1.EnvFromSource", kEnvFromSourceFields,
    "EnvFromSource makes a variable of every key of a ConfigMap or Secret."};

constexpr Field kContainerResizePolicyFields[] = {
    text("resourceName", 1).required().one_of("cpu|memory").about("cpu or memory."),
    text("restartPolicy", 2)
        .required()
        .one_of("NotRequired|RestartContainer")
        .about("NotRequired or RestartContainer."),
};
constexpr Message kContainerResizePolicy{
    "io.k8s.api.core.v1.ContainerResizePolicy", kContainerResizePolicyFields,
    "ContainerResizePolicy tells how a change of a resource is applied."};

constexpr Field kContainerRestartRuleOnExitCodesFields[] = {
    text("operator", 1).listed().about("In or NotIn."),
    list_of("values", 2, Type::kInt32).set().about("Exit codes."),
};
constexpr Message kContainerRestartRuleOnExitCodes{
    "io.k8s.api.core.v1.ContainerRestartRuleOnExitCodes", kContainerRestartRuleOnExitCodesFields,
    "ContainerRestartRuleOnExitCodes is not supported by Coracle yet."};

constexpr Field kContainerRestartRuleFields[] = {
    text("action", 1).listed().about("What is done."),
    object("exitCodes", 2, kContainerRestartRuleOnExitCodes).about("For which exit codes."),
};
constexpr Message kContainerRestartRule{"io.k8s.api.core.v1.ContainerRestartRule",
                                        kContainerRestartRuleFields,
                                        "ContainerRestartRule is not supported by Coracle yet."};

constexpr Field kVolumeDeviceFields[] = {
    text("name", 1).listed().about("Name of the volume."),
    text("devicePath", 2).listed().about("Device file in the container."),
};
constexpr Message kVolumeDevice{
    "io.k8s.api.core.v1.VolumeDevice", kVolumeDeviceFields,
    "VolumeDevice maps a raw block device; not supported by Coracle yet."};

constexpr Field kVolumeMountFields[] = {
    text("name", 1).required().about("Name of the volume."),
    boolean("readOnly", 2).or_zero().about("If true, the container cannot write to the volume."),
    text("mountPath", 3).required().about("Directory or file in the container."),
    text("subPath", 4).about("Path inside the volume to mount instead of its root."),
    text("mountPropagation", 5)
        .one_of("Bidirectional|HostToContainer|None")
        .about("Whether later mounts are passed on between node and container."),
    text("subPathExpr", 6).about("Like subPath, with $(NAME) replaced by environment variables."),
    text("recursiveReadOnly", 7)
        .one_of("Disabled|Enabled|IfPossible")
        .about("Whether mounts below a read-only one are read-only too."),
};
constexpr Message kVolumeMount{"io.k8s.api.core.v1.VolumeMount", kVolumeMountFields,
                               "VolumeMount makes a volume appear in a container."};

constexpr Field kResourceClaimFields[] = {
    text("name", 1).listed().about("Entry of the Pod's resourceClaims."),
    text("request", 2).about("Request in the claim; all if empty."),
};
constexpr Message kResourceClaim{
    "io.k8s.api.core.v1.ResourceClaim", kResourceClaimFields,
    "ResourceClaim refers to an entry of resourceClaims; not supported by Coracle yet."};

constexpr Field kResourceRequirementsFields[] = {
    map_of("limits", 1, Type::kQuantity).about("Most that the container may use, by resource."),
    map_of("requests", 2, Type::kQuantity)
        .about("What is set aside for the container, by resource; limits if absent."),
    list("claims", 3, kResourceClaim)
        .map_keys("name")
        .must(not_yet)
        .about("Not supported by Coracle yet."),
};

constexpr Field kContainerFields[] = {
    text("name", 1).required().about("Name of the container, a DNS label unique in the Pod."),
    text("image", 2).about("Image that the container is made from."),
    list_of("command", 3, Type::kString)
        .about("Program and arguments that replace the entry point of the image; $(NAME) is "
               "replaced."),
    list_of("args", 4, Type::kString)
        .about("Arguments that replace those of the image; $(NAME) is replaced."),
    text("workingDir", 5)
        .about("Directory that the program starts in; that of the image if absent."),
    list("ports", 6, kContainerPort)
        .keyed_by("containerPort")
        .map_keys("containerPort,protocol")
        .about("Ports that the container listens on, mostly for information."),
    list("env", 7, kEnvVar).keyed_by("name").about("Environment variables."),
    object("resources", 8, kResourceRequirements)
        .otherwise("{}")
        .about("Resources that the container asks for and may not exceed."),
    list("volumeMounts", 9, kVolumeMount)
        .keyed_by("mountPath")
        .about("Where volumes of the Pod appear in the container."),
    object("livenessProbe", 10, kProbe).about("Check that restarts the container when it fails."),
    object("readinessProbe", 11, kProbe)
        .about("Check that takes the Pod out of its Services while it fails."),
    object("lifecycle", 12, kLifecycle).about("What happens after the start and before the stop."),
    text("terminationMessagePath", 13)
        .otherwise("\"/dev/termination-log\"")
        .about("File in the container that its last words are read from."),
    text("imagePullPolicy", 14)
        .one_of("Always|IfNotPresent|Never")
        .about("When the image is pulled: Always, IfNotPresent or Never."),
    object("securityContext", 15, kSecurityContext)
        .about("Security settings, stronger than those of the Pod."),
    boolean("stdin", 16).or_zero().about("Whether standard input stays open to be attached to."),
    boolean("stdinOnce", 17)
        .or_zero()
        .about("Whether standard input is closed after the first attach ends."),
    boolean("tty", 18).or_zero().about("Whether the program gets a terminal; wants stdin too."),
    list("envFrom", 19, kEnvFromSource)
        .about("ConfigMaps and Secrets of which every key becomes an environment variable."),
    text("terminationMessagePolicy", 20)
        .otherwise("\"File\"")
        .one_of("FallbackToLogsOnError|File")
        .about("File, or FallbackToLogsOnError to use the end of the log if the file is empty."),
    list("volumeDevices", 21, kVolumeDevice)
        .keyed_by("devicePath")
        .must(not_yet)
        .about("Not supported by Coracle yet."),
    object("startupProbe", 22, kProbe)
        .about("Check that must succeed before the other checks begin."),
    list("resizePolicy", 23, kContainerResizePolicy).about("How a change of resources is applied."),
    text("restartPolicy", 24).about("For an init container: Always makes it a sidecar."),
    list("restartPolicyRules", 25, kContainerRestartRule)
        .must(not_yet)
        .about("Not supported by Coracle yet."),
};

// An ephemeral container is a container that protobuf wraps once more (EphemeralContainerCommon).
constexpr auto kEphemeralContainerFields = [] {
  std::array<Field, std::size(kContainerFields) + 1> fields{};
  std::transform(std::begin(kContainerFields), std::end(kContainerFields), fields.begin(),
                 [](const Field& field) { return field.within(1); });
  fields.back() =
      text("targetContainerName", 2).about("Container whose processes are seen as well.");
  return fields;
}();

}  // namespace

constinit const Message kObjectFieldSelector{"io.k8s.api.core.v1.ObjectFieldSelector",
                                             kObjectFieldSelectorFields,
                                             "ObjectFieldSelector names a field of the Pod."};
constinit const Message kResourceFieldSelector{
    "io.k8s.api.core.v1.ResourceFieldSelector", kResourceFieldSelectorFields,
    "ResourceFieldSelector names a request or limit of a container."};
constinit const Message kResourceRequirements{
    "io.k8s.api.core.v1.ResourceRequirements", kResourceRequirementsFields,
    "ResourceRequirements holds what a container asks for and may not exceed."};
constinit const Message kContainer{
    "io.k8s.api.core.v1.Container", kContainerFields,
    "Container is one program of a Pod with everything that it needs."};
constinit const Message kEphemeralContainer{
    "io.k8s.api.core.v1.EphemeralContainer", kEphemeralContainerFields,
    "EphemeralContainer is added to a running Pod; not supported by Coracle yet."};

}  // namespace coracle::api
