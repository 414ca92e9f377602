// SPDX-License-Identifier: GPL-2.0-or-later
// Every Node gets a part of the cluster's pod addresses of its own (upstream
// pkg/controller/nodeipam, RangeAllocator). All Nodes are one key: two plans at once would give the
// same part twice.
#include <algorithm>

#include "base/bytes.h"
#include "base/ip.h"
#include "controllers/controller.h"
#include "controllers/owners.h"
#include "controllers/rows.h"

namespace coracle::controllers {

namespace {

constexpr uint8_t kNodePrefix = 24;
constexpr size_t kNodesAtOnce = 32;  // the rest follows in the next plan

class Parts {
 public:
  explicit Parts(Cidr4 whole) : whole_(whole), prefix_(std::max(whole.prefix, kNodePrefix)) {}

  void take(Cidr4 part) { taken_.push_back(part); }
  std::optional<Cidr4> next() {
    const uint64_t step = uint64_t{1} << (32 - prefix_);
    const uint64_t first = whole_.network().value;
    const uint64_t end = first + (uint64_t{1} << (32 - whole_.prefix));
    for (uint64_t at = first; at < end; at += step) {
      const Cidr4 part{{static_cast<uint32_t>(at)}, prefix_};
      const bool free = std::none_of(taken_.begin(), taken_.end(), [&](const Cidr4& taken) {
        return taken.contains(part.address) || part.contains(taken.address);
      });
      if (!free) continue;
      take(part);
      return part;
    }
    return std::nullopt;
  }

 private:
  Cidr4 whole_;
  uint8_t prefix_;
  std::vector<Cidr4> taken_;
};

std::string patch_of(const Cidr4& part) {
  const std::string text = part.text();
  return join({"{\"spec\":{\"podCIDR\":\"", text, "\",\"podCIDRs\":[\"", text, "\"]}}"});
}

Result<api::Plan> plan_parts(const Now& now, const api::Key&) {
  api::Plan plan;
  const std::optional<Cidr4> whole = parse_cidr4(now.pod_cidr);
  if (!whole) return plan;
  Parts parts(*whole);
  std::vector<api::ObjectRef> bare;
  api::for_each(now.state, api::kNode, {}, [&](const api::ObjectRef& node) {
    json::Tree tree;
    const json::Node part = node->parse(tree)["spec"]["podCIDR"];
    if (const auto taken = parse_cidr4(part.string()))
      parts.take(*taken);
    else if (!node->deleting())
      bare.push_back(node);
  });
  if (bare.size() > kNodesAtOnce) bare.resize(kNodesAtOnce);
  for (const api::ObjectRef& node : bare) {
    const std::optional<Cidr4> part = parts.next();
    if (!part) {
      plan.notes.push_back({node, true, "CIDRNotAvailable",
                            join({"Node ", node->name(), " status is now: CIDRNotAvailable"})});
      continue;
    }
    plan.calls.push_back(merge_patch_call(parse(node), patch_of(*part)));
  }
  return plan;
}

// Only a Node without its part, or one that gives its part back, is of interest.
void wake_all_nodes(const api::Change& change, const api::State&, Keys& keys) {
  const bool has_part = change.after->text().find("\"podCIDR\":\"") != std::string_view::npos;
  if (!has_part || change.type == api::ChangeType::kDeleted) keys.insert({&api::kNode, {}, {}});
}

constexpr Watch kWatches[] = {{&api::kNode, wake_all_nodes}};

}  // namespace

const Controller kNodeIpamController{"cidrAllocator", kWatches, plan_parts, nullptr};

}  // namespace coracle::controllers
