// SPDX-License-Identifier: GPL-2.0-or-later
// Configuration changes as log entries carry them, and their bytes.
//
// Bytes: transition u8, count u8, then per change: type u8, node u64 little-endian; the rest is the
// context, which is the proposer's own. No bytes at all is the change that leaves a joint
// configuration.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "raft/tracker.h"

namespace coracle::raft {

struct Change {
  enum class Type : uint8_t { kAddVoter, kRemove, kUpdate, kAddLearner };
  Type type = Type::kAddVoter;
  NodeId node = kNobody;  // kNobody: refused by the application, has no effect
};

struct ConfChange {
  // How more than one change is made: kAuto uses a joint configuration only if it must.
  enum class Transition : uint8_t { kAuto, kJointImplicit, kJointExplicit };
  Transition transition = Transition::kAuto;
  std::vector<Change> changes;
  std::string context;

  bool leaves_joint() const { return transition == Transition::kAuto && changes.empty(); }
  bool enters_joint() const { return transition != Transition::kAuto || changes.size() > 1; }
  bool auto_leave() const { return transition != Transition::kJointExplicit; }
};

inline constexpr size_t kChangesMax = 64;  // in one entry

std::string encode(const ConfChange& change);
Result<ConfChange> decode_conf_change(std::string_view bytes);

// The configuration as snapshots and the state database keep it.
struct ConfState {
  std::vector<NodeId> voters;
  std::vector<NodeId> voters_outgoing;
  std::vector<NodeId> learners;
  std::vector<NodeId> learners_next;
  bool auto_leave = false;

  friend bool operator==(const ConfState&, const ConfState&) = default;
};

ConfState conf_state(const Config& config);

}  // namespace coracle::raft
