// SPDX-License-Identifier: GPL-2.0-or-later
// One world of one node: a server that dies and comes back, people who ask for things meanwhile,
// onlookers who watch. Then the faults stop, and all must come to rest as it was asked for.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "port/sim/world.h"
#include "tests/sim/house.h"
#include "tests/sim/kubelet.h"
#include "tests/sim/onlooker.h"
#include "tests/sim/person.h"

namespace coracle::sim {

class ClusterLife {
 public:
  explicit ClusterLife(uint64_t seed);
  ~ClusterLife();

  bool live();  // false: failure() tells what was wrong
  const std::string& failure() const { return findings_.first(); }

  struct Figures {
    uint64_t cuts = 0;
    uint64_t lives = 0;
    uint64_t granted = 0;
    uint64_t refused = 0;
    uint64_t unanswered = 0;
    uint64_t heard = 0;
    uint64_t expired = 0;
    uint64_t idle_turns = 0;
    uint64_t pods = 0;  // at rest
    uint64_t deployments = 0;
    Duration slowest_rest;
    uint64_t trace_hash = 0;
  };
  Figures figures() const;

 private:
  port_sim::Dice& dice() { return world_.dice(); }
  port_sim::SimDisk& disk() { return node_.disk(); }
  bool powered() { return disk().platter().powered(); }

  void open_again();
  void live_once();
  void live_on();
  void work_in_trouble();
  void pass(Duration time);  // or until the power fails
  void trouble();
  void end_trouble();
  void end_life();
  void cut();
  void die();
  void stop();
  void come_to_rest(std::string_view when);
  void resume_rollouts();
  void check_onlookers();
  void clear_away();
  void check_idle();
  void ask_and_wait(http::Request request);

  Findings findings_;
  port_sim::World world_;
  port_sim::Machine& node_ = world_.machine("node");
  port_sim::Machine& desk_ = world_.machine("desk");
  History history_{node_.clock(), findings_};
  House house_{node_, history_};
  Kubelet kubelet_;
  std::vector<std::unique_ptr<Person>> people_;
  std::vector<std::unique_ptr<Onlooker>> onlookers_;
  uint64_t cuts_ = 0;
  uint64_t idle_turns_ = 0;
  uint64_t pods_ = 0;
  uint64_t deployments_ = 0;
  Duration slowest_rest_;
};

}  // namespace coracle::sim
