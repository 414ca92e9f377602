// SPDX-License-Identifier: GPL-2.0-or-later
#include "port/sim/world.h"
#include "tests/contract/clock.h"
#include "tests/contract/datagrams.h"
#include "tests/contract/disk.h"
#include "tests/contract/net.h"
#include "tests/contract/tree.h"

namespace coracle::contract {

class SimPort {
 public:
  SimPort() { static_cast<void>(machine_.disk().make_directories("/scratch", 0700)); }
  port::Clock& clock() { return machine_.clock(); }
  port::Network& network() { return machine_.network(); }
  port::DatagramNetwork& datagrams() { return machine_.datagrams(); }
  port::Disk& disk() { return machine_.disk(); }
  port::Random& random() { return machine_.random(); }
  std::unique_ptr<port::Lane> lane() { return machine_.lane(); }
  port::Endpoint any_port() { return {"127.0.0.1", 0}; }
  std::string scratch() { return "/scratch"; }
  template <class Done>
  bool run_until(Done done, Duration limit) {
    return world_.run_until(done, limit);
  }

 private:
  port_sim::World world_{1};
  port_sim::Machine& machine_ = world_.machine();
};

INSTANTIATE_TYPED_TEST_SUITE_P(Sim, ClockContract, SimPort);
INSTANTIATE_TYPED_TEST_SUITE_P(Sim, DatagramContract, SimPort);
INSTANTIATE_TYPED_TEST_SUITE_P(Sim, DiskContract, SimPort);
INSTANTIATE_TYPED_TEST_SUITE_P(Sim, NetContract, SimPort);
INSTANTIATE_TYPED_TEST_SUITE_P(Sim, TreeContract, SimPort);

}  // namespace coracle::contract
