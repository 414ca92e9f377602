// SPDX-License-Identifier: GPL-2.0-or-later
// The Raft state machine of one member (etcd raft, raft.go): messages and ticks in; messages, log
// entries and answered reads out, which Core hands to the outside. No input or output, no clock, no
// randomness but a seed.
//
// Files: machine.cc roles and time, election.cc votes, step.cc messages by term, follower.cc and
// leader.cc messages by role, replication.cc appends and snapshots, proposal.cc, read.cc,
// membership.cc.
//
// Safety rests on three rules. Only entries of the current term are committed by counting. A member
// acknowledges an index only when a message of this leader proved it, and only after it is durable
// (after_append). Nobody, the leader included, is counted before its own log is durable.
#pragma once

#include <utility>

#include "raft/changer.h"
#include "raft/log.h"
#include "raft/options.h"
#include "raft/read_queue.h"

namespace coracle::raft {

class Machine {
 public:
  Machine(const Options& options, const Storage& storage, Trace* trace);

  Result<> start(const Storage& storage);
  void tick();
  Result<> step(Message message);
  Result<ConfState> apply(const ConfChange& change);

  NodeId id() const { return options_.id; }
  Term term() const { return term_; }
  NodeId vote() const { return vote_; }
  NodeId leader() const { return leader_; }
  Role role() const { return role_; }
  SoftState soft_state() const { return {leader_, role_}; }
  HardState hard_state() const { return {term_, vote_, log_.committed()}; }
  const Log& log() const { return log_; }
  Log& log() { return log_; }
  const Tracker& tracker() const { return tracker_; }
  const Options& options() const { return options_; }
  void set_election_timeout(uint32_t ticks) { election_timeout_ = ticks; }

  const std::vector<Message>& messages() const { return messages_; }  // may be sent at once
  // Only once everything before is durable.
  const std::vector<Message>& after_append() const { return after_append_; }
  const std::vector<ReadState>& reads() const { return read_states_; }
  std::vector<Message> take_messages() { return std::exchange(messages_, {}); }
  std::vector<Message> take_after_append() { return std::exchange(after_append_, {}); }
  std::vector<ReadState> take_reads() { return std::exchange(read_states_, {}); }

 private:
  enum class Campaign : uint8_t { kPreElection, kElection, kTransfer };

  // machine.cc
  void reset(Term term);
  void become_follower(Term term, NodeId leader);
  void become_pre_candidate();
  void become_candidate();
  void become_leader();
  void tick_election();
  void tick_leader();
  void draw_election_timeout();
  void send(Message message);
  void note(Note note) const;
  void note_message(Fact fact, const Message& message) const;
  bool promotable() const;

  // step.cc
  bool step_term(const Message& message);  // false: the message ends here
  bool step_higher_term(const Message& message);
  void step_lower_term(const Message& message);
  Result<> step_role(Message message);
  void stored(const Message& message);
  void applied(const Message& message);
  void applied_to(Index index, uint64_t bytes);
  void leave_joint_if_due();
  void applied_snapshot(const Snapshot& snapshot);

  // election.cc
  void hup(Campaign kind);
  void campaign(Campaign kind);
  bool change_unapplied() const;
  void answer_vote(const Message& message);
  void count_vote(const Message& message);

  // follower.cc
  Result<> step_follower(Message message);
  Result<> step_candidate(Message message);
  Result<> forward(Message message);
  Result<> from_leader(Message message);
  Result<> take_append(Message message);
  Result<> take_heartbeat(const Message& message);
  Result<> take_snapshot(const Message& message);
  Result<bool> restore(const Snapshot& snapshot);

  // leader.cc
  Result<> step_leader(Message message);
  Result<> step_peer(const Message& message, Progress& peer);
  void check_quorum();
  void refused(const Message& message, Progress& peer);
  Result<> acknowledged(const Message& message, Progress& peer);
  void heartbeat_answered(const Message& message, Progress& peer);
  void snapshot_reported(const Message& message, Progress& peer);
  void transfer_leader(NodeId to, const Progress& peer);

  // proposal.cc
  Result<> propose(Message message);
  Result<> check_change(Entry& entry, size_t position);
  bool append(std::vector<Entry> entries);
  void reduce_uncommitted(uint64_t bytes);

  // replication.cc
  bool send_append(NodeId to, bool even_if_empty);
  bool send_snapshot(NodeId to, Progress& peer);
  void send_heartbeat(NodeId to, Progress& peer, uint64_t read_number);
  void broadcast_append();
  void broadcast_heartbeat();
  bool maybe_commit();

  // read.cc
  Result<> read(Message message);
  void start_read(Message message);
  void answer_read(const Message& request, Index index);
  void release_postponed_reads();
  void release_confirmed_reads();
  bool committed_in_term() const;

  // membership.cc
  ConfState switch_to(Membership membership);

  Options options_;
  Trace* trace_;
  Log log_;
  Tracker tracker_;
  Role role_ = Role::kFollower;
  Term term_ = 0;
  NodeId vote_ = kNobody;
  NodeId leader_ = kNobody;
  NodeId transferee_ = kNobody;
  Index pending_change_ = 0;  // no change may be proposed before this index is applied
  uint64_t uncommitted_bytes_ = 0;
  uint32_t election_elapsed_ = 0;
  uint32_t heartbeat_elapsed_ = 0;
  uint32_t election_timeout_ = 0;  // in [election_ticks, 2 * election_ticks)
  uint64_t random_;
  ReadQueue read_queue_;
  std::vector<Message> postponed_reads_;  // until an entry of this term is committed
  std::vector<Message> messages_;
  std::vector<Message> after_append_;
  std::vector<ReadState> read_states_;
};

}  // namespace coracle::raft
