// SPDX-License-Identifier: GPL-2.0-or-later
// The only source of chance in a simulated world (xoshiro256**, seeded through splitmix64).
#pragma once

#include <cstdint>

#include "port/random.h"

namespace coracle::port_sim {

class Dice : public port::Random {
 public:
  explicit Dice(uint64_t seed);
  void fill(char* out, size_t bytes) override;
  uint64_t roll();
  uint64_t below(uint64_t bound) { return bound == 0 ? 0 : roll() % bound; }
  uint64_t between(uint64_t low, uint64_t high) { return low + below(high - low + 1); }
  bool chance(uint32_t percent) { return below(100) < percent; }

 private:
  uint64_t state_[4];
};

}  // namespace coracle::port_sim
