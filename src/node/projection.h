// SPDX-License-Identifier: GPL-2.0-or-later
// From API objects to files: configMap, secret, downwardAPI and projected volumes.
#pragma once

#include "base/result.h"
#include "node/atomic_files.h"
#include "node/volumes.h"

namespace coracle::node {

// True for the kinds of volumes that are sets of files from the API.
bool is_projection(json::Node volume);
Result<AtomicFiles> project(const VolumeContext& context, json::Node volume);

}  // namespace coracle::node
