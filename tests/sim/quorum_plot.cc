// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/sim/quorum_plot.h"

namespace coracle::sim {

namespace {

constexpr Duration kPatience = seconds(6);  // of one phase

}  // namespace

bool QuorumLife::Plot::step() {
  const Mono now = life_.world_.now();
  if (now < not_before_) return true;
  if (now - since_ < kPatience && act()) return true;
  life_.heal();
  return false;
}

QuorumLife::Peer* QuorumLife::Plot::leader_after(raft::Term term) {
  for (const auto& peer : life_.group_.peers()) {
    if (!peer->up()) continue;
    const store::Standing standing = peer->store->membership().standing();
    if (standing.leader == peer->id && standing.term > term) return peer.get();
  }
  return nullptr;
}

void QuorumLife::Plot::bring_back(raft::NodeId id) {
  life_.group_.net().bring_back(id);
  Peer* peer = find(id);
  if (peer != nullptr && !peer->up() && id != life_.broken_) life_.open(*peer);
}

void QuorumLife::Plot::strike(raft::NodeId id, bool power) {
  if (Peer* peer = find(id); peer != nullptr && peer->up()) life_.close(*peer, power);
}

// Figure 8 of the Raft paper with three voters. The first leader holds an entry that nobody else
// has, the second one starts its term alone and is stopped; the first leads again, brings its old
// entry to the third member, and is stopped before it brings more. Then the second may win.
class QuorumLife::Figure8 final : public Plot {
 public:
  using Plot::Plot;

 private:
  enum class Phase : uint8_t { kBegin, kWrite, kSecond, kAlone, kAgain, kOld, kStop, kBack, kEnd };
  bool act() override {
    switch (phase_) {
      case Phase::kBegin:
        return begin();
      case Phase::kWrite:
        if (!up(first_)) return false;
        life_.act_through(*find(first_));
        return go_on(phase_, Phase::kSecond, 0);
      case Phase::kSecond:
        return wait_for_second();
      case Phase::kAlone:
        strike(second_, dice().chance(50));
        bring_back(first_);
        return go_on(phase_, Phase::kAgain, 0);
      case Phase::kAgain:
        if (Peer* leader = leader_after(term_)) {
          if (leader->id != first_) return false;
          return go_on(phase_, Phase::kOld, 12);
        }
        return true;
      default:
        return end();
    }
  }
  bool begin() {
    Peer* leader = life_.group_.leader();
    if (leader == nullptr) return false;
    life_.heal();
    first_ = leader->id;
    term_ = leader->store->membership().standing().term;
    cut_off(first_);
    return go_on(phase_, Phase::kWrite, 2);
  }
  bool wait_for_second() {
    Peer* leader = leader_after(term_);
    if (leader == nullptr) return up(first_);
    second_ = leader->id;
    term_ = leader->store->membership().standing().term;
    cut_off(second_);
    return go_on(phase_, Phase::kAlone, 30);
  }
  bool end() {
    if (phase_ == Phase::kOld) {
      cut_off(first_);
      return go_on(phase_, Phase::kStop, 20);
    }
    if (phase_ == Phase::kStop) {
      if (dice().chance(70)) strike(first_, dice().chance(50));
      bring_back(second_);
      return go_on(phase_, Phase::kBack, 4000);
    }
    if (phase_ == Phase::kBack) {
      bring_back(first_);
      return go_on(phase_, Phase::kEnd, 1500);
    }
    for (const auto& peer : life_.group_.peers()) {
      const bool again = peer->up() && dice().chance(60);
      if (again) strike(peer->id, true);
      if (again) bring_back(peer->id);
    }
    return false;
  }

  Phase phase_ = Phase::kBegin;
  raft::NodeId first_ = raft::kNobody;
  raft::NodeId second_ = raft::kNobody;
  raft::Term term_ = 0;
};

// The leader is gone, messages take long, and whoever enters a new term may lose power right then
// and be back at once: with what it promised, or without.
class QuorumLife::Lightning final : public Plot {
 public:
  explicit Lightning(QuorumLife& life) : Plot(life), end_(life.world_.now() + seconds(5)) {
    life.heal();
    life.group_.net().weather.delay_most_us = life.dice().between(2'000, 300'000);
    if (Peer* leader = life.group_.leader()) {
      if (life.dice().chance(50)) life.act_through(*leader);
      cut_off(leader->id);
    }
    for (const auto& peer : life.group_.peers())
      terms_[peer->id] = term_of(*peer);
  }

 private:
  static raft::Term term_of(Peer& peer) {
    return peer.up() ? peer.store->membership().standing().term : 0;
  }
  bool act() override {
    if (life_.world_.now() > end_) return false;
    for (const auto& peer : life_.group_.peers()) {
      const raft::Term now = term_of(*peer);
      if (!peer->up() || now <= terms_[peer->id]) continue;
      terms_[peer->id] = now;
      if (dice().chance(60)) struck_[peer->id] = life_.world_.now() + after();
    }
    for (auto& [id, at] : struck_) {
      if (at.ns == 0 || life_.world_.now() < at) continue;
      at = {};
      strike(id, true);
      bring_back(id);
    }
    return true;
  }
  Duration after() { return nanoseconds(static_cast<int64_t>(dice().below(8'000'000))); }

  Mono end_;
  std::map<raft::NodeId, raft::Term> terms_;
  std::map<raft::NodeId, Mono> struck_;
};

// A leader that nobody hears goes on being asked, while another one is being elected or leads.
class QuorumLife::Deposed final : public Plot {
 public:
  using Plot::Plot;

 private:
  bool act() override {
    if (first_ == raft::kNobody) {
      Peer* leader = life_.group_.leader();
      if (leader == nullptr) return false;
      life_.heal();
      first_ = leader->id;
      term_ = leader->store->membership().standing().term;
      cut_off(first_);
      end_ = life_.world_.now() + seconds(4);
    }
    if (!up(first_) || life_.world_.now() > end_) return false;
    Peer* other = leader_after(term_);
    if (other == nullptr || other->id == first_) return true;
    if (life_.world_.now() < next_) return true;
    next_ = life_.world_.now() + milliseconds(15);
    life_.act_through(dice().chance(50) ? *find(first_) : *other);
    return true;
  }

  raft::NodeId first_ = raft::kNobody;
  raft::Term term_ = 0;
  Mono end_;
  Mono next_;
};

std::unique_ptr<QuorumLife::Plot> QuorumLife::Plot::begin(QuorumLife& life) {
  switch (life.dice().below(3)) {
    case 0:
      return std::make_unique<Figure8>(life);
    case 1:
      return std::make_unique<Lightning>(life);
    default:
      return std::make_unique<Deposed>(life);
  }
}

}  // namespace coracle::sim
