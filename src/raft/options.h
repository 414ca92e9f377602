// SPDX-License-Identifier: GPL-2.0-or-later
// How one member runs. Ticks are the caller's unit of time.
#pragma once

#include "raft/trace.h"

namespace coracle::raft {

enum class Reads : uint8_t {
  kQuorum,  // each confirmed by a round of heartbeats
  kLease,   // trusts the leader's lease, so the clocks: needs check_quorum
};

struct Options {
  NodeId id = kNobody;
  uint32_t election_ticks = 10;
  uint32_t heartbeat_ticks = 1;
  Index applied = 0;  // at a restart: nothing up to here is handed out again
  bool async_storage = false;
  uint64_t message_bytes_max = kUnlimited;  // entries in one append; one entry always fits
  uint64_t applying_bytes_max = 0;  // handed out and not yet applied; 0: as message_bytes_max
  uint64_t uncommitted_bytes_max = kUnlimited;  // beyond it a leader drops proposals
  Window window = {};                           // in flight to one peer
  size_t reads_max = 1024;                      // waiting for confirmation
  bool check_quorum = false;
  bool pre_vote = false;
  Reads reads = Reads::kQuorum;
  bool forward_proposals = true;
  bool validate_changes = true;  // at proposal time, against the active configuration
  bool step_down_on_removal = false;
  uint64_t seed = 1;  // of election timeouts; must differ between members
};

Result<> valid(const Options& options);

}  // namespace coracle::raft
