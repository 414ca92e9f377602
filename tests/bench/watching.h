// SPDX-License-Identifier: GPL-2.0-or-later
// Workloads that look through watches: many watchers of one object, and Pods on their way to
// Running.
#pragma once

#include "tests/bench/load.h"

namespace coracle::bench {

// `clients` watchers of ConfigMap `bench-watch/watched`, which is replaced `operations` times. A
// latency is from the sending of a replacement to its arrival at one watcher; value is arrivals a
// second.
Measurement run_fan(port_linux::Machine& machine, const Target& target, const LoadOptions& options);

// Creates `operations` Pods one after another; a latency is from the sending of the POST to the
// arrival of phase Running. Deletes each without grace.
Measurement run_pod_starts(port_linux::Machine& machine,
                           const Target& target,
                           const LoadOptions& options,
                           const std::string& image);

}  // namespace coracle::bench
