// SPDX-License-Identifier: GPL-2.0-or-later
// What the controllers of volumes share: binder, local-path provisioner, protection.
#pragma once

#include <string_view>

#include "json/tree.h"

namespace coracle::controllers {

inline constexpr std::string_view kStorageProvisioner = "volume.kubernetes.io/storage-provisioner";
inline constexpr std::string_view kOldStorageProvisioner =
    "volume.beta.kubernetes.io/storage-provisioner";
inline constexpr std::string_view kClaimProtection = "kubernetes.io/pvc-protection";
inline constexpr std::string_view kVolumeProtection = "kubernetes.io/pv-protection";

bool uses_claim(json::Node pod, std::string_view claim);
bool has_finalizer(json::Node object, std::string_view name);
void remove_finalizer(json::Node object, std::string_view name);

}  // namespace coracle::controllers
