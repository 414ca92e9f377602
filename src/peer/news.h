// SPDX-License-Identifier: GPL-2.0-or-later
// What is worth a line in the log: trouble of a kind once a minute, and only so many kinds.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/time.h"

namespace coracle::peer {

class News {
 public:
  bool is_new(const std::string& what, Mono now);
  uint64_t take_unsaid();  // how often it was not, since the last call
  void forget() { said_.clear(); }

 private:
  struct Said {
    std::string what;
    Mono at;
  };
  std::vector<Said> said_;
  uint64_t unsaid_ = 0;
};

}  // namespace coracle::peer
