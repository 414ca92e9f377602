// SPDX-License-Identifier: GPL-2.0-or-later
// The stores of a cluster, each on its own machine of one world.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "port/sim/world.h"
#include "store/damage.h"
#include "store/store.h"
#include "tests/sim/peer_net.h"

namespace coracle::sim {

class StoreGroup {
 public:
  struct Peer {
    raft::NodeId id = raft::kNobody;
    port_sim::Machine* machine = nullptr;
    std::unique_ptr<PeerTransport> transport;
    std::unique_ptr<port::Lane> log_lane;
    std::unique_ptr<port::Lane> state_lane;
    store::StoreOptions options;
    std::unique_ptr<store::Store> store;  // null: it is down
    bool was_up = false;
    bool up() const { return store != nullptr; }
  };
  struct Change : store::MembershipWaiter {
    void on_membership(Result<> result) override {
      done = true;
      outcome = std::move(result);
    }
    bool done = false;
    Result<> outcome;
  };

  StoreGroup(port_sim::World& world, uint64_t seed)
      : world_(world),
        net_(world.machine("wire").clock(), seed) {}
  ~StoreGroup() {
    for (auto& peer : peers_)
      kill(*peer);
  }

  store::Timing timing;
  size_t segment_bytes = 64 * 1024;
  size_t segments = 4;
  size_t message_bytes = 0;
  uint64_t clock_skew = 0;  // permille that clocks run fast or slow, at most

  PeerNet& net() { return net_; }
  const std::vector<std::unique_ptr<Peer>>& peers() const { return peers_; }
  Peer* find(raft::NodeId id) {
    for (auto& peer : peers_) {
      if (peer->id == id) return peer.get();
    }
    return nullptr;
  }
  Peer& peer(raft::NodeId id) {
    Peer* found = find(id);
    ASSERT(found != nullptr);
    return *found;
  }
  store::Store& store(raft::NodeId id) { return *peer(id).store; }

  Result<> found() {
    Peer& first = make(1);
    first.options.self.name = "m1";
    return open(first);
  }
  // A machine for the member that put_member() has announced.
  Result<> join(const std::vector<store::Member>& members, raft::NodeId id, uint64_t cluster) {
    Peer& fresh = make(id);
    fresh.options.joining = store::Joining{cluster, id, members};
    return open(fresh);
  }
  Result<> open(Peer& peer) {
    peer.options.entropy = world_.dice().roll();
    peer.options.timing = timing;
    peer.transport = std::make_unique<PeerTransport>(net_, peer.id);
    peer.options.transport = peer.transport.get();
    peer.log_lane = peer.machine->lane();
    peer.state_lane = peer.machine->lane();
    auto opened = store::open_store(peer.options, peer.machine->clock(), peer.machine->disk(),
                                    *peer.log_lane, *peer.state_lane);
    if (!opened) return std::move(opened).error();
    peer.store = std::move(*opened);
    peer.was_up = true;
    return {};
  }
  // The process dies.
  void kill(Peer& peer) {
    peer.store.reset();
    peer.transport.reset();
    peer.log_lane.reset();
    peer.state_lane.reset();
  }
  // The machine dies: what was not synced is lost, or not.
  void cut_power(Peer& peer) {
    peer.machine->disk().power_off();
    kill(peer);
    peer.machine->disk().power_on();
  }

  Peer* leader() {
    Peer* found = nullptr;
    uint64_t term = 0;
    for (auto& peer : peers_) {
      if (!peer->up()) continue;
      const store::Standing standing = peer->store->membership().standing();
      if (standing.leading && standing.term >= term) {
        found = peer.get();
        term = standing.term;
      }
    }
    return found;
  }
  bool settle_leader(Duration limit = seconds(20)) {
    return world_.run_until([this] { return leader() != nullptr; }, limit);
  }
  // Everybody who is up has applied the same.
  bool settle_all(Duration limit = seconds(30)) {
    return world_.run_until(
        [this] {
          Peer* lead = leader();
          if (lead == nullptr) return false;
          for (auto& peer : peers_) {
            if (peer->up() && peer->store->version() != lead->store->version()) return false;
          }
          return true;
        },
        limit);
  }
  // Adds a member and starts it; a voter is promoted by itself.
  Result<raft::NodeId> add(bool voter) {
    if (!settle_leader()) return fail(Code::kUnavailable, "no leader");
    store::Membership& desk = leader()->store->membership();
    store::Member member;
    member.name = "m" + std::to_string(++named_);
    member.wants_vote = voter;
    Change change;
    desk.put_member(member, change);
    world_.run_until([&] { return change.done; }, seconds(20));
    if (!change.done) return fail(Code::kTimeout, "no answer");
    TRY(std::move(change.outcome));
    for (const store::Member& one : desk.members()) {
      if (one.name != member.name) continue;
      TRY(join(desk.members(), one.id, desk.cluster()));
      return one.id;
    }
    return fail(Code::kInternal, "the new member is unknown");
  }
  // Its store is damaged: the others remove it, and its machine comes back as a new member.
  Result<> replace(Peer& broken) {
    if (!settle_leader()) return fail(Code::kUnavailable, "no leader");
    port_sim::Machine& machine = *broken.machine;
    const std::string directory = broken.options.directory;
    const raft::NodeId old = broken.id;
    for (const store::Member& member : leader()->store->membership().members()) {
      if (member.id != old) continue;
      Change change;
      store::Membership& desk = leader()->store->membership();
      desk.remove(old, change);
      world_.run_until([&] { return change.done; }, seconds(20));
      if (!change.done) desk.forget(change);
      TRY(std::move(change.outcome));
      if (!change.done) return fail(Code::kTimeout, "no answer");
      break;
    }
    TRY(store::set_aside(directory, machine.disk()));
    std::erase_if(peers_, [&](const auto& peer) { return peer->id == old; });
    reused_ = &machine;
    return come_back();
  }
  // Also again, where replace() got only half the way.
  Result<> come_back() {
    TRY(add(true));
    return {};
  }
  // Somebody is on the way to a vote.
  bool unpromoted() {
    for (const store::Member& member : leader()->store->membership().members()) {
      if (member.wants_vote && member.role == store::MemberRole::kLearner) return true;
    }
    return false;
  }
  Result<> grow(size_t voters, size_t learners = 0) {
    TRY(found());
    for (size_t i = 1; i < voters + learners; ++i) {
      const raft::NodeId id = TRY(add(i < voters));
      if (i >= voters) continue;
      const bool promoted = world_.run_until([&] { return votes(id); }, seconds(20));
      if (!promoted) return fail(Code::kTimeout, "the newcomer is not promoted");
    }
    return {};
  }
  bool votes(raft::NodeId id) {
    for (auto& peer : peers_) {
      if (!peer->up()) continue;
      for (const store::Member& member : peer->store->membership().members()) {
        if (member.id == id && member.role != store::MemberRole::kVoter) return false;
      }
    }
    return true;
  }

 private:
  Peer& make(raft::NodeId id) {
    ASSERT(find(id) == nullptr);
    auto peer = std::make_unique<Peer>();
    peer->id = id;
    peer->machine = reused_ != nullptr ? std::exchange(reused_, nullptr)
                                       : &world_.machine("m" + std::to_string(id));
    if (clock_skew > 0)
      peer->machine->clock().set_rate(1000 - clock_skew + world_.dice().below(2 * clock_skew));
    peer->options.directory = "/var/lib/coracle/store";
    peer->options.segment_bytes = segment_bytes;
    peer->options.segments = segments;
    peer->options.message_bytes = message_bytes;
    peers_.push_back(std::move(peer));
    return *peers_.back();
  }

  port_sim::World& world_;
  PeerNet net_;
  std::vector<std::unique_ptr<Peer>> peers_;
  port_sim::Machine* reused_ = nullptr;
  uint64_t named_ = 1;
};

}  // namespace coracle::sim
