// SPDX-License-Identifier: GPL-2.0-or-later
// The life of a replicated store: one to five voters and some learners, clients that write and read
// through any of them, and everything that can go wrong around them. Judged after each step, and at
// the end by an independent checker.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "api/client.h"
#include "tests/sim/findings.h"
#include "tests/sim/linear.h"
#include "tests/sim/store_group.h"

namespace coracle::sim {

uint64_t value_in(std::string_view text);  // that a client wrote

class QuorumLife {
 public:
  explicit QuorumLife(uint64_t seed);
  ~QuorumLife();

  bool live();  // false: failure() tells what was wrong
  const std::string& failure() const { return findings_.first(); }

  struct Figures {
    uint64_t acknowledged = 0;
    uint64_t reads = 0;
    uint64_t unknown = 0;
    uint64_t terms = 0;
    uint64_t snapshots = 0;
    uint64_t changes = 0;  // of the membership
    uint64_t crashes = 0;
    uint64_t rotten = 0;
    uint64_t mended = 0;  // members that came back as new ones
    uint64_t hash = 0;
  };
  Figures figures() const { return figures_; }

 private:
  class Client;
  class Witness;
  class Onlooker;
  class Plot;
  class Figure8;
  class Lightning;
  class Deposed;
  using Peer = StoreGroup::Peer;
  struct Told {  // what an entry of the log did
    std::string key;
    std::string text;  // "" deleted
  };

  port_sim::Dice& dice() { return world_.dice(); }
  void fail(std::string what) { findings_.add(std::move(what)); }
  void note(uint64_t number);

  // --- what goes wrong
  void trouble();
  void power_cut();
  void die();
  void revive();
  void partition();
  void bad_weather();
  void slow_disk();
  void fill_disk();
  void begin_plot();
  void rot();
  bool is_damage(Peer& peer, const Error& error);
  void mend();
  void heal();
  void change_members();
  void open(Peer& peer);
  void close(Peer& peer, bool power);
  Peer* any_up();
  void witness(Peer& peer);
  void act_all();
  void drop_clients(raft::NodeId of);
  void act_through(Peer& peer);

  // --- checks
  void after_step();
  void check_step();
  void check_states();
  void check_end();
  bool check_recovery();
  void check_histories();
  void told(raft::NodeId by, const api::Change& change);
  std::map<std::string, std::pair<uint64_t, std::string>> state_of(Peer& peer);

  Findings findings_;
  Figures figures_;
  port_sim::World world_;
  StoreGroup group_;
  std::vector<std::unique_ptr<Client>> clients_;
  std::vector<std::unique_ptr<Onlooker>> onlookers_;
  std::map<raft::NodeId, std::unique_ptr<Witness>> witnesses_;
  std::map<uint64_t, raft::NodeId> leaders_;  // by term
  std::map<uint64_t, Told> told_;             // by version
  std::map<uint64_t, uint64_t> hashes_;       // of the state, by version
  std::map<std::string, std::vector<Operation>> histories_;
  std::map<std::string, std::pair<uint64_t, uint64_t>> known_;  // key: version, value id
  std::vector<std::unique_ptr<StoreGroup::Change>> asked_;
  std::unique_ptr<Plot> plot_;           // while one runs, chance does nothing
  raft::NodeId broken_ = raft::kNobody;  // its store cannot be opened
  uint32_t plot_share_ = 0;              // percent of all trouble that is a plot
  uint64_t next_value_ = 1;
  bool calm_ = false;
};

}  // namespace coracle::sim
