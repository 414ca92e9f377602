// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "port/linux/loop.h"
#include "port/net.h"

namespace coracle::port_linux {

class LoopNetwork : public port::Network {
 public:
  explicit LoopNetwork(Loop& loop) : loop_(loop) {}
  Result<std::unique_ptr<port::Listener>> listen(const port::Endpoint& at,
                                                 port::Acceptor& acceptor) override;
  std::unique_ptr<port::Stream> connect(const port::Endpoint& to,
                                        port::StreamEvents& events) override;
  Result<std::unique_ptr<port::Listener>> listen_local(const std::string& path,
                                                       port::Acceptor& acceptor) override;
  std::unique_ptr<port::Stream> connect_local(const std::string& path,
                                              port::StreamEvents& events) override;

 private:
  Loop& loop_;
};

}  // namespace coracle::port_linux
