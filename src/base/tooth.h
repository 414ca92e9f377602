// SPDX-License-Identifier: GPL-2.0-or-later
// Planted faults, one at a time, to see whether the simulator finds them (make sim-teeth). Without
// CORACLE_TEETH there are none and nothing of this is compiled in.
#pragma once

#include <cstdint>
#include <string_view>

namespace coracle {

enum class Tooth : uint8_t {
  kNone,
  kNoSync,
  kVoteNotStored,
  kPromisedBeforeDurable,
  kOldTermCommitted,
  kHeartbeatAcknowledges,
  kChangeBeforeSure,
  kStaleRead,
  kReadBeforeApplied,
  kReplayFromTooFar,
  kSuffixNotCut,
  kRecycledTooEarly,
  kNoCheckpoint,
  kSnapshotKeepsMemory,
  kVersionReused,
  kUncheckedApply,
  kOldLeaderRefuses,
  kNumbersReused,
};

inline constexpr std::string_view kTeeth[] = {
    "",
    "the log is not synced before it is acknowledged",
    "the vote is not stored",
    "promises are sent before they are durable",
    "entries of older terms are committed by counting",
    "an empty heartbeat acknowledges what was never compared",
    "a change of members is used before it is sure",
    "reads do not ask the leader",
    "confirmed reads do not wait for what was committed",
    "replay starts behind entries that are not in the database",
    "what another leader overwrote comes back at a restart",
    "log segments are recycled before the database is durable",
    "the database counts as durable without a checkpoint",
    "unwritten rows survive a snapshot",
    "a change carries the version before it",
    "writes are granted and applied whatever the object's version",
    "a leader refuses without proof that it leads",
    "the numbers of proposals and reads start anew in each life",
};

#ifdef CORACLE_TEETH
extern Tooth planted;
inline bool bites(Tooth tooth) {
  return planted == tooth;
}
#else
constexpr bool bites(Tooth) {
  return false;
}
#endif

}  // namespace coracle
