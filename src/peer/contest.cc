// SPDX-License-Identifier: GPL-2.0-or-later
// Two connections that claim to be one member: both called at once, it was started anew, or its
// data directory was copied. Two live copies would vote twice, so one is fenced: where a member
// meets both, the first one stays; where two members meet one each, they tell each other and choose
// the same one.
#include <algorithm>
#include <utility>

#include "base/log.h"
#include "peer/bounds.h"
#include "peer/peers.h"
#include "peer/remedy.h"

namespace coracle::peer {

// Where both call at once they must choose the same one. Later, whoever calls has lost the old one.
bool Peers::prefers(const Link& fresh, const Link& old) const {
  const auto caller = [&](const Link& link) {
    return link.side() == Link::Side::kCaller ? options_.self : link.member();
  };
  if (clock_.now() - old.opened() > kGreetingTime) return true;
  return caller(fresh) <= caller(old);
}

// A restarted process takes the place of its past, whose connection is silent. One that finds its
// place taken by someone who answers is a copy, or the other is.
void Peers::on_contest_over(Link& link) {
  Remote& between = remote(link.member());
  ASSERT(between.contender == &link);
  const bool alive = between.current != nullptr && between.current->heard() > link.held();
  if (!alive) return settle_contest(between);
  between.contender = nullptr;
  LOG(kError, "peer: two devices claim to be one member", kv("member", link.member()),
      kv("first", between.current->address().host), kv("second", link.address().host),
      kv("remedy", copied(link.member())));
  link.refuse(copied(link.member()));
}

void Peers::settle_contest(Remote& between) {
  Link* fresh = std::exchange(between.contender, nullptr);
  Link* old = std::exchange(between.current, nullptr);
  if (old != nullptr) old->cut("it was started anew");
  fresh->admit();
}

void Peers::tell_others(Link& fresh) {
  for (const auto& [id, each] : remotes_) {
    if (each->current == nullptr || each->current == &fresh) continue;
    each->current->tell({fresh.member(), fresh.hello().instance, false});
    fresh.tell({id, each->current->hello().instance, false});
  }
}

// A sighting may be about the past; a dispute follows a check: that instance was alive after ours
// was sighted. If ours is alive after that, there are two.
void Peers::on_sighting(Link& link, const Sighting& sighting) {
  Remote* about = find(sighting.member);
  if (about == nullptr || about->current == nullptr || sighting.member == link.member()) return;
  const uint64_t here = about->current->hello().instance;
  if (here == sighting.instance || is_fenced(sighting.member, sighting.instance)) return;
  about->doubt({link.member(), sighting.instance, sighting.disputes});
  about->current->probe();
}

void Peers::on_doubt_over(Remote& other) {
  const Remote::Doubt doubt = std::exchange(other.doubted, {});
  const Link* const ours = other.current;
  if (ours == nullptr || ours->hello().instance == doubt.instance) return;
  if (ours->heard() <= doubt.since) return;
  const Remote* const informant = find(doubt.informant);
  if (informant != nullptr && informant->current != nullptr)
    informant->current->tell({other.id(), ours->hello().instance, true});
  if (doubt.alive) fence(other, doubt.instance);
}

// The lower instance stays: whoever sees both chooses the same.
void Peers::fence(Remote& other, uint64_t other_instance) {
  const uint64_t here = other.current->hello().instance;
  if (fenced_.size() >= kFencedMax) fenced_.erase(fenced_.begin());
  fenced_.emplace_back(other.id(), std::max(here, other_instance));
  LOG(kError, "peer: two devices claim to be one member", kv("member", other.id()),
      kv("here", other.current->address().host), kv("remedy", copied(other.id())));
  if (here < other_instance) return;
  Link* const copy = std::exchange(other.current, nullptr);
  other.unreachable = true;
  clock_.at_turn_end(*this);
  copy->refuse(copied(other.id()));
  other.failed(random_, true);
}

bool Peers::is_fenced(raft::NodeId member, uint64_t instance) const {
  return std::find(fenced_.begin(), fenced_.end(), std::pair(member, instance)) != fenced_.end();
}

}  // namespace coracle::peer
