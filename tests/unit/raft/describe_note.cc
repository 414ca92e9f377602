// SPDX-License-Identifier: GPL-2.0-or-later
// One sentence per fact. The sentences are etcd raft's log lines, which its scripts compare.
#include "tests/unit/raft/describe.h"

namespace coracle::raft {

namespace {

enum Level { kDebug, kInfo, kWarning, kError };

struct Sentence {
  Fact fact;
  Level level;
  const char* text;
};

// {self} {term} {vote} {lead} {commit} {applied} {lastindex} {lastterm} {firstindex} {state}
// {config}: the machine; {peer} {first} {second} {progress} {reason} {change}: the note; {type}
// {from} {mterm} {mlogterm} {mindex} {hint} {sindex} {sterm} {verdict}: its message; {log} {peers}
// {ourterm}: computed.
constexpr Sentence kSentences[] = {
    {Fact::kStarted, kInfo,
     "newRaft {self} [peers: [{peers}], term: {term}, commit: {commit}, applied: {applied}, "
     "lastindex: {lastindex}, lastterm: {lastterm}]"},
    {Fact::kBecameFollower, kInfo, "{self} became follower at term {term}"},
    {Fact::kBecamePreCandidate, kInfo, "{self} became pre-candidate at term {term}"},
    {Fact::kBecameCandidate, kInfo, "{self} became candidate at term {term}"},
    {Fact::kBecameLeader, kInfo, "{self} became leader at term {term}"},
    {Fact::kAlreadyLeader, kDebug, "{self} ignoring MsgHup because already leader"},
    {Fact::kUnpromotable, kWarning, "{self} is unpromotable and can not campaign"},
    {Fact::kChangePending, kWarning,
     "{self} cannot campaign at term {term} since there are still pending configuration changes "
     "to apply"},
    {Fact::kElectionStarted, kInfo, "{self} is starting a new election at term {term}"},
    {Fact::kVoteAsked, kInfo,
     "{self} [logterm: {lastterm}, index: {lastindex}] sent {type} request to {peer} at term "
     "{term}"},
    {Fact::kVoteCounted, kInfo, "{self} received {type}{verdict} from {from} at term {term}"},
    {Fact::kVotesTallied, kInfo,
     "{self} has received {first} {type} votes and {second} vote rejections"},
    {Fact::kVoteCast, kInfo,
     "{self} [logterm: {lastterm}, index: {lastindex}, vote: {vote}] cast {type} for {from} "
     "[logterm: {mlogterm}, index: {mindex}] at term {term}"},
    {Fact::kVoteRejected, kInfo,
     "{self} [logterm: {lastterm}, index: {lastindex}, vote: {vote}] rejected {type} from {from} "
     "[logterm: {mlogterm}, index: {mindex}] at term {term}"},
    {Fact::kLeaseHolds, kInfo,
     "{self} [logterm: {lastterm}, index: {lastindex}, vote: {vote}] ignored {type} from {from} "
     "[logterm: {mlogterm}, index: {mindex}] at term {term}: lease is not expired (remaining "
     "ticks: {first})"},
    {Fact::kHigherTerm, kInfo,
     "{self} [term: {term}] received a {type} message with higher term from {from} [term: "
     "{mterm}]"},
    {Fact::kLowerTerm, kInfo,
     "{self} [term: {term}] ignored a {type} message with lower term from {from} [term: {mterm}]"},
    {Fact::kLowerTermStored, kInfo,
     "{self} [term: {term}] ignored entry appends from a {type} message with lower term [term: "
     "{mterm}]"},
    {Fact::kQuorumLost, kWarning, "{self} stepped down to follower since quorum is not active"},
    {Fact::kProposalWithoutLeader, kInfo, "{self} no leader at term {term}; dropping proposal"},
    {Fact::kProposalNotForwarded, kInfo,
     "{self} not forwarding to leader {lead} at term {term}; dropping proposal"},
    {Fact::kProposalDuringTransfer, kDebug,
     "{self} [term {term}] transfer leadership to {peer} is in progress; dropping proposal"},
    {Fact::kProposalTooLarge, kWarning,
     "{self} appending new entries to log would exceed uncommitted entry size limit; dropping "
     "proposal"},
    {Fact::kChangeRefused, kInfo,
     "{self} ignoring conf change {change} at config {config}: {reason}"},
    {Fact::kUnknownPeer, kDebug, "{self} no progress available for {from}"},
    {Fact::kRefusalHeard, kDebug,
     "{self} received MsgAppResp(rejected, hint: (index {hint}, term {mlogterm})) from {from} for "
     "index {mindex}"},
    {Fact::kProgressLowered, kDebug, "{self} decreased progress of {peer} to [{progress}]"},
    {Fact::kAppendRefused, kDebug,
     "{self} [logterm: {ourterm}, index: {mindex}] rejected MsgApp [logterm: {mlogterm}, index: "
     "{mindex}] from {from}"},
    {Fact::kSnapshotToInactive, kDebug,
     "ignore sending snapshot to {peer} since it is not recently active"},
    {Fact::kSnapshotUnavailable, kDebug,
     "{self} failed to send snapshot to {peer} because snapshot is temporarily unavailable"},
    {Fact::kSnapshotSent, kDebug,
     "{self} [firstindex: {firstindex}, commit: {commit}] sent snapshot[index: {sindex}, term: "
     "{sterm}] to {peer} [{progress}]"},
    {Fact::kReplicationPaused, kDebug,
     "{self} paused sending replication messages to {peer} [{progress}]"},
    {Fact::kSnapshotCaughtUp, kDebug,
     "{self} recovered from needing snapshot, resumed sending replication messages to {peer} "
     "[{progress}]"},
    {Fact::kSnapshotSucceeded, kDebug,
     "{self} snapshot succeeded, resumed sending replication messages to {peer} [{progress}]"},
    {Fact::kSnapshotFailed, kDebug,
     "{self} snapshot failed, resumed sending replication messages to {peer} [{progress}]"},
    {Fact::kPeerUnreachable, kDebug,
     "{self} failed to send message to {peer} because it is unreachable [{progress}]"},
    {Fact::kTransferToLearner, kDebug, "{self} is learner. Ignored transferring leadership"},
    {Fact::kTransferRepeated, kInfo,
     "{self} [term {term}] transfer leadership to {peer} is in progress, ignores request to same "
     "node {peer}"},
    {Fact::kTransferReplaced, kInfo,
     "{self} [term {term}] abort previous transferring leadership to {peer}"},
    {Fact::kTransferToSelf, kDebug,
     "{self} is already leader. Ignored transferring leadership to self"},
    {Fact::kTransferStarted, kInfo, "{self} [term {term}] starts to transfer leadership to {peer}"},
    {Fact::kTimeoutSentAtOnce, kInfo,
     "{self} sends MsgTimeoutNow to {peer} immediately as {peer} already has up-to-date log"},
    {Fact::kTimeoutSent, kInfo, "{self} sent MsgTimeoutNow to {from} after received MsgAppResp"},
    {Fact::kTransferWithoutLeader, kInfo,
     "{self} no leader at term {term}; dropping leader transfer msg"},
    {Fact::kTimeoutReceived, kInfo,
     "{self} [term {term}] received MsgTimeoutNow from {from} and starts an election to get "
     "leadership."},
    {Fact::kTimeoutIgnored, kDebug,
     "{self} [term {term} state {state}] ignored MsgTimeoutNow from {from}"},
    {Fact::kReadWithoutLeader, kInfo,
     "{self} no leader at term {term}; dropping index reading msg"},
    {Fact::kForgetRefused, kError, "ignoring MsgForgetLeader due to ReadOnlyLeaseBased"},
    {Fact::kLeaderForgotten, kInfo, "{self} forgetting leader {lead} at term {term}"},
    {Fact::kSnapshotForeign, kWarning,
     "{self} attempted to restore snapshot but it is not in the ConfState; should never happen"},
    {Fact::kSnapshotMatches, kInfo,
     "{self} [commit: {commit}, lastindex: {lastindex}, lastterm: {lastterm}] fast-forwarded "
     "commit to snapshot [index: {sindex}, term: {sterm}]"},
    {Fact::kSnapshotRestored, kInfo,
     "{self} [commit: {commit}, lastindex: {lastindex}, lastterm: {lastterm}] restored snapshot "
     "[index: {sindex}, term: {sterm}]"},
    {Fact::kSnapshotTaken, kInfo,
     "{self} [commit: {commit}] restored snapshot [index: {sindex}, term: {sterm}]"},
    {Fact::kSnapshotIgnored, kInfo,
     "{self} [commit: {commit}] ignored snapshot [index: {sindex}, term: {sterm}]"},
    {Fact::kConfigSwitched, kInfo, "{self} switched to configuration {config}"},
    {Fact::kAutoLeft, kInfo, "initiating automatic transition out of joint configuration {config}"},
    {Fact::kAutoLeaveRefused, kDebug,
     "not initiating automatic transition out of joint configuration {config}: {reason}"},
    {Fact::kConflict, kInfo,
     "found conflict at index {number} [existing term: {first}, conflicting term: {second}]"},
    {Fact::kUnstableReplaced, kInfo, "replace the unstable entries from index {first}"},
    {Fact::kUnstableTruncated, kInfo, "truncate the unstable entries before index {first}"},
    {Fact::kStoredUnknown, kInfo, "entry at index {first} missing from unstable log; ignoring"},
    {Fact::kStoredSnapshot, kInfo, "entry at index {first} matched unstable snapshot; ignoring"},
    {Fact::kStoredMismatch, kInfo,
     "entry at (index,term)=({mindex},{mlogterm}) mismatched with entry at ({mindex},{first}) in "
     "unstable log; ignoring"},
    {Fact::kRestoreStarted, kInfo,
     "log [{log}] starts to restore snapshot [index: {sindex}, term: {sterm}]"},
};

std::string number(uint64_t value) {
  return std::to_string(value);
}

std::string machine_part(std::string_view name, const Machine& machine) {
  const Log& log = machine.log();
  if (name == "self") return hex_id(machine.id());
  if (name == "term") return number(machine.term());
  if (name == "vote") return hex_id(machine.vote());
  if (name == "lead") return hex_id(machine.leader());
  if (name == "state") return role_text(machine.role());
  if (name == "config") return machine.tracker().config.text();
  if (name == "commit") return number(log.committed());
  if (name == "applied") return number(log.applied());
  if (name == "lastindex") return number(log.last_index());
  if (name == "lastterm") return number(log.last().term);
  if (name == "firstindex") return number(log.first_index());
  if (name != "peers") return "";
  std::string peers;
  for (NodeId id : machine.tracker().config.voters.all()) {
    peers += (peers.empty() ? "" : ",") + hex_id(id);
  }
  return peers;
}

std::string message_part(std::string_view name, const Message& message) {
  if (name == "type") return type_text(message.type);
  if (name == "from") return hex_id(message.from);
  if (name == "mterm") return number(message.term);
  if (name == "mlogterm") return number(message.log_term);
  if (name == "mindex") return number(message.index);
  if (name == "hint") return number(message.reject_hint);
  if (name == "verdict") return message.reject ? " rejection" : "";
  if (name == "sindex") return number(message.snapshot.index);
  if (name == "sterm") return number(message.snapshot.term);
  return "";
}

std::string log_text(const Log& log) {
  return "committed=" + number(log.committed()) + ", applied=" + number(log.applied()) +
         ", applying=" + number(log.applying()) +
         ", unstable.offset=" + number(log.unstable().offset()) +
         ", unstable.offsetInProgress=" + number(log.unstable().in_progress()) +
         ", len(unstable.Entries)=" + number(log.unstable().entries().size());
}

// As Go prints the two protobuf messages.
std::string change_text(const ConfChange& change, bool single) {
  static constexpr const char* kTypes[] = {"ConfChangeAddNode", "ConfChangeRemoveNode",
                                           "ConfChangeUpdateNode", "ConfChangeAddLearnerNode"};
  static constexpr const char* kTransitions[] = {"ConfChangeTransitionAuto",
                                                 "ConfChangeTransitionJointImplicit",
                                                 "ConfChangeTransitionJointExplicit"};
  std::string text;
  for (const Change& one : change.changes) {
    std::string fields = std::string("type:") + kTypes[static_cast<size_t>(one.type)] +
                         " node_id:" + number(one.node);
    if (single) return fields;
    text += " changes:{" + fields + "}";
  }
  return std::string("transition:") + kTransitions[static_cast<size_t>(change.transition)] + text;
}

std::string part(std::string_view name, const Note& note) {
  if (name == "peer") return hex_id(note.peer);
  if (name == "number") return number(note.peer);
  if (name == "first") return number(note.first);
  if (name == "second") return number(note.second);
  if (name == "reason") return std::string(note.reason);
  if (name == "progress") return note.progress->text();
  if (name == "change") {
    return change_text(*note.change, note.first == static_cast<uint64_t>(EntryType::kConfChange));
  }
  if (name == "log") return log_text(*note.log);
  if (name == "ourterm") return number(note.machine->log().term_or_zero(note.message->index));
  std::string text = note.machine ? machine_part(name, *note.machine) : "";
  return text.empty() && note.message ? message_part(name, *note.message) : text;
}

}  // namespace

Line describe(const Note& note) {
  for (const Sentence& sentence : kSentences) {
    if (sentence.fact != note.fact) continue;
    Line line{sentence.level, ""};
    std::string_view rest = sentence.text;
    while (!rest.empty()) {
      size_t open = rest.find('{');
      line.text += rest.substr(0, open);
      if (open == std::string_view::npos) break;
      size_t close = rest.find('}', open);
      line.text += part(rest.substr(open + 1, close - open - 1), note);
      rest.remove_prefix(close + 1);
    }
    return line;
  }
  return {kError, "a fact without a sentence"};
}

}  // namespace coracle::raft
