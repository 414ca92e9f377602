// SPDX-License-Identifier: GPL-2.0-or-later
#include "api/kind.h"
#include "api/kinds/cells.h"
#include "api/kinds/checks.h"
#include "api/meta.h"

namespace coracle::api {
namespace {

constexpr Field kLeaseSpecFields[] = {
    text("holderIdentity", 1).about("Who holds the Lease now."),
    int32("leaseDurationSeconds", 2)
        .must(positive)
        .about("How long others must wait after the last renewal before they may take over."),
    micro_time("acquireTime", 3).about("When the present holder took the Lease."),
    micro_time("renewTime", 4).about("When the present holder last renewed the Lease."),
    int32("leaseTransitions", 5)
        .must(not_negative)
        .about("How many times the Lease changed hands."),
    text("strategy", 6).about("How the holder of a coordinated election is chosen."),
    text("preferredHolder", 7).about("Who should be given the Lease next."),
};
constexpr Message kLeaseSpec{"io.k8s.api.coordination.v1.LeaseSpec", kLeaseSpecFields,
                             "LeaseSpec is a claim: who holds it, since when and for how long."};

constexpr Field kLeaseFields[] = {
    kKindField,
    kApiVersionField,
    kMetadataField,
    object("spec", 2, kLeaseSpec).about("The claim itself."),
};
constexpr Message kLeaseMessage{
    "io.k8s.api.coordination.v1.Lease", kLeaseFields,
    "Lease is a short-lived claim: node heartbeats and leader election are kept in Leases."};

void holder_cell(json::Node object, Wall, json::Writer& out) {
  out.value(object["spec"]["holderIdentity"].string());
}

constexpr Column kColumns[] = {
    {.name = "Holder", .cell = holder_cell, .description = "Who holds the Lease now."},
    kAgeColumn,
};

void validate(json::Node object, Errors& errors) {
  const json::Node spec = object["spec"];
  const json::Node holder = spec["holderIdentity"];
  if (holder && holder.string().empty())
    errors.invalid("spec.holderIdentity", holder, "must not be empty");
  const bool coordinated = !spec["strategy"].string().empty();
  if (!coordinated && !spec["preferredHolder"].string().empty())
    errors.forbidden("spec.preferredHolder", "may only be specified when `strategy` is defined");
}

}  // namespace

// Heartbeats: losing the last second of them in a power cut harms nobody, and flash lasts longer.
constinit const Kind kLease{.group = "coordination.k8s.io",
                            .version = "v1",
                            .name = "Lease",
                            .plural = "leases",
                            .singular = "lease",
                            .message = &kLeaseMessage,
                            .columns = kColumns,
                            .write_class = WriteClass::kLazy,
                            .allow_create_on_update = true,
                            .needs_version_on_update = true,
                            .validate = validate};

}  // namespace coracle::api
