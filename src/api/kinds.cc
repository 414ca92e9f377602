// SPDX-License-Identifier: GPL-2.0-or-later
// The table of all kinds that are stored. A new kind is one file in kinds/ and one line here.
#include "api/kind.h"

namespace coracle::api {
namespace {

constexpr const Kind* kKinds[] = {
    &kConfigMap, &kEndpoints,  &kEvent,      &kNamespace,      &kNode,
    &kPod,       &kSecret,     &kService,    &kServiceAccount, &kEndpointSlice,
    &kLease,     &kDeployment, &kReplicaSet,
};

}  // namespace

std::span<const Kind* const> all_kinds() {
  return kKinds;
}

}  // namespace coracle::api
