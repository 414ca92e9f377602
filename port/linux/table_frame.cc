// SPDX-License-Identifier: GPL-2.0-or-later
#include "port/linux/table_frame.h"

#include <algorithm>

#include <linux/netfilter.h>

#include "base/bytes.h"
#include "port/linux/nft_expressions.h"

namespace coracle::port_linux {
namespace {

// Type numbers of the nft tool: ipv4_addr 7, inet_proto 12, inet_service 13. A slot is listed as a
// mark (19): that is four bytes in the host's order too, and nft 1.0.6 aborts on a plain integer
// here.
constexpr uint32_t kPortType = 7 << 12 | 12 << 6 | 13;
constexpr uint32_t kSlotType = kPortType << 6 | 19;
constexpr uint32_t kClientType = 7 << 18 | kPortType;
constexpr uint32_t kBackendType = 7 << 6 | 13;
constexpr uint32_t kPairType = 7 << 6 | 7;

constexpr NftSet kSets[] = {
    {kRefusedSet, kPortType, 12, 0, 0},
    {kAddressSet, 7, 4, 0, 0},
    {kHairpinSet, kPairType, 8, 0, 0},
    {kMasqueradeSet, kPortType, 12, 0, 0},
    {kAffineMap, kPortType, 12, kVerdictType, 0},
};
constexpr NftSet kClients{kClientMap, kClientType, 16, kBackendType, 8, true, kClientsMax};

constexpr NftSet slot_set(const SlotMap& map) {
  return {map.name, kSlotType, 16, kBackendType, 8};
}

constexpr int32_t kDestinationNat = -100;
constexpr int32_t kFilter = 0;
constexpr int32_t kSourceNat = 100;
constexpr NftChain kChains[] = {
    {"refuse", nullptr},
    {"services", nullptr},
    {"node_ports", nullptr},
    {"prerouting", "nat", NF_INET_PRE_ROUTING, kDestinationNat},
    {"output", "nat", NF_INET_LOCAL_OUT, kDestinationNat},
    {"input", "nat", NF_INET_LOCAL_IN, kSourceNat},
    {"postrouting", "nat", NF_INET_POST_ROUTING, kSourceNat},
    {"refuse_input", "filter", NF_INET_LOCAL_IN, kFilter},
    {"refuse_forward", "filter", NF_INET_FORWARD, kFilter},
    {"refuse_output", "filter", NF_INET_LOCAL_OUT, kFilter},
};

constexpr std::string_view kAffinityPrefix = "affinity_";
constexpr std::string_view kNodeAffinityPrefix = "node_affinity_";
constexpr Cidr4 kLoopback{{0x7f000000}, 8};

// What a rule compares: the address that the packet goes to, or that of node ports.
enum class Entrance : uint8_t { kAddress, kNode };

NftRuleText& load_port(NftRuleText& rule, Entrance entrance) {
  if (entrance == Entrance::kNode) rule.number(kReg0, 0);
  if (entrance == Entrance::kAddress) rule.destination_address(kReg0);
  return rule.protocol(kReg1).destination_port(kReg2);
}

NftRuleText& load_client(NftRuleText& rule, Entrance entrance) {
  rule.source_address(kReg0);
  if (entrance == Entrance::kNode) rule.number(kReg1, 0);
  if (entrance == Entrance::kAddress) rule.destination_address(kReg1);
  return rule.protocol(kReg2).destination_port(kReg3);
}

// The same, once the destination is translated.
NftRuleText& load_original_port(NftRuleText& rule, Entrance entrance, Register first) {
  const auto at = [first](uint32_t offset) { return static_cast<Register>(first + offset); };
  if (entrance == Entrance::kNode) rule.number(first, 0);
  if (entrance == Entrance::kAddress) rule.original_destination(first);
  return rule.protocol(at(1)).original_port(at(2));
}

std::string affinity_chain(Entrance entrance, uint32_t seconds) {
  const bool node = entrance == Entrance::kNode;
  return join({node ? kNodeAffinityPrefix : kAffinityPrefix, std::to_string(seconds)});
}

// A client that is known goes where it went; another one gets a slot by chance.
void add_entrance(NftBatch& batch, const Shape& shape, Entrance entrance) {
  const char* chain = entrance == Entrance::kNode ? "node_ports" : "services";
  if (!shape.timeouts.empty()) {
    NftRuleText known(chain);
    load_client(known, entrance).map(kReg0, kClientMap, kReg0).dnat(kReg0, kReg1);
    batch.add_rule(known.get());
  }
  for (const SlotMap& map : kSlotMaps) {
    if (!shape.has(map)) continue;
    NftRuleText rule(chain);
    load_port(rule, entrance).random(kReg3, map.slots).map(kReg0, map.name, kReg0);
    batch.add_rule(rule.dnat(kReg0, kReg1).get());
  }
}

// Clients are remembered behind the translation, where the packet itself says which backend it got:
// nft 1.0.6 cannot list a rule that takes what it remembers from another map.
void add_affinity_chain(NftBatch& batch, Entrance entrance, uint32_t seconds) {
  const std::string chain = affinity_chain(entrance, seconds);
  batch.add_chain({chain.c_str(), nullptr});
  NftRuleText rule(chain.c_str());
  load_original_port(rule.source_address(kReg0), entrance, kReg1);
  rule.destination_address(kReg4).destination_port(kReg5);
  batch.add_rule(rule.remember(kClientMap, kReg0, kReg4, seconds).get());
}

void add_affinity(NftBatch& batch,
                  const port::Ruleset& ruleset,
                  const Shape& shape,
                  Entrance entrance) {
  for (const uint32_t seconds : shape.timeouts)
    add_affinity_chain(batch, entrance, seconds);
  for (const char* chain : {"input", "postrouting"}) {
    NftRuleText rule(chain);
    rule.if_dnat();
    if (entrance == Entrance::kNode)
      rule.original_destination(kReg0).if_not_in(kReg0, ruleset.service_cidr);
    load_original_port(rule, entrance, kReg0).map(kReg0, kAffineMap, kVerdict);
    batch.add_rule(rule.get());
  }
}

void add_entrances(NftBatch& batch, const Shape& shape) {
  add_entrance(batch, shape, Entrance::kAddress);
  if (shape.node_ports) add_entrance(batch, shape, Entrance::kNode);
  for (const char* chain : {"prerouting", "output"}) {
    batch.add_rule(NftRuleText(chain).jump("services").get());
    if (!shape.node_ports) continue;
    NftRuleText here(chain);
    here.if_destination_not_in(kLoopback).if_to_this_node().jump("node_ports");
    batch.add_rule(here.get());
  }
}

void add_refuse_rules(NftBatch& batch, const Shape& shape) {
  for (const char* chain : {"refuse_input", "refuse_forward", "refuse_output"}) {
    NftRuleText port(chain);
    load_port(port.if_new(), Entrance::kAddress).in_set(kReg0, kRefusedSet).go_to("refuse");
    batch.add_rule(port.get());
    NftRuleText address(chain);
    address.if_new().destination_address(kReg0).in_set(kReg0, kAddressSet).go_to("refuse");
    batch.add_rule(address.get());
  }
  if (shape.node_ports) {
    NftRuleText node("refuse_input");
    load_port(node.if_new(), Entrance::kNode).in_set(kReg0, kRefusedSet);
    node.if_destination_not_in(kLoopback).if_to_this_node().go_to("refuse");
    batch.add_rule(node.get());
  }
  batch.add_rule(NftRuleText("refuse").if_tcp().reset().get());
  batch.add_rule(NftRuleText("refuse").refuse().get());
}

void add_postrouting_rules(NftBatch& batch, const port::Ruleset& ruleset, const Shape& shape) {
  if (!shape.timeouts.empty()) {
    add_affinity(batch, ruleset, shape, Entrance::kAddress);
    if (shape.node_ports) add_affinity(batch, ruleset, shape, Entrance::kNode);
  }
  // A pod that reaches itself through a Service would see a packet from its own address. The node
  // that does so does not mind, and must not seem to come from another of its addresses.
  NftRuleText hairpin("postrouting");
  hairpin.if_dnat().if_leaving().source_address(kReg0).destination_address(kReg1);
  batch.add_rule(hairpin.in_set(kReg0, kHairpinSet).masquerade().get());
  NftRuleText hidden("postrouting");
  load_original_port(hidden.if_dnat(), Entrance::kAddress, kReg0);
  batch.add_rule(hidden.in_set(kReg0, kMasqueradeSet).masquerade().get());
  if (shape.node_ports) {
    NftRuleText node("postrouting");
    node.if_dnat().original_destination(kReg0).if_not_in(kReg0, ruleset.service_cidr);
    load_original_port(node, Entrance::kNode, kReg0);
    batch.add_rule(node.in_set(kReg0, kMasqueradeSet).masquerade().get());
  }
  NftRuleText leaving("postrouting");
  leaving.if_source_in(ruleset.pod_cidr).if_destination_not_in(ruleset.pod_cidr);
  batch.add_rule(leaving.if_destination_not_in(ruleset.service_cidr).masquerade().get());
}

}  // namespace

bool Shape::covers(const Shape& needed) const {
  return (needed.maps & ~maps) == 0 && (node_ports || !needed.node_ports) &&
         std::includes(timeouts.begin(), timeouts.end(), needed.timeouts.begin(),
                       needed.timeouts.end());
}

Shape shape_of(const port::Ruleset& ruleset) {
  Shape shape;
  for (const port::VirtualService& service : ruleset.services) {
    const SlotMap* map = slot_map(service);
    if (map == nullptr) continue;
    shape.maps |= 1u << static_cast<unsigned>(map - kSlotMaps.data());
    if (service.affinity_seconds > 0) shape.timeouts.insert(service.affinity_seconds);
  }
  shape.node_ports =
      std::any_of(ruleset.services.begin(), ruleset.services.end(),
                  [](const port::VirtualService& service) { return is_node_port(service.at); });
  return shape;
}

bool is_node_port(const port::VirtualPort& at) {
  return at.address.value == 0;
}

std::string affinity_chain(const port::VirtualPort& at, uint32_t seconds) {
  return affinity_chain(is_node_port(at) ? Entrance::kNode : Entrance::kAddress, seconds);
}

bool is_affinity_chain(std::string_view name) {
  return name.starts_with(kAffinityPrefix) || name.starts_with(kNodeAffinityPrefix);
}

// Each set is added first, so that what follows finds it. Adding one that exists changes nothing.
void empty_frame(NftBatch& batch, const Shape& shape, const std::set<std::string>& chains) {
  batch.delete_rules();
  for (const NftSet& set : kSets) {
    batch.add_set(set);
    batch.empty_set(set.name);
  }
  for (const SlotMap& map : kSlotMaps) {
    batch.add_set(slot_set(map));
    if (shape.has(map)) batch.empty_set(map.name);
    if (!shape.has(map)) batch.delete_set(map.name);
  }
  for (const std::string& chain : chains)
    batch.delete_chain(chain.c_str());
}

void add_frame(NftBatch& batch, const port::Ruleset& ruleset, const Shape& shape) {
  for (const NftSet& set : kSets)
    batch.add_set(set);
  if (!shape.timeouts.empty()) batch.add_set(kClients);
  for (const SlotMap& map : kSlotMaps) {
    if (shape.has(map)) batch.add_set(slot_set(map));
  }
  for (const NftChain& chain : kChains)
    batch.add_chain(chain);
  add_entrances(batch, shape);
  add_refuse_rules(batch, shape);
  add_postrouting_rules(batch, ruleset, shape);
}

}  // namespace coracle::port_linux
