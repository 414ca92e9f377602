// SPDX-License-Identifier: GPL-2.0-or-later
// What stands behind a pod's claims: the bound PersistentVolume as a directory of this node. Kinds
// of volumes are hostPath and local; upstream pkg/kubelet/volumemanager/populator.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "json/tree.h"
#include "node/volumes.h"

namespace coracle::node {

bool is_claim(json::Node volume);

// The PersistentVolume's spec, in `tree`; the error names what is missing.
Result<json::Node> claimed_volume(const VolumeContext& context,
                                  json::Node volume,
                                  json::Tree& tree);
// Of such a spec: the directory (or file) on this node.
std::string claimed_path(json::Node persistent_volume);

// Makes what a provisioner left to the node, and checks the rest.
Result<> prepare_claim(const VolumeContext& context, json::Node volume);

// Directories that the pod's fsGroup shall own.
struct GroupVolume {
  std::string name;  // of the pod's volume
  std::string path;
};
std::vector<GroupVolume> group_volumes(const VolumeContext& context);

}  // namespace coracle::node
