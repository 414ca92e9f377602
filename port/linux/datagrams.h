// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "port/datagrams.h"
#include "port/linux/loop.h"

namespace coracle::port_linux {

class LoopDatagramNetwork : public port::DatagramNetwork {
 public:
  explicit LoopDatagramNetwork(Loop& loop) : loop_(loop) {}
  Result<std::unique_ptr<port::Datagrams>> bind(const port::Endpoint& at,
                                                port::DatagramEvents& events) override;
  Result<std::unique_ptr<port::Datagrams>> reach(const port::Endpoint& peer,
                                                 port::DatagramEvents& events) override;

 private:
  Loop& loop_;
};

}  // namespace coracle::port_linux
