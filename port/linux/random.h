// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "port/random.h"

namespace coracle::port_linux {

class KernelRandom : public port::Random {
 public:
  void fill(char* out,
            size_t bytes) override;  // blocks until the kernel's pool is ready, once after boot
};

}  // namespace coracle::port_linux
