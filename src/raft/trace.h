// SPDX-License-Identifier: GPL-2.0-or-later
// What the core noticed, as facts without words. Tests put them into the words of etcd's raft; a
// daemon needs none.
#pragma once

#include <string_view>

#include "raft/message.h"

namespace coracle::raft {

class Log;
class Machine;

enum class Fact : uint8_t {
  kStarted,
  kBecameFollower,
  kBecamePreCandidate,
  kBecameCandidate,
  kBecameLeader,
  kAlreadyLeader,
  kUnpromotable,
  kChangePending,
  kElectionStarted,
  kVoteAsked,
  kVoteCounted,
  kVotesTallied,
  kVoteCast,
  kVoteRejected,
  kLeaseHolds,
  kHigherTerm,
  kLowerTerm,
  kLowerTermStored,
  kQuorumLost,
  kProposalWithoutLeader,
  kProposalNotForwarded,
  kProposalDuringTransfer,
  kProposalTooLarge,
  kChangeRefused,
  kUnknownPeer,
  kRefusalHeard,
  kProgressLowered,
  kAppendRefused,
  kSnapshotToInactive,
  kSnapshotUnavailable,
  kSnapshotSent,
  kReplicationPaused,
  kSnapshotCaughtUp,
  kSnapshotSucceeded,
  kSnapshotFailed,
  kPeerUnreachable,
  kTransferToLearner,
  kTransferRepeated,
  kTransferReplaced,
  kTransferToSelf,
  kTransferStarted,
  kTimeoutSentAtOnce,
  kTimeoutSent,
  kTransferWithoutLeader,
  kTimeoutReceived,
  kTimeoutIgnored,
  kReadWithoutLeader,
  kForgetRefused,
  kLeaderForgotten,
  kSnapshotForeign,
  kSnapshotMatches,
  kSnapshotRestored,
  kSnapshotTaken,
  kSnapshotIgnored,
  kConfigSwitched,
  kAutoLeft,
  kAutoLeaveRefused,
  // Of the log.
  kConflict,
  kUnstableReplaced,
  kUnstableTruncated,
  kStoredUnknown,
  kStoredSnapshot,
  kStoredMismatch,
  kRestoreStarted,
};

// Pointers are set where the fact has such a part, and only live during the call.
struct Note {
  Fact fact;
  const Machine* machine = nullptr;
  const Log* log = nullptr;
  const Message* message = nullptr;
  const Progress* progress = nullptr;
  const ConfChange* change = nullptr;
  std::string_view reason = {};
  NodeId peer = kNobody;
  uint64_t first = 0;  // numbers whose meaning depends on the fact
  uint64_t second = 0;
};

class Trace {
 public:
  virtual ~Trace() = default;
  virtual void note(const Note& note) = 0;
};

}  // namespace coracle::raft
