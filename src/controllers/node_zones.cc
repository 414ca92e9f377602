// SPDX-License-Identifier: GPL-2.0-or-later
#include "controllers/node_zones.h"

#include <algorithm>
#include <map>

#include "base/bytes.h"
#include "controllers/pods.h"

namespace coracle::controllers {

namespace {

constexpr Duration kBetweenNodes = seconds(10);            // --node-eviction-rate 0.1
constexpr Duration kBetweenNodesDisrupted = seconds(100);  // --secondary-node-eviction-rate 0.01
constexpr size_t kLargeZone = 50;                          // --large-cluster-size-threshold
constexpr size_t kUnhealthyPercent = 55;                   // --unhealthy-zone-threshold

struct Zone {
  size_t ready = 0;
  size_t not_ready = 0;
  std::optional<Duration> last;  // since a node of it was given an evicting taint

  bool is_cut_off() const { return ready == 0 && not_ready > 0; }
  bool is_disrupted() const {
    return not_ready > 2 && not_ready * 100 >= kUnhealthyPercent * (ready + not_ready);
  }
};

std::string zone_of(json::Node node) {
  const json::Node labels = node["metadata"]["labels"];
  return join({labels["topology.kubernetes.io/region"].string(), "/",
               labels["topology.kubernetes.io/zone"].string()});
}

std::map<std::string, Zone> count_zones(const Now& now) {
  std::map<std::string, Zone> zones;
  api::for_each(now.state, api::kNode, {}, [&](const api::ObjectRef& object) {
    json::Tree tree;
    const json::Node node = object->parse(tree);
    Zone& zone = zones[zone_of(node)];
    ++(is_ready(node) ? zone.ready : zone.not_ready);
    for (const json::Node taint : node["spec"]["taints"]) {
      const std::string_view key = taint["key"].string();
      if (taint["effect"].string() != "NoExecute" ||
          (key != "node.kubernetes.io/not-ready" && key != "node.kubernetes.io/unreachable"))
        continue;
      const Duration since = now.ages.since_taint(object->name(), key);
      if (!zone.last || since < *zone.last) zone.last = since;
    }
  });
  return zones;
}

}  // namespace

EvictionTurn eviction_turn(const Now& now, const Parsed& node, Duration silent) {
  const std::string_view after = node.node["metadata"]["annotations"][kEvictAfter].string();
  if (after == "never") return {EvictionRule::kClear, {}};
  if (const auto given = parse_unsigned(after); given && *given < 1'000'000'000) {
    const Duration left = seconds(static_cast<int64_t>(*given)) - silent;
    if (left.ns > 0) return {EvictionRule::kWait, left};
  }
  const std::map<std::string, Zone> zones = count_zones(now);
  const bool all_cut_off = std::all_of(zones.begin(), zones.end(),
                                       [](const auto& entry) { return entry.second.is_cut_off(); });
  if (all_cut_off) return {EvictionRule::kClear, {}};
  const auto found = zones.find(zone_of(node.node));
  if (found == zones.end()) return {};
  const Zone& zone = found->second;
  Duration between = kBetweenNodes;
  if (!zone.is_cut_off() && zone.is_disrupted()) {
    if (zone.ready + zone.not_ready <= kLargeZone) return {EvictionRule::kStop, {}};
    between = kBetweenNodesDisrupted;
  }
  if (zone.last && *zone.last < between) return {EvictionRule::kWait, between - *zone.last};
  return {};
}

}  // namespace coracle::controllers
