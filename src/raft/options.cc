// SPDX-License-Identifier: GPL-2.0-or-later
#include "raft/options.h"

namespace coracle::raft {

Result<> valid(const Options& options) {
  if (options.id == kNobody || is_lane(options.id)) {
    return fail(Code::kInvalid, "raft: id is reserved");
  }
  if (options.heartbeat_ticks == 0) {
    return fail(Code::kInvalid, "raft: heartbeat ticks must be greater than 0");
  }
  if (options.election_ticks <= options.heartbeat_ticks) {
    return fail(Code::kInvalid, "raft: election ticks must be greater than heartbeat ticks");
  }
  if (options.window.messages_max == 0) {
    return fail(Code::kInvalid, "raft: window must allow a message");
  }
  if (options.window.bytes_max != 0 && options.window.bytes_max < options.message_bytes_max) {
    return fail(Code::kInvalid, "raft: window must hold the largest message");
  }
  if (options.reads == Reads::kLease && !options.check_quorum) {
    return fail(Code::kInvalid, "raft: lease reads need check_quorum");
  }
  return {};
}

}  // namespace coracle::raft
