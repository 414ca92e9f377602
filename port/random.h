// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>

namespace coracle::port {

// Linux: getrandom(2), fit for keys. Sim: a seeded generator.
class Random {
 public:
  virtual ~Random() = default;
  virtual void fill(char* out, size_t bytes) = 0;
  uint64_t next() {
    uint64_t value = 0;
    fill(reinterpret_cast<char*>(&value), sizeof value);
    return value;
  }
};

}  // namespace coracle::port
