// SPDX-License-Identifier: GPL-2.0-or-later
// A reproducible port::Random for tests (splitmix64).
#pragma once

#include "port/random.h"

namespace coracle {

class CountingRandom final : public port::Random {
 public:
  explicit CountingRandom(uint64_t seed = 1) : state_(seed) {}
  void fill(char* out, size_t bytes) override {
    for (size_t i = 0; i < bytes; i++) {
      uint64_t z = (state_ += 0x9e3779b97f4a7c15);
      z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
      z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
      out[i] = static_cast<char>(z >> 32);
    }
  }

 private:
  uint64_t state_;
};

}  // namespace coracle
