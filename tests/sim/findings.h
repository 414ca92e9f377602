// SPDX-License-Identifier: GPL-2.0-or-later
// The first thing that was found wrong in a world; what follows from it is not kept.
#pragma once

#include <string>

namespace coracle::sim {

class Findings {
 public:
  void add(std::string what) {
    if (first_.empty()) first_ = std::move(what);
  }
  bool none() const { return first_.empty(); }
  const std::string& first() const { return first_; }

 private:
  std::string first_;
};

}  // namespace coracle::sim
