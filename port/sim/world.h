// SPDX-License-Identifier: GPL-2.0-or-later
// A whole world from one seed: machines with clock, disk, lanes and random numbers, joined by a
// network, all in one thread and in virtual time. The same seed gives the same run, bit for bit.
//
//   World world(42);
//   Machine& a = world.machine("a");
//   ... build rooms on a.clock(), a.disk(), *a.lane() ...
//   world.run_until([&] { return ready; }, seconds(10));
//   a.disk().faults().power_off_at = a.disk().platter().operations() + 7;   // then: power_on()
#pragma once

#include <map>
#include <memory>
#include <string>

#include "port/sim/clock.h"
#include "port/sim/datagrams.h"
#include "port/sim/dice.h"
#include "port/sim/disk.h"
#include "port/sim/lane.h"
#include "port/sim/net.h"
#include "port/sim/timeline.h"

namespace coracle::port_sim {

class Machine {
 public:
  Machine(Timeline& timeline, Switch& net, uint64_t seed, uint32_t number)
      : timeline_(timeline),
        dice_(seed),
        clock_(timeline),
        random_(dice_.roll()),
        disk_(dice_.roll(), clock_),
        number_(number),
        address_("10.0.0." + std::to_string(number)),
        network_(net, number, address_),
        datagrams_(net, number, address_) {
    net.name(address_, number);
  }
  SimClock& clock() { return clock_; }
  SimDisk& disk() { return disk_; }
  port::Network& network() { return network_; }
  port::DatagramNetwork& datagrams() { return datagrams_; }
  port::Random& random() { return random_; }
  std::unique_ptr<port::Lane> lane() {
    return std::make_unique<SimLane>(timeline_, dice_, lane_latency);
  }
  uint32_t number() const { return number_; }
  const std::string& address() const { return address_; }

  Latency lane_latency;

 private:
  Timeline& timeline_;
  Dice dice_;
  SimClock clock_;
  Dice random_;
  SimDisk disk_;
  uint32_t number_;
  std::string address_;
  SimNetwork network_;
  SimDatagramNetwork datagrams_;
};

class World {
 public:
  explicit World(uint64_t seed) : dice_(seed), net_(timeline_, dice_.roll()) {}

  Machine& machine(const std::string& name = "a") {
    std::unique_ptr<Machine>& found = machines_[name];
    if (found == nullptr) {
      const uint32_t number = static_cast<uint32_t>(machines_.size());
      found = std::make_unique<Machine>(timeline_, net_, dice_.roll(), number);
    }
    return *found;
  }
  Switch& net() { return net_; }
  Dice& dice() { return dice_; }  // for whoever drives the world
  Mono now() const { return timeline_.now(); }
  uint64_t turns() const { return timeline_.turns(); }
  bool idle() const { return timeline_.idle(); }

  bool step() { return timeline_.step(); }
  void run_for(Duration time) {
    run_until([] { return false; }, time);
  }
  // Turns until done() or until `limit` has passed; time goes on even when nothing happens.
  template <class Done>
  bool run_until(Done done, Duration limit) {
    const Mono end = timeline_.now() + limit;
    while (!done()) {
      if (timeline_.idle() || timeline_.next_event() > end) {
        timeline_.skip_to(end);
        return done();
      }
      timeline_.step();
    }
    return true;
  }

 private:
  Timeline timeline_;
  Dice dice_;
  Switch net_;
  std::map<std::string, std::unique_ptr<Machine>> machines_;
};

}  // namespace coracle::port_sim
