// SPDX-License-Identifier: GPL-2.0-or-later
// What goes wrong around replicated stores.
#include "tests/sim/quorum_life.h"
#include "tests/sim/quorum_plot.h"

namespace coracle::sim {

QuorumLife::Peer* QuorumLife::any_up() {
  std::vector<Peer*> up;
  for (const auto& peer : group_.peers()) {
    if (peer->up()) up.push_back(peer.get());
  }
  return up.empty() ? nullptr : up[dice().below(up.size())];
}

void QuorumLife::trouble() {
  if (plot_) return;
  if (dice().chance(plot_share_)) return begin_plot();
  using Deed = void (QuorumLife::*)();
  constexpr Deed kDeeds[] = {
      &QuorumLife::power_cut,   &QuorumLife::die,        &QuorumLife::revive,
      &QuorumLife::revive,      &QuorumLife::revive,     &QuorumLife::partition,
      &QuorumLife::bad_weather, &QuorumLife::slow_disk,  &QuorumLife::heal,
      &QuorumLife::heal,        &QuorumLife::heal,       &QuorumLife::change_members,
      &QuorumLife::fill_disk,   &QuorumLife::begin_plot, &QuorumLife::rot};
  (this->*kDeeds[dice().below(std::size(kDeeds))])();
}

void QuorumLife::close(Peer& peer, bool power) {
  drop_clients(peer.id);
  for (auto& change : asked_)
    peer.store->membership().forget(*change);
  figures_.crashes++;
  if (power) {
    group_.cut_power(peer);
  } else {
    group_.kill(peer);
  }
}

void QuorumLife::open(Peer& peer) {
  const Result<> opened = group_.open(peer);
  if (!opened && is_damage(peer, opened.error())) return;
  // A newcomer needs room for its log; others must start on a full disk, too.
  const bool full = peer.machine->disk().faults().capacity != UINT64_MAX;
  if (!opened && full && !peer.was_up) return;
  if (!opened) return fail("a member does not open: " + opened.error().message);
  witness(peer);
}

void QuorumLife::power_cut() {
  if (Peer* peer = any_up()) close(*peer, true);
}
void QuorumLife::die() {
  if (Peer* peer = any_up()) close(*peer, false);
}
void QuorumLife::revive() {
  for (const auto& peer : group_.peers()) {
    if (!peer->up() && peer->id != broken_ && dice().chance(70)) open(*peer);
  }
}

void QuorumLife::partition() {
  const size_t count = group_.peers().size();
  const raft::NodeId one = group_.peers()[dice().below(count)]->id;
  switch (dice().below(4)) {
    case 0:
      return group_.net().cut_off(one);
    case 1:  // it speaks and does not hear, or the other way round
      for (raft::NodeId id = 1; id <= count; ++id)
        dice().chance(50) ? group_.net().cut(one, id) : group_.net().cut(id, one);
      return;
    case 2:  // each sees its neighbours only
      for (raft::NodeId a = 1; a <= count; ++a) {
        for (raft::NodeId b = 1; b <= count; ++b) {
          const raft::NodeId apart = (a + count - b) % count;
          if (apart > 1 && apart < count - 1) group_.net().cut(a, b);
        }
      }
      return;
    default:  // halves
      for (raft::NodeId a = 1; a <= count; ++a) {
        for (raft::NodeId b = a + 1; b <= count; ++b) {
          if ((a + one) % 2 != (b + one) % 2) group_.net().cut_both(a, b);
        }
      }
  }
}

void QuorumLife::bad_weather() {
  PeerNet::Weather& weather = group_.net().weather;
  weather.lost = static_cast<uint32_t>(dice().below(30));
  weather.repeated = static_cast<uint32_t>(dice().below(20));
  weather.delay_most_us = dice().between(1'000, 400'000);
}

void QuorumLife::slow_disk() {
  if (Peer* peer = any_up())
    peer->machine->lane_latency.most = milliseconds(static_cast<int64_t>(dice().below(2000)) + 1);
}

// Sometimes there is still a little room, sometimes none.
void QuorumLife::fill_disk() {
  if (Peer* peer = any_up()) {
    port_sim::SimDisk& disk = peer->machine->disk();
    disk.faults().capacity = disk.platter().bytes_used() + dice().below(3) * 20'000;
  }
}

void QuorumLife::begin_plot() {
  plot_ = Plot::begin(*this);
}

void QuorumLife::heal() {
  group_.net().heal();
  for (const auto& peer : group_.peers()) {
    peer->machine->lane_latency = {};
    peer->machine->disk().faults().capacity = UINT64_MAX;
  }
}

void QuorumLife::change_members() {
  Peer* lead = group_.leader();
  if (lead == nullptr || broken_ != raft::kNobody) return;
  store::Membership& desk = lead->store->membership();
  const std::vector<store::Member>& members = desk.members();
  const raft::NodeId id = members[dice().below(members.size())].id;
  asked_.push_back(std::make_unique<StoreGroup::Change>());
  switch (dice().below(4)) {
    case 0:
      if (members.size() > 3) desk.remove(id, *asked_.back());
      break;
    case 1:
      desk.promote(id, *asked_.back());
      break;
    case 2:
      desk.transfer(id, *asked_.back());
      break;
    default:
      if (members.size() < 7) static_cast<void>(group_.add(dice().chance(60)));
  }
  figures_.changes++;
  for (const auto& peer : group_.peers()) {
    if (!peer->up() || witnesses_.contains(peer->id)) continue;
    witness(*peer);
  }
}

}  // namespace coracle::sim
