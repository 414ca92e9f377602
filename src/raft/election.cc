// SPDX-License-Identifier: GPL-2.0-or-later
#include "raft/machine.h"

namespace coracle::raft {

void Machine::hup(Campaign kind) {
  if (role_ == Role::kLeader) return note({.fact = Fact::kAlreadyLeader});
  if (!promotable()) return note({.fact = Fact::kUnpromotable});
  if (change_unapplied()) return note({.fact = Fact::kChangePending});
  note({.fact = Fact::kElectionStarted});
  campaign(kind);
}

// A member that knows of a committed change but has not applied it would campaign in the wrong
// configuration.
bool Machine::change_unapplied() const {
  Index from = log_.applied() + 1;
  while (from <= log_.committed()) {
    Result<std::vector<Entry>> page =
        log_.slice(from, log_.committed() + 1, log_.applying_bytes_max());
    if (!page || page->empty()) return true;  // unreadable: do not campaign on it
    for (const Entry& entry : *page) {
      if (entry.type != EntryType::kNormal) return true;
    }
    from += page->size();
  }
  return false;
}

void Machine::campaign(Campaign kind) {
  Message request;
  if (kind == Campaign::kPreElection) {
    become_pre_candidate();
    request.type = MessageType::kPreVote;
    request.term = term_ + 1;
  } else {
    become_candidate();
    request.type = MessageType::kVote;
    request.term = term_;
  }
  request.transfer = kind == Campaign::kTransfer;
  for (NodeId voter : tracker_.config.voters.all()) {
    request.to = voter;
    if (voter == options_.id) {
      // Its own vote counts when it is durable, like anybody's.
      send({.type = reply_to(request.type), .to = voter, .term = request.term});
      continue;
    }
    EntryId last = log_.last();
    request.index = last.index;
    request.log_term = last.term;
    note({.fact = Fact::kVoteAsked, .message = &request, .peer = voter});
    send(request);
  }
}

void Machine::answer_vote(const Message& message) {
  bool can_vote = vote_ == message.from || (vote_ == kNobody && leader_ == kNobody) ||
                  (message.type == MessageType::kPreVote && message.term > term_);
  // Learners vote too: one that was promoted and does not know it yet may be needed for the
  // majority.
  if (!can_vote || !log_.up_to_date({message.log_term, message.index})) {
    note_message(Fact::kVoteRejected, message);
    send({.type = reply_to(message.type), .to = message.from, .term = term_, .reject = true});
    return;
  }
  note_message(Fact::kVoteCast, message);
  // The request's term: for a pre-vote this member's own would be out of date to the one who asks.
  send({.type = reply_to(message.type), .to = message.from, .term = message.term});
  if (message.type == MessageType::kVote) {
    election_elapsed_ = 0;
    vote_ = message.from;
  }
}

void Machine::count_vote(const Message& message) {
  note_message(Fact::kVoteCounted, message);
  tracker_.record_vote(message.from, !message.reject);
  Tally tally = tracker_.tally();
  note({.fact = Fact::kVotesTallied,
        .message = &message,
        .first = tally.granted,
        .second = tally.rejected});
  if (tally.result == Vote::kLost) return become_follower(term_, kNobody);
  if (tally.result == Vote::kPending) return;
  if (role_ == Role::kPreCandidate) return campaign(Campaign::kElection);
  become_leader();
  broadcast_append();
}

}  // namespace coracle::raft
