// SPDX-License-Identifier: GPL-2.0-or-later
// A cluster under a random schedule that its seed determines: messages are lost, doubled and
// reordered, storage lanes lag, members crash and lose what was not durable, logs are compacted,
// the membership changes. After every step it checks what must hold always; judged from outside,
// without the core's help.
#pragma once

#include <memory>
#include <set>

#include "raft/core.h"
#include "tests/unit/raft/memory_storage.h"

namespace coracle::raft {

struct Weather {
  uint32_t lost_percent = 10;
  uint32_t doubled_percent = 5;
  uint32_t crash_permille = 3;
  uint32_t cut_permille = 2;  // a new random set of broken one-way links
};

class Cluster {
 public:
  Cluster(uint64_t seed, size_t voters, bool pre_vote);

  void step(const Weather& weather);
  void heal();                            // no more trouble; runs until all agree, or complains
  void change(const ConfChange& change);  // at the leader, if there is one
  const std::string& complaint() const { return complaint_; }  // empty: nothing is wrong
  size_t applied() const { return truth_.size(); }
  size_t reads_answered() const { return reads_answered_; }
  size_t elections() const { return leaders_.size(); }

 private:
  struct Member {
    Options options;
    MemoryStorage storage;
    std::unique_ptr<Core> core;
    std::vector<Message> append_work;
    std::vector<Message> apply_work;
    Snapshot state;  // durable with every applied entry; data: one hash over all that was applied
  };
  struct Truth {  // what was applied at an index by whoever came first
    Term term;
    std::string state;
  };

  uint64_t draw(uint64_t below);
  bool chance(uint32_t percent) { return draw(100) < percent; }
  void open(Member& member);
  void crash(Member& member);
  void compact(Member& member);
  void propose(Member& member);
  void read(Member& member);
  void collect(Member& member);
  void deliver(size_t at, const Weather& weather);
  void append_lane(Member& member);
  void apply_lane(Member& member);
  void apply(Member& member, const Entry& entry);
  void finish(std::vector<Message> responses, Member& member);
  void take(Member& member, Input input);
  void check(const Member& member);
  void complain(const std::string& what);
  void report_snapshots(Member& member);
  const Member* leader() const;
  void cut();
  bool agreed() const;
  std::string text() const;
  Index highest_commit() const;

  uint64_t random_;
  std::vector<std::unique_ptr<Member>> members_;
  std::vector<Message> messages_;
  std::set<std::pair<NodeId, NodeId>> broken_;
  std::map<Term, NodeId> leaders_;
  std::map<Index, Truth> truth_;
  std::map<uint64_t, Index> reads_;  // request -> what it must see
  uint64_t requests_ = 0;
  size_t reads_answered_ = 0;
  std::string complaint_;
};

}  // namespace coracle::raft
