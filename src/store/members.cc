// SPDX-License-Identifier: GPL-2.0-or-later
// Who keeps the store, and how that changes.
#include <algorithm>
#include <utility>

#include "base/bytes.h"
#include "base/log.h"
#include "store/replicated_store.h"

namespace coracle::store {
namespace {

constexpr Duration kHandOverAgain = seconds(20);
constexpr raft::Index kCaughtUp = 128;  // entries that a learner may lack and still be promoted

Error try_again(std::string message) {
  Error error = fail(Code::kUnavailable, std::move(message));
  error.retry_after_s = 1;
  return error;
}

// "192.0.2.7:6444", "[2001:db8::7]:6444"
std::optional<port::Endpoint> endpoint_of(std::string_view address) {
  const size_t colon = address.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto number = parse_unsigned(address.substr(colon + 1));
  if (!number || *number > UINT16_MAX) return std::nullopt;
  std::string_view host = address.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']')
    host = host.substr(1, host.size() - 2);
  return port::Endpoint{std::string(host), static_cast<uint16_t>(*number)};
}

}  // namespace

Standing ReplicatedStore::standing() const {
  const raft::Machine& machine = core_->machine();
  Standing standing;
  standing.self = parts_.identity.member;
  standing.leader = stopped() || removed_ ? raft::kNobody : machine.leader();
  standing.term = machine.term();
  standing.leading = stance() == Stance::kLeading;
  standing.damaged = !damage_.empty();
  standing.commit = machine.log().committed();
  standing.applied = last_applied_.index;
  standing.removed = removed_;
  if (!leads()) return standing;
  const Timing& timing = parts_.options.timing;
  const Duration patience = timing.tick * timing.election_ticks * 2;
  for (const auto& [id, progress] : machine.tracker().progress) {
    const auto heard = heard_.find(id);
    const bool active = heard != heard_.end() && parts_.clock.now() - heard->second < patience;
    standing.members.push_back({id, progress.match(), active || id == standing.self});
  }
  return standing;
}

Error ReplicatedStore::removal() const {
  return fail(Code::kUnavailable,
              join({"this server (member ", std::to_string(parts_.identity.member),
                    ") was removed from the cluster; to come back, empty its data directory and "
                    "start it with --join and --token"}));
}

void ReplicatedStore::tell_standing() {
  const Standing now = standing();
  const bool same = now.leader == told_.leader && now.term == told_.term &&
                    now.leading == told_.leading && now.removed == told_.removed &&
                    now.damaged == told_.damaged && !members_changed_;
  if (same) return;
  if (now.leader != told_.leader || now.leading != told_.leading) {
    LOG(kInfo, "store: leader", kv("id", now.leader), kv("term", now.term),
        kv("here", now.leading ? "yes" : "no"));
  }
  told_ = now;
  members_changed_ = false;
  desk_.tell_listeners();
}

void ReplicatedStore::put_member(Member member, MembershipWaiter& waiter) {
  if (member.id == raft::kNobody) member.id = roster_.fresh_id();
  ask_for_change({parts_.identity.member, 0, MemberVerb::kPut, std::move(member)}, waiter);
}

void ReplicatedStore::promote(raft::NodeId id, MembershipWaiter& waiter) {
  MemberRequest request{parts_.identity.member, 0, MemberVerb::kPromote, {}};
  request.member.id = id;
  ask_for_change(std::move(request), waiter);
}

void ReplicatedStore::remove(raft::NodeId id, MembershipWaiter& waiter) {
  MemberRequest request{parts_.identity.member, 0, MemberVerb::kRemove, {}};
  request.member.id = id;
  ask_for_change(std::move(request), waiter);
}

void ReplicatedStore::transfer(raft::NodeId to, MembershipWaiter& waiter) {
  parts_.clock.at_turn_end(*this);
  const Member* member = roster_.find(to);
  const raft::NodeId leader = stopped() ? raft::kNobody : core_->machine().leader();
  if (member == nullptr) return desk_.refuse(waiter, fail(Code::kNotFound, "no such member"));
  if (member->role != MemberRole::kVoter)
    return desk_.refuse(waiter, fail(Code::kConflict, "only a voter can lead"));
  if (leader == raft::kNobody) return desk_.refuse(waiter, try_again("there is no leader"));
  desk_.wait_for_leader(to, waiter, parts_.clock.now());
  if (leader == to) return desk_.leader_is(to);
  give({.kind = raft::Input::Kind::kTransfer, .node = to});
}

void ReplicatedStore::ask_for_change(MemberRequest request, MembershipWaiter& waiter) {
  parts_.clock.at_turn_end(*this);
  request.sequence = proposer_.fresh_origin().sequence;
  const Stance now = closing_ ? Stance::kWaiting : stance();
  Result<> asked = now == Stance::kWaiting ? Result<>(try_again("there is no leader")) : Result<>();
  if (asked && now == Stance::kLeading) asked = propose_change(request);
  if (asked && now == Stance::kFollowing) {
    raft::ConfChange change;
    asked = roster_.judge(request, change);
    if (asked) asked = core_->give({.kind = raft::Input::Kind::kChange, .change = change});
  }
  if (!asked) return desk_.refuse(waiter, std::move(asked).error());
  desk_.wait(request.sequence, waiter, parts_.clock.now());
}

// On the leader.
Result<> ReplicatedStore::propose_change(const MemberRequest& request) {
  if (last_change_ > last_applied_.index) return try_again("another change is under way");
  raft::ConfChange change;
  TRY(roster_.judge(request, change));
  if (!core_->give({.kind = raft::Input::Kind::kChange, .change = std::move(change)}))
    return try_again("the leader takes no changes now");
  last_change_ = core_->machine().log().last_index();
  return {};
}

void ReplicatedStore::apply_change(const raft::Entry& entry) {
  const Result<raft::ConfChange> change = raft::decode_conf_change(entry.data.view());
  if (!change) {
    LOG(kError, "store: change of members not readable", kv("index", entry.index));
    return;
  }
  const std::optional<MemberRequest> request = MemberRequest::decode(change->context);
  const Result<> applied = apply_request(*change, request.value_or(MemberRequest{}));
  if (request && request->asker == parts_.identity.member) {
    desk_.answer(
        request->sequence,
        applied ? Result<>() : Result<>(fail(applied.error().code, applied.error().message)));
  }
}

// Judged again: every member holds the same roster here, so all come to the same end.
Result<> ReplicatedStore::apply_request(const raft::ConfChange& change,
                                        const MemberRequest& request) {
  const bool leaves_joint = change.changes.empty();
  raft::ConfChange same;
  if (!leaves_joint) TRY(roster_.judge(request, same));
  raft::ConfState configuration = TRY(core_->apply(change));
  if (!leaves_joint) roster_.granted(request);
  roster_.configured(std::move(configuration));
  roster_changed();
  return {};
}

void ReplicatedStore::roster_changed() {
  raft_log_.configured(roster_);
  members_changed_ = true;
  std::erase_if(heard_, [&](const auto& each) { return roster_.find(each.first) == nullptr; });
  if (roster_.find(parts_.identity.member) == nullptr) on_removed();
  parts_.clock.at_turn_end(*this);
  if (parts_.options.transport == nullptr) return;
  std::vector<PeerAddress> peers;
  for (const Member& member : roster_.members()) {
    if (member.id == parts_.identity.member) continue;
    PeerAddress& peer = peers.emplace_back();
    peer.id = member.id;
    for (const std::string& address : member.addresses) {
      if (auto endpoint = endpoint_of(address)) peer.endpoints.push_back(std::move(*endpoint));
    }
  }
  parts_.options.transport->set_members(peers);
}

void ReplicatedStore::promote_who_caught_up() {
  if (last_change_ > last_applied_.index) return;
  const raft::Machine& machine = core_->machine();
  for (const Member& member : roster_.members()) {
    if (member.role != MemberRole::kLearner || !member.wants_vote) continue;
    const raft::Progress* progress = machine.tracker().find(member.id);
    if (progress == nullptr || !progress->recently_active) continue;
    if (progress->match() + kCaughtUp < machine.log().committed() || progress->match() == 0)
      continue;
    MemberRequest request{
        parts_.identity.member, proposer_.fresh_origin().sequence, MemberVerb::kPromote, {}};
    request.member.id = member.id;
    const Result<> proposed = propose_change(request);
    LOG(kInfo, "store: learner caught up", kv("id", member.id),
        kv("promoted", proposed ? "asked" : proposed.error().message));
    return;
  }
}

// A leader without room must refuse what others could store, and one with damaged rows cannot judge
// writes to them. Whether the next one can is not known: each is tried in turn, and not too often.
void ReplicatedStore::hand_over_if_unfit() {
  const bool unfit = flusher_.full() || state_.damaged_rows() > damage_known_;
  if (!unfit || sole_voter() || parts_.clock.now() < next_hand_over_) return;
  const raft::Machine& machine = core_->machine();
  const auto fit = [&](const Member& member) {
    const raft::Progress* progress = machine.tracker().find(member.id);
    return member.id != parts_.identity.member && member.role == MemberRole::kVoter &&
           progress != nullptr && progress->recently_active &&
           progress->match() + kCaughtUp >= machine.log().committed();
  };
  const Member* chosen = nullptr;
  for (const Member& member : roster_.members()) {
    if (!fit(member)) continue;
    const bool later = member.id > handed_to_;
    const bool chosen_later = chosen != nullptr && chosen->id > handed_to_;
    if (chosen == nullptr || (later && !chosen_later)) chosen = &member;
  }
  if (chosen == nullptr) return;
  next_hand_over_ = parts_.clock.now() + kHandOverAgain;
  handed_to_ = chosen->id;
  damage_known_ = state_.damaged_rows();
  LOG(kWarn, "store: unfit to lead, handing over", kv("to", chosen->id),
      kv("why", flusher_.full() ? "disk full" : "damaged rows"));
  give({.kind = raft::Input::Kind::kTransfer, .node = chosen->id});
}

}  // namespace coracle::store
