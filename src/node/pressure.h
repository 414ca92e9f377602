// SPDX-License-Identifier: GPL-2.0-or-later
// When a node is short of memory, storage or process ids, and which pod has to go first (upstream
// pkg/kubelet/eviction). Pure; the agent looks at every Lease tick, so an idle node is not woken.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "port/disk.h"

namespace coracle::node {

enum class Signal : uint8_t { kMemory, kStorage, kInodes, kProcessIds };
inline constexpr size_t kSignals = 4;

// A limit is the smaller one of what is set; nothing set: none.
struct Threshold {
  std::optional<uint64_t> amount;
  std::optional<uint64_t> percent;
};
using Thresholds = std::array<Threshold, kSignals>;

// Upstream's hard thresholds, bounded for small devices: 100Mi or 5 % of the memory, 1Gi or 10 % of
// the storage, 5 % of the inodes; and 2 % of the process ids.
Thresholds default_thresholds();
// "memory.available<100Mi,nodefs.available<10%,nodefs.inodesFree<5%,pid.available<2%": those that
// are named replace the defaults; "0" or "0%" turns one off.
Result<Thresholds> parse_thresholds(std::string_view text);

struct Supply {
  uint64_t total = 0;  // 0: not known, and never short
  uint64_t available = 0;
};
using Supplies = std::array<Supply, kSignals>;

struct Shortage {
  Signal signal = Signal::kMemory;
  uint64_t threshold = 0;
  uint64_t available = 0;
};
// In the order in which they are dealt with.
std::vector<Shortage> shortages(const Thresholds& thresholds, const Supplies& supplies);
std::string_view resource_name(Signal signal);  // "memory", "ephemeral-storage", "inodes", "pids"

// The node's conditions: a shortage shows for five minutes after it was last seen (upstream
// --eviction-pressure-transition-period), so that pods do not come and go.
class Pressure {
 public:
  void see(const std::vector<Shortage>& shortages, Mono now);
  bool memory() const { return shown_[0]; }
  bool storage() const { return shown_[1] || shown_[2]; }
  bool process_ids() const { return shown_[3]; }

 private:
  std::array<std::optional<Mono>, kSignals> seen_;
  std::array<bool, kSignals> shown_{};
};

struct Candidate {
  std::string uid;
  int64_t priority = 0;
  uint64_t usage = 0;
  uint64_t request = 0;
};
// The one to evict: over its request before others, then low priority, then most over it. Pods
// that the system needs (priority >= 2000000000) are no candidates. Null: there is none.
const Candidate* first_to_go(const std::vector<Candidate>& candidates);

}  // namespace coracle::node
