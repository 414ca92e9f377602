// SPDX-License-Identifier: GPL-2.0-or-later
// The rows of the kernel check: one a feature, with the function that tries it. A function runs in
// a child process that ends afterwards, so it may leave namespaces, mounts and filters behind; what
// lives beyond its process (files, control groups) it removes.
#pragma once

#include <span>

#include "port/linux/kernel_check.h"

namespace coracle::port_linux {

struct Outcome {
  bool present = false;
  std::string detail = {};
  std::string remedy = {};  // empty: that of the row
};

Outcome works(std::string detail = {});
// What errno means for a feature that was tried by `what`.
Outcome refused(std::string_view what, int errno_value);

struct Probe {
  std::string_view feature;
  std::string_view symbol;
  bool needed;
  // `scratch`: an empty directory of this probe's own.
  Outcome (*run)(const std::string& scratch, const char* argument);
  const char* argument = "";
  std::string_view without = {};  // what is lost
  std::string_view remedy = {};   // empty: build the kernel with the symbol
};

std::span<const Probe> kernel_probes();
Finding try_probe(const Probe& probe, const std::string& scratch_directory);

// --- Namespaces and file systems (kernel_probe.cc).
Outcome probe_namespace(const std::string& scratch, const char* kind);  // "net", "pid", ...
Outcome probe_mount(const std::string& scratch, const char* type);      // with no options
Outcome probe_overlay(const std::string& scratch, const char* upper);   // "tmpfs", "" for scratch
Outcome probe_seccomp(const std::string& scratch, const char*);
Outcome probe_keys(const std::string& scratch, const char*);
Outcome probe_openat2(const std::string& scratch, const char*);

// --- Network (network_probe.cc), in a network namespace of their own.
Outcome probe_bridge(const std::string& scratch, const char*);
Outcome probe_veth(const std::string& scratch, const char*);
Outcome probe_nft_chain(const std::string& scratch, const char* type);       // "filter", "nat"
Outcome probe_nft_expression(const std::string& scratch, const char* name);  // as nf_tables has it
Outcome probe_packet_filter(const std::string& scratch, const char*);        // the whole table
Outcome probe_conntrack_netlink(const std::string& scratch, const char*);

// --- Control groups of either version (cgroup_probe.cc), in a group that is removed.
Outcome probe_cgroups(const std::string& scratch, const char*);
Outcome probe_cgroup(const std::string& scratch,
                     const char* controller);  // "pids", "memory", "cpu"
Outcome probe_cpu_quota(const std::string& scratch, const char*);
Outcome probe_freezer(const std::string& scratch, const char*);
Outcome probe_devices(const std::string& scratch, const char*);

}  // namespace coracle::port_linux
