// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/sim/quorum_life.h"

#include <algorithm>

#include "api/kind.h"
#include "base/bytes.h"
#include "tests/sim/quorum_plot.h"
#include "tests/sim/quorum_watch.h"

namespace coracle::sim {
namespace {

constexpr size_t kClients = 6;
constexpr size_t kOnlookers = 3;
constexpr uint64_t kKeys = 5;
constexpr Duration kOperationWait = seconds(15);

std::string text_of(const std::string& name, uint64_t value, size_t filler) {
  return join({R"({"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":")", name,
               R"(","namespace":"n"},"data":{"v":")", std::to_string(value), R"(","f":")",
               std::string(filler, 'x'), R"("}})"});
}

}  // namespace

uint64_t value_in(std::string_view text) {
  const size_t at = text.find("\"v\":\"");
  if (at == std::string_view::npos) return 0;
  const std::string_view rest = text.substr(at + 5);
  return parse_unsigned(rest.substr(0, rest.find('"'))).value_or(0);
}

class QuorumLife::Witness final : public api::Feed {
 public:
  Witness(QuorumLife& life, raft::NodeId id, uint64_t from) : life_(life), id_(id), last_(from) {}
  void on_change(const api::Change& change) override {
    // What a snapshot changed comes with the snapshot's version, which the ring does not hold.
    const store::Store* store = life_.group_.find(id_)->store.get();
    if (store == nullptr || !store->position_after(change.version - 1)) return;
    if (change.version <= last_) life_.fail("versions do not rise");
    last_ = change.version;
    life_.told(id_, change);
  }

 private:
  QuorumLife& life_;
  raft::NodeId id_;
  uint64_t last_;
};

// One operation at a time, through whichever member is up.
class QuorumLife::Client final : store::Waiter, store::ReadWaiter {
 public:
  explicit Client(QuorumLife& life) : life_(life) {}

  void act() {
    if (peer_ != raft::kNobody) {
      if (life_.world_.now() - since_ > kOperationWait) give_up();
      return;
    }
    Peer* peer = life_.any_up();
    if (peer != nullptr && life_.dice().chance(40)) begin(*peer, life_.dice().chance(45));
  }
  bool idle() const { return peer_ == raft::kNobody; }
  void begin(Peer& peer, bool reads) {
    peer_ = peer.id;
    since_ = life_.world_.now();
    name_ = "k" + std::to_string(life_.dice().below(kKeys));
    key_ = api::storage_key(api::kConfigMap, "n", name_);
    reading_ = reads;
    operation_ = {};
    operation_.called = since_.ns;
    if (!reading_) return write(*peer.store);
    if (peer.store->confirm(*this)) on_confirmed({});
  }
  // The member it talks to is about to go: it will never hear.
  void hang_up(raft::NodeId id) {
    if (peer_ == id) give_up();
  }

 private:
  void write(store::Store& store) {
    const auto known = life_.known_.find(key_);
    uint64_t version = 0;
    if (known != life_.known_.end() && !life_.dice().chance(5)) {
      version = known->second.first;
      operation_.expected = known->second.second;
    }
    const bool deletes = version != 0 && life_.dice().chance(20);
    operation_.kind = Operation::Kind::kSwap;
    operation_.value = deletes ? 0 : life_.next_value_++;
    const size_t filler = life_.dice().chance(10) ? 1500 : life_.dice().below(150);
    std::string text = deletes ? "" : text_of(name_, operation_.value, filler);
    store.propose({deletes ? store::Operation::kDelete : store::Operation::kPut, &api::kConfigMap,
                   "n", name_, std::move(text), version},
                  *this);
  }
  void give_up() {
    store::Store& store = life_.group_.store(peer_);
    store.forget(static_cast<store::Waiter&>(*this));
    store.forget(static_cast<store::ReadWaiter&>(*this));
    peer_ = raft::kNobody;
    if (reading_) return;
    operation_.answered = kNever;
    life_.figures_.unknown++;
    life_.histories_[key_].push_back(operation_);
  }
  void finish() {
    peer_ = raft::kNobody;
    operation_.answered = life_.world_.now().ns;
    life_.histories_[key_].push_back(operation_);
  }
  void on_outcome(Result<api::Change> outcome) override {
    if (outcome) {
      life_.told(peer_, *outcome);
      life_.known_[key_] = {operation_.value == 0 ? 0 : outcome->version, operation_.value};
      life_.figures_.acknowledged++;
      life_.note(outcome->version);
      return finish();
    }
    const Code code = outcome.error().code;
    if (code == Code::kConflict || code == Code::kAlreadyExists) {
      operation_.kind = Operation::Kind::kRefused;
      return finish();
    }
    if (code == Code::kUnavailable || code == Code::kTooManyRequests) {
      peer_ = raft::kNobody;  // it did not happen
      return;
    }
    if (code != Code::kTimeout) life_.fail("a write was refused: " + outcome.error().message);
    give_up();
  }
  void on_confirmed(Result<> outcome) override {
    if (!outcome) {
      peer_ = raft::kNobody;
      return;
    }
    const api::ObjectRef object = life_.group_.store(peer_).get(api::kConfigMap, "n", name_);
    operation_.kind = Operation::Kind::kRead;
    operation_.expected = object ? value_in(object->text()) : 0;
    life_.known_[key_] = {object ? object->version() : 0, operation_.expected};
    life_.figures_.reads++;
    finish();
  }

  QuorumLife& life_;
  raft::NodeId peer_ = raft::kNobody;  // asked, and not answered yet
  Mono since_;
  std::string name_;
  std::string key_;
  bool reading_ = false;
  Operation operation_;
};

QuorumLife::QuorumLife(uint64_t seed) : world_(seed), group_(world_, seed) {
  group_.segment_bytes = size_t{4096} << dice().below(4);
  group_.segments = dice().between(3, 5);
  group_.message_bytes = dice().chance(40) ? 1 : 0;  // one entry, or as many as there are
  group_.clock_skew = dice().chance(40) ? 150 : 0;
  for (size_t i = 0; i < kClients; ++i)
    clients_.push_back(std::make_unique<Client>(*this));
  for (size_t i = 0; i < kOnlookers; ++i)
    onlookers_.push_back(std::make_unique<Onlooker>(*this));
}

QuorumLife::~QuorumLife() {
  for (const auto& peer : group_.peers()) {
    if (peer->up()) close(*peer, false);
  }
}

void QuorumLife::witness(Peer& peer) {
  auto& sees = witnesses_[peer.id];
  sees = std::make_unique<Witness>(*this, peer.id, peer.store->version());
  peer.store->subscribe(*sees);
}

void QuorumLife::act_all() {
  for (auto& client : clients_)
    client->act();
  for (auto& onlooker : onlookers_)
    onlooker->act();
}

void QuorumLife::drop_clients(raft::NodeId of) {
  for (auto& client : clients_)
    client->hang_up(of);
  for (auto& onlooker : onlookers_)
    onlooker->hang_up(of);
  witnesses_.erase(of);
}

// A write through just this member, if anybody has time for it.
void QuorumLife::act_through(Peer& peer) {
  for (auto& client : clients_) {
    if (client->idle()) return client->begin(peer, false);
  }
}

void QuorumLife::note(uint64_t number) {
  figures_.hash = figures_.hash * 0x100000001b3u + number;
}

void QuorumLife::after_step() {
  check_step();
  if (plot_ && !plot_->step()) plot_.reset();
}

bool QuorumLife::live() {
  uint64_t voters = 1 + 2 * dice().below(3);
  if (dice().chance(30)) {
    voters = 3;
    plot_share_ = 80;
  }
  const Result<> grown = group_.grow(voters, dice().below(3));
  if (!grown) {
    fail("the cluster does not come up: " + grown.error().message);
    return false;
  }
  for (const auto& peer : group_.peers())
    witness(*peer);
  const uint64_t rounds = dice().between(100, 700);
  for (uint64_t round = 0; round < rounds && findings_.none(); ++round) {
    act_all();
    if (dice().chance(6)) trouble();
    if (!plot_) mend();
    const Mono until = world_.now() + milliseconds(static_cast<int64_t>(dice().below(120)));
    while (world_.now() < until && world_.step() && findings_.none())
      after_step();
    if (round % 16 == 0) check_states();
  }
  if (findings_.none()) check_end();
  figures_.terms = leaders_.size();
  figures_.snapshots = group_.net().snapshots();
  return findings_.none();
}

}  // namespace coracle::sim
