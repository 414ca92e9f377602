// SPDX-License-Identifier: GPL-2.0-or-later
// How errands are written down: shared by the files that hold them.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "tests/sim/errand.h"

namespace coracle::sim {

inline constexpr std::string_view kCore = "/api/v1";
inline constexpr std::string_view kApps = "/apis/apps/v1";
inline constexpr std::string_view kBatch = "/apis/batch/v1";

struct Errand {
  port_sim::Dice& dice;
  const History& history;
  std::string ns;
  std::string path(std::string_view group, std::string_view plural, std::string_view name = {}) {
    return join({group, "/namespaces/", ns, "/", plural, name.empty() ? "" : "/", name});
  }
  std::string number(uint64_t below) { return std::to_string(dice.below(below)); }
};

struct ErrandRow {
  uint64_t weight;
  http::Request (*make)(Errand& errand);
};

// The name of one that is there, or (now and then, or if there is none) one that may not be.
std::string some(Errand& errand, const api::Kind& kind, std::string_view otherwise);
std::string metadata(std::string_view name);
http::Request merge(std::string path, std::string body);
std::string containers(Errand& errand);

// errand_workloads.cc: StatefulSets, DaemonSets, Jobs, claims, budgets.
std::span<const ErrandRow> workload_errands();

}  // namespace coracle::sim
