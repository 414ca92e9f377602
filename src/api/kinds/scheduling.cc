// SPDX-License-Identifier: GPL-2.0-or-later
// What a Pod says about the nodes that it may run on.
#include "api/kinds/checks.h"
#include "api/kinds/pod_template.h"
#include "api/meta.h"

namespace coracle::api {
namespace {

constexpr Field kNodeSelectorRequirementFields[] = {
    text("key", 1).listed().about("Label or field."),
    text("operator", 2).listed().about("In, NotIn, Exists, DoesNotExist, Gt or Lt."),
    list_of("values", 3, Type::kString).about("Values to compare with."),
};
constexpr Message kNodeSelectorRequirement{
    "io.k8s.api.core.v1.NodeSelectorRequirement", kNodeSelectorRequirementFields,
    "NodeSelectorRequirement relates a key and a set of values."};

constexpr Field kNodeSelectorTermFields[] = {
    list("matchExpressions", 1, kNodeSelectorRequirement).about("Requirements on labels."),
    list("matchFields", 2, kNodeSelectorRequirement)
        .about("Requirements on fields (metadata.name)."),
};
constexpr Message kNodeSelectorTerm{
    "io.k8s.api.core.v1.NodeSelectorTerm", kNodeSelectorTermFields,
    "NodeSelectorTerm matches a node if all of its requirements do."};

constexpr Field kNodeSelectorFields[] = {
    list("nodeSelectorTerms", 1, kNodeSelectorTerm)
        .required()
        .about("Terms, of which one must match."),
};

constexpr Field kPreferredSchedulingTermFields[] = {
    int32("weight", 1).listed().about("Weight from 1 to 100."),
    object("preference", 2, kNodeSelectorTerm).listed().about("What a node should match."),
};
constexpr Message kPreferredSchedulingTerm{"io.k8s.api.core.v1.PreferredSchedulingTerm",
                                           kPreferredSchedulingTermFields,
                                           "PreferredSchedulingTerm is a wish with a weight."};

constexpr Field kNodeAffinityFields[] = {
    object("requiredDuringSchedulingIgnoredDuringExecution", 1, kNodeSelector)
        .about("Demands that a node must meet when the Pod is placed."),
    list("preferredDuringSchedulingIgnoredDuringExecution", 2, kPreferredSchedulingTerm)
        .about("Wishes, each with a weight."),
};
constexpr Message kNodeAffinity{"io.k8s.api.core.v1.NodeAffinity", kNodeAffinityFields,
                                "NodeAffinity tells which nodes suit a Pod."};

constexpr Field kPodAffinityTermFields[] = {
    object("labelSelector", 1, kLabelSelector).about("Pods that are meant."),
    list_of("namespaces", 2, Type::kString)
        .about("Namespaces of these Pods; that of the Pod itself if empty."),
    text("topologyKey", 3).required().about("Label of nodes that spans the area."),
    object("namespaceSelector", 4, kLabelSelector).about("Namespaces of these Pods, by label."),
    list_of("matchLabelKeys", 5, Type::kString)
        .about("Labels of the Pod itself that are added to the selector."),
    list_of("mismatchLabelKeys", 6, Type::kString)
        .about("Labels of the Pod itself that must differ."),
};
constexpr Message kPodAffinityTerm{
    "io.k8s.api.core.v1.PodAffinityTerm", kPodAffinityTermFields,
    "PodAffinityTerm selects Pods and the area that counts as near."};

constexpr Field kWeightedPodAffinityTermFields[] = {
    int32("weight", 1).listed().about("Weight from 1 to 100."),
    object("podAffinityTerm", 2, kPodAffinityTerm).listed().about("The wish."),
};
constexpr Message kWeightedPodAffinityTerm{"io.k8s.api.core.v1.WeightedPodAffinityTerm",
                                           kWeightedPodAffinityTermFields,
                                           "WeightedPodAffinityTerm is a wish with a weight."};

constexpr Field kPodAffinityFields[] = {
    list("requiredDuringSchedulingIgnoredDuringExecution", 1, kPodAffinityTerm)
        .about("Demands when the Pod is placed."),
    list("preferredDuringSchedulingIgnoredDuringExecution", 2, kWeightedPodAffinityTerm)
        .about("Wishes, each with a weight."),
};
constexpr Message kPodAffinity{"io.k8s.api.core.v1.PodAffinity", kPodAffinityFields,
                               "PodAffinity tells which Pods a Pod should be near to."};

constexpr Field kPodAntiAffinityFields[] = {
    list("requiredDuringSchedulingIgnoredDuringExecution", 1, kPodAffinityTerm)
        .about("Demands when the Pod is placed."),
    list("preferredDuringSchedulingIgnoredDuringExecution", 2, kWeightedPodAffinityTerm)
        .about("Wishes, each with a weight."),
};
constexpr Message kPodAntiAffinity{"io.k8s.api.core.v1.PodAntiAffinity", kPodAntiAffinityFields,
                                   "PodAntiAffinity tells which Pods a Pod should be away from."};

constexpr Field kAffinityFields[] = {
    object("nodeAffinity", 1, kNodeAffinity).about("Which nodes suit the Pod."),
    object("podAffinity", 2, kPodAffinity).about("Which Pods it should be near to."),
    object("podAntiAffinity", 3, kPodAntiAffinity).about("Which Pods it should be away from."),
};

constexpr Field kTolerationFields[] = {
    text("key", 1).about("Key of the taint; empty with operator Exists matches all."),
    text("operator", 2).about("Exists or Equal; Equal if absent."),
    text("value", 3).about("Value of the taint, for Equal."),
    text("effect", 4).about("Effect of the taint; empty matches all."),
    int64("tolerationSeconds", 5).about("For NoExecute: seconds that the Pod may stay."),
};

constexpr Field kTopologySpreadConstraintFields[] = {
    int32("maxSkew", 1)
        .listed()
        .must(positive)
        .about("Largest difference in the number of Pods between two areas."),
    text("topologyKey", 2).required().about("Label of nodes that spans an area."),
    text("whenUnsatisfiable", 3)
        .required()
        .one_of("DoNotSchedule|ScheduleAnyway")
        .about("DoNotSchedule or ScheduleAnyway."),
    object("labelSelector", 4, kLabelSelector).about("Pods that are counted."),
    int32("minDomains", 5).about("Fewest areas that must exist."),
    text("nodeAffinityPolicy", 6)
        .one_of("Honor|Ignore")
        .about("Whether nodes that do not suit the Pod are left out."),
    text("nodeTaintsPolicy", 7).one_of("Honor|Ignore").about("Whether tainted nodes are left out."),
    list_of("matchLabelKeys", 8, Type::kString)
        .about("Labels of the Pod itself that are added to the selector."),
};

}  // namespace

constinit const Message kAffinity{
    "io.k8s.api.core.v1.Affinity", kAffinityFields,
    "Affinity holds preferences and demands for the placement of a Pod."};
constinit const Message kToleration{"io.k8s.api.core.v1.Toleration", kTolerationFields,
                                    "Toleration lets a Pod onto nodes with matching taints."};
constinit const Message kTopologySpreadConstraint{
    "io.k8s.api.core.v1.TopologySpreadConstraint", kTopologySpreadConstraintFields,
    "TopologySpreadConstraint tells how Pods are to be spread."};
constinit const Message kNodeSelector{"io.k8s.api.core.v1.NodeSelector", kNodeSelectorFields,
                                      "NodeSelector matches a node if one of its terms does."};

}  // namespace coracle::api
