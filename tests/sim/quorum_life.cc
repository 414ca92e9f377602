// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/sim/quorum_life.h"

#include <algorithm>

#include "api/kind.h"
#include "base/bytes.h"

namespace coracle::sim {
namespace {

constexpr size_t kClients = 6;
constexpr uint64_t kKeys = 5;
constexpr Duration kOperationWait = seconds(15);

std::string text_of(const std::string& name, uint64_t value, size_t filler) {
  return join({R"({"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":")", name,
               R"(","namespace":"n"},"data":{"v":")", std::to_string(value), R"(","f":")",
               std::string(filler, 'x'), R"("}})"});
}

uint64_t value_in(std::string_view text) {
  const size_t at = text.find("\"v\":\"");
  if (at == std::string_view::npos) return 0;
  const std::string_view rest = text.substr(at + 5);
  return parse_unsigned(rest.substr(0, rest.find('"'))).value_or(0);
}

uint64_t mix(uint64_t hash, std::string_view bytes) {
  return hash * 0x100000001b3u + crc32c(bytes);
}

}  // namespace

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
    if (peer == nullptr || !life_.dice().chance(40)) return;
    peer_ = peer->id;
    since_ = life_.world_.now();
    name_ = "k" + std::to_string(life_.dice().below(kKeys));
    key_ = api::storage_key(api::kConfigMap, "n", name_);
    reading_ = life_.dice().chance(45);
    operation_ = {};
    operation_.called = since_.ns;
    if (!reading_) return write(*peer->store);
    if (peer->store->confirm(*this)) on_confirmed({});
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
  for (size_t i = 0; i < kClients; ++i)
    clients_.push_back(std::make_unique<Client>(*this));
}

QuorumLife::~QuorumLife() {
  for (const auto& peer : group_.peers()) {
    if (peer->up()) close(*peer, false);
  }
}

void QuorumLife::note(uint64_t number) {
  figures_.hash = figures_.hash * 0x100000001b3u + number;
}

bool QuorumLife::live() {
  const uint64_t voters = 1 + 2 * dice().below(3);
  const Result<> grown = group_.grow(voters, dice().below(3));
  if (!grown) {
    fail("the cluster does not come up: " + grown.error().message);
    return false;
  }
  for (const auto& peer : group_.peers()) {
    witnesses_[peer->id] = std::make_unique<Witness>(*this, peer->id, peer->store->version());
    peer->store->subscribe(*witnesses_[peer->id]);
  }
  const uint64_t rounds = dice().between(100, 700);
  for (uint64_t round = 0; round < rounds && findings_.none(); ++round) {
    for (auto& client : clients_)
      client->act();
    if (dice().chance(6)) trouble();
    const Mono until = world_.now() + milliseconds(static_cast<int64_t>(dice().below(120)));
    while (world_.now() < until && world_.step() && findings_.none())
      check_step();
    if (round % 16 == 0) check_states();
  }
  if (findings_.none()) check_end();
  figures_.terms = leaders_.size();
  figures_.snapshots = group_.net().snapshots();
  return findings_.none();
}

// --- what goes wrong

QuorumLife::Peer* QuorumLife::any_up() {
  std::vector<Peer*> up;
  for (const auto& peer : group_.peers()) {
    if (peer->up()) up.push_back(peer.get());
  }
  return up.empty() ? nullptr : up[dice().below(up.size())];
}

void QuorumLife::trouble() {
  using Deed = void (QuorumLife::*)();
  constexpr Deed kDeeds[] = {
      &QuorumLife::power_cut,   &QuorumLife::die,       &QuorumLife::revive,
      &QuorumLife::revive,      &QuorumLife::revive,    &QuorumLife::partition,
      &QuorumLife::bad_weather, &QuorumLife::slow_disk, &QuorumLife::heal,
      &QuorumLife::heal,        &QuorumLife::heal,      &QuorumLife::change_members};
  (this->*kDeeds[dice().below(std::size(kDeeds))])();
}

void QuorumLife::close(Peer& peer, bool power) {
  for (auto& client : clients_)
    client->hang_up(peer.id);
  for (auto& change : asked_)
    peer.store->membership().forget(*change);
  witnesses_.erase(peer.id);
  figures_.crashes++;
  if (power) {
    group_.cut_power(peer);
  } else {
    group_.kill(peer);
  }
}

void QuorumLife::open(Peer& peer) {
  const Result<> opened = group_.open(peer);
  if (!opened) return fail("a member does not open: " + opened.error().message);
  auto& witness = witnesses_[peer.id];
  witness = std::make_unique<Witness>(*this, peer.id, peer.store->version());
  peer.store->subscribe(*witness);
}

void QuorumLife::power_cut() {
  if (Peer* peer = any_up()) close(*peer, true);
}
void QuorumLife::die() {
  if (Peer* peer = any_up()) close(*peer, false);
}
void QuorumLife::revive() {
  for (const auto& peer : group_.peers()) {
    if (!peer->up() && dice().chance(70)) open(*peer);
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

void QuorumLife::heal() {
  group_.net().heal();
  for (const auto& peer : group_.peers())
    peer->machine->lane_latency = {};
}

void QuorumLife::change_members() {
  Peer* lead = group_.leader();
  if (lead == nullptr) return;
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
    auto& witness = witnesses_[peer->id];
    witness = std::make_unique<Witness>(*this, peer->id, peer->store->version());
    peer->store->subscribe(*witness);
  }
}

// --- checks

void QuorumLife::told(raft::NodeId by, const api::Change& change) {
  const bool deleted = change.type == api::ChangeType::kDeleted;
  const Told now{change.after->key(), deleted ? "" : std::string(change.after->text())};
  const auto [found, fresh] = told_.emplace(change.version, now);
  if (fresh || (found->second.key == now.key && found->second.text == now.text)) return;
  fail(join({"entry ", std::to_string(change.version), " is another one on member ",
             std::to_string(by)}));
}

void QuorumLife::check_step() {
  for (const auto& peer : group_.peers()) {
    if (!peer->up()) continue;
    const store::Standing standing = peer->store->membership().standing();
    if (standing.leader != peer->id) continue;
    const auto [found, fresh] = leaders_.emplace(standing.term, peer->id);
    if (!fresh && found->second != peer->id)
      return fail("two leaders in term " + std::to_string(standing.term));
  }
}

std::map<std::string, std::pair<uint64_t, std::string>> QuorumLife::state_of(Peer& peer) {
  std::map<std::string, std::pair<uint64_t, std::string>> state;
  auto rows = peer.store->rows(api::storage_prefix(api::kConfigMap), "", 0);
  if (!rows) return state;
  for (store::Rows::Row row;;) {
    const auto more = (*rows)->next(row);
    if (!more || !*more) break;
    state[std::string(row.key)] = {row.version, std::string(row.text)};
  }
  return state;
}

void QuorumLife::check_states() {
  for (const auto& peer : group_.peers()) {
    if (!peer->up()) continue;
    uint64_t hash = 1;
    for (const auto& [key, value] : state_of(*peer))
      hash = mix(mix(mix(hash, key), std::to_string(value.first)), value.second);
    const auto [found, fresh] = hashes_.emplace(peer->store->version(), hash);
    if (!fresh && found->second != hash) {
      return fail(join({"member ", std::to_string(peer->id), " holds another state at ",
                        std::to_string(peer->store->version())}));
    }
  }
}

// Everybody who is a member comes up, and nothing is in their way any more.
bool QuorumLife::check_recovery() {
  heal();
  for (const auto& peer : group_.peers()) {
    if (!peer->up()) open(*peer);
  }
  const int64_t timeout = 2 * group_.timing.tick.ns * group_.timing.election_ticks;
  if (!findings_.none()) return false;
  if (!group_.settle_leader(nanoseconds(2 * timeout))) {
    fail("no leader within two election timeouts");
    return false;
  }
  const auto agreed = [this] {
    check_step();
    Peer* lead = group_.leader();
    if (lead == nullptr) return !findings_.none();
    for (const store::Member& member : lead->store->membership().members()) {
      const Peer* peer = group_.find(member.id);  // null: added, but it never came
      if (peer != nullptr && peer->store->version() != lead->store->version()) return false;
    }
    return true;
  };
  if (!world_.run_until(agreed, seconds(60))) fail("the members do not come to the same state");
  return findings_.none();
}

void QuorumLife::check_end() {
  if (!check_recovery()) return;
  world_.run_for(seconds(16));  // every operation is answered, or will never be
  for (auto& client : clients_)
    client->act();
  if (!check_recovery()) return;
  check_states();
  std::map<std::string, std::pair<uint64_t, std::string>> should;
  for (const auto& [version, change] : told_) {
    if (change.text.empty()) {
      should.erase(change.key);
    } else {
      should[change.key] = {version, change.text};
    }
  }
  // Changes that nobody was told of (a member was down) may be newer; none may be missing.
  for (const auto& [key, value] : state_of(*group_.leader())) {
    const auto found = should.find(key);
    if (found == should.end()) continue;
    if (value.first < found->second.first) fail(key + " went back");
    should.erase(found);
  }
  for (const auto& [key, value] : should) {
    if (histories_[key].empty()) continue;
    const bool unknown =
        std::any_of(histories_[key].begin(), histories_[key].end(),
                    [](const Operation& operation) { return operation.answered == kNever; });
    if (!unknown) fail(key + " is lost");
  }
  check_histories();
}

void QuorumLife::check_histories() {
  const auto final = state_of(*group_.leader());
  for (auto& [key, operations] : histories_) {
    const auto found = final.find(key);
    Operation last;
    last.expected = found == final.end() ? 0 : value_in(found->second.second);
    last.called = world_.now().ns;
    last.answered = last.called + 1;
    operations.push_back(last);
    bool tired = false;
    if (!linearizable(operations, tired)) fail("the history of " + key + " is not linearizable");
  }
}

}  // namespace coracle::sim
