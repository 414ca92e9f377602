// SPDX-License-Identifier: GPL-2.0-or-later
// Tells what a plan does, one line a call, in the words of the golden scripts: what changes, not
// what stays. Times are left out; generated parts of names become "?" and template hashes "#1",
// "#2" in the order in which they are first seen.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tests/unit/controllers/cluster.h"

namespace coracle::testing {

class Trace {
 public:
  std::string call(const Cluster& cluster, const api::Call& call);
  static std::string note(const api::Note& note);
  std::string masked(std::string text) const;
  // "web-#1" -> the name that it stands for.
  std::string unmasked(std::string text) const;

 private:
  void learn(json::Node body);
  std::vector<std::pair<std::string, std::string>> masks_;  // longest names first
  size_t hashes_ = 0;
};

// Every leaf by its path; lists of conditions by type, others as one leaf.
std::map<std::string, std::string> flatten(json::Node node);
// Equal lines that follow each other become one with "(x3)".
std::string collapse(const std::vector<std::string>& lines);

}  // namespace coracle::testing
