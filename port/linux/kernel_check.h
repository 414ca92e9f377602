// SPDX-License-Identifier: GPL-2.0-or-later
// What this kernel can do, found out by doing it: each feature is tried in a process of its own, in
// namespaces of its own, so that nothing of the machine changes. Needs root. Not for a process with
// threads: the probes run in forks of it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace coracle::port_linux {

struct Finding {
  std::string_view feature;
  std::string_view symbol;  // of Kconfig without CONFIG_, several separated by spaces; may be empty
  bool needed;              // without it this node cannot run pods; else something is lost
  bool present;
  std::string detail;  // why it counts as missing, and what is lost without it
  std::string remedy;  // if missing
};

// `scratch_directory` exists and lies where the data directory does or will: overlays are tried in
// a directory in it, which is removed afterwards.
std::vector<Finding> check_kernel(const std::string& scratch_directory);

}  // namespace coracle::port_linux
