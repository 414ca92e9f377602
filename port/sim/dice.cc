// SPDX-License-Identifier: GPL-2.0-or-later
#include "port/sim/dice.h"

#include <bit>
#include <cstring>

namespace coracle::port_sim {

Dice::Dice(uint64_t seed) {
  for (uint64_t& word : state_) {
    seed += 0x9E3779B97F4A7C15u;
    uint64_t mixed = seed;
    mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9u;
    mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBu;
    word = mixed ^ (mixed >> 31);
  }
}

uint64_t Dice::roll() {
  const uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
  const uint64_t shifted = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= shifted;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

void Dice::fill(char* out, size_t bytes) {
  while (bytes > 0) {
    const uint64_t word = roll();
    const size_t part = bytes < sizeof word ? bytes : sizeof word;
    std::memcpy(out, &word, part);
    out += part;
    bytes -= part;
  }
}

}  // namespace coracle::port_sim
