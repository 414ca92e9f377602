// SPDX-License-Identifier: GPL-2.0-or-later
// What must hold of replicated stores, always and in the end.
#include <algorithm>

#include "api/kind.h"
#include "base/bytes.h"
#include "tests/sim/quorum_life.h"
#include "tests/sim/quorum_plot.h"
#include "tests/sim/quorum_watch.h"

namespace coracle::sim {
namespace {

uint64_t mix(uint64_t hash, std::string_view bytes) {
  return hash * 0x100000001b3u + crc32c(bytes);
}

}  // namespace

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
  plot_.reset();
  heal();
  for (const auto& peer : group_.peers()) {
    if (!peer->up() && peer->id != broken_) open(*peer);
  }
  // The longest one that a member may draw, on the slowest clock.
  const int64_t slowest = 1000 + static_cast<int64_t>(group_.clock_skew) * 1000 / 800;
  const int64_t timeout = 2 * group_.timing.tick.ns * group_.timing.election_ticks / 1000 * slowest;
  if (!findings_.none()) return false;
  if (!group_.settle_leader(nanoseconds(2 * timeout))) {
    fail("no leader within two election timeouts");
    return false;
  }
  mend();
  if (broken_ != raft::kNobody) fail("a damaged member is not replaced");
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
  act_all();
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
  for (auto& onlooker : onlookers_)
    onlooker->compare(*group_.leader());
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
