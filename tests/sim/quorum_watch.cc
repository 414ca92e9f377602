// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/sim/quorum_watch.h"

#include "api/kind.h"
#include "base/bytes.h"

namespace coracle::sim {

void QuorumLife::Onlooker::act() {
  if (life_.dice().chance(5)) peer_ = raft::kNobody;
  Peer* peer = peer_ == raft::kNobody ? life_.any_up() : life_.group_.find(peer_);
  if (peer == nullptr || !peer->up()) return;
  if (peer_ == raft::kNobody && !attach(*peer)) return;
  pull(*peer);
}

// False: this member is behind what was seen elsewhere.
bool QuorumLife::Onlooker::attach(Peer& peer) {
  if (version_ == 0) list(peer);
  Result<store::Position> at = peer.store->position_after(version_);
  if (!at && at.error().code == Code::kExpired) {
    if (peer.store->version() < version_) return false;
    list(peer);
    at = peer.store->position_after(version_);
  }
  if (!at) {
    if (at.error().code != Code::kTimeout)
      life_.fail("a watch cannot begin: " + at.error().message);
    return false;
  }
  peer_ = peer.id;
  position_ = *at;
  return true;
}

void QuorumLife::Onlooker::list(Peer& peer) {
  State listed = life_.state_of(peer);
  const uint64_t now = peer.store->version();
  if (now < version_) life_.fail("a list went back");
  state_ = std::move(listed);
  version_ = now;
}

void QuorumLife::Onlooker::pull(Peer& peer) {
  api::Change change;
  for (;;) {
    switch (peer.store->read(position_, change)) {
      case store::RingRead::kChange:
        take(change);
        break;
      case store::RingRead::kLost:  // what its watch hears as 410
        peer_ = raft::kNobody;
        return list(peer);
      case store::RingRead::kEnd:
        version_ = std::max(version_, peer.store->version());
        return;
    }
  }
}

void QuorumLife::Onlooker::take(const api::Change& change) {
  if (change.version <= version_ && change.version > 0)
    return life_.fail(join(
        {"a watch hears ", std::to_string(change.version), " after ", std::to_string(version_)}));
  version_ = change.version;
  life_.told(peer_, change);
  const std::string key(change.after->key());
  const auto known = state_.find(key);
  const bool there = known != state_.end();
  const bool added = change.type == api::ChangeType::kAdded;
  if (added == there) return life_.fail(join({"a watch missed a change of ", key}));
  if (there && (!change.before || change.before->text() != known->second.second))
    return life_.fail(join({"a watch is told of another past of ", key}));
  if (change.type == api::ChangeType::kDeleted) {
    state_.erase(key);
  } else {
    state_[key] = {change.version, std::string(change.after->text())};
  }
}

void QuorumLife::Onlooker::compare(Peer& leader) {
  for (int tries = 0; tries < 100 && peer_ != leader.id; ++tries) {
    peer_ = raft::kNobody;
    if (!attach(leader)) return life_.fail("a watch cannot resume at the leader");
  }
  pull(leader);
  if (peer_ == leader.id && state_ != life_.state_of(leader))
    life_.fail("a watch has seen another state than a list shows");
}

}  // namespace coracle::sim
