// SPDX-License-Identifier: GPL-2.0-or-later
#include "port/linux/packet_filter.h"

#include <cstring>

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include "base/log.h"
#include "port/linux/conntrack.h"
#include "port/linux/nft_expressions.h"
#include "port/linux/slots.h"

namespace coracle::port_linux {
namespace {

constexpr size_t kElementBytes = 44;  // of a slot, in a batch
constexpr const char* kRefused = "refused";
constexpr const char* kHairpin = "hairpin";

// Type numbers of the nft tool: ipv4_addr 7, inet_proto 12, inet_service 13. A slot is listed as a
// mark (19): that is four bytes in the host's order too, and nft 1.0.6 aborts on a plain integer
// here.
constexpr uint32_t kPortType = 7 << 12 | 12 << 6 | 13;
constexpr uint32_t kSlotType = kPortType << 6 | 19;
constexpr uint32_t kBackendType = 7 << 6 | 13;
constexpr uint32_t kPairType = 7 << 6 | 7;

constexpr int32_t kDestinationNat = -100;
constexpr int32_t kFilter = 0;
constexpr int32_t kSourceNat = 100;
constexpr NftChain kChains[] = {
    {"refuse", nullptr},
    {"prerouting", "nat", NF_INET_PRE_ROUTING, kDestinationNat},
    {"output", "nat", NF_INET_LOCAL_OUT, kDestinationNat},
    {"postrouting", "nat", NF_INET_POST_ROUTING, kSourceNat},
    {"refuse_input", "filter", NF_INET_LOCAL_IN, kFilter},
    {"refuse_forward", "filter", NF_INET_FORWARD, kFilter},
    {"refuse_output", "filter", NF_INET_LOCAL_OUT, kFilter},
};

template <size_t N>
std::string_view view(const std::array<char, N>& bytes) {
  return {bytes.data(), bytes.size()};
}

uint32_t bit_of(const SlotMap* map) {
  return map == nullptr ? 0 : 1u << static_cast<unsigned>(map - kSlotMaps.data());
}

uint32_t maps_needed(const port::Ruleset& ruleset) {
  uint32_t maps = bit_of(kSlotMaps.data());
  for (const port::VirtualService& service : ruleset.services)
    maps |= bit_of(slot_map(service));
  return maps;
}

NftRuleText& load_port(NftRuleText& rule) {
  return rule.destination_address(kReg0).protocol(kReg1).destination_port(kReg2);
}

void add_dnat_rule(NftBatch& batch, const char* chain, const SlotMap& map) {
  NftRuleText rule(chain);
  load_port(rule);
  if (map.by_client) rule.source_hash(kReg3, map.slots);
  if (!map.by_client) rule.random(kReg3, map.slots);
  rule.map(kReg0, map.name, kReg0).dnat(kReg0, kReg1);
  batch.add_rule(rule.get());
}

void add_refuse_rules(NftBatch& batch) {
  for (const char* chain : {"refuse_input", "refuse_forward", "refuse_output"}) {
    NftRuleText rule(chain);
    rule.if_new();
    load_port(rule).in_set(kReg0, kRefused).go_to("refuse");
    batch.add_rule(rule.get());
  }
  batch.add_rule(NftRuleText("refuse").if_tcp().reset().get());
  batch.add_rule(NftRuleText("refuse").refuse().get());
}

void add_postrouting_rules(NftBatch& batch, const port::Ruleset& ruleset) {
  // A pod that reaches itself through a Service would see a packet from its own address.
  NftRuleText hairpin("postrouting");
  hairpin.if_dnat().source_address(kReg0).destination_address(kReg1);
  batch.add_rule(hairpin.in_set(kReg0, kHairpin).masquerade().get());
  NftRuleText leaving("postrouting");
  leaving.if_source_in(ruleset.pod_cidr).if_destination_not_in(ruleset.pod_cidr);
  batch.add_rule(leaving.if_destination_not_in(ruleset.service_cidr).masquerade().get());
}

constexpr NftSet kRefusedSet{kRefused, kPortType, 12, 0, 0};
constexpr NftSet kHairpinSet{kHairpin, kPairType, 8, 0, 0};

constexpr NftSet slot_set(const SlotMap& map) {
  return {map.name, kSlotType, 16, kBackendType, 8};
}

// Each set is added first, so that what follows finds it. Adding one that exists changes nothing.
void empty_sets(NftBatch& batch, uint32_t maps) {
  for (const NftSet& set : {kRefusedSet, kHairpinSet}) {
    batch.add_set(set);
    batch.empty_set(set.name);
  }
  for (const SlotMap& map : kSlotMaps) {
    batch.add_set(slot_set(map));
    if ((maps & bit_of(&map)) != 0) batch.empty_set(map.name);
    if ((maps & bit_of(&map)) == 0) batch.delete_set(map.name);
  }
}

void add_frame(NftBatch& batch, const port::Ruleset& ruleset, uint32_t maps) {
  batch.add_set(kRefusedSet);
  batch.add_set(kHairpinSet);
  for (const NftChain& chain : kChains)
    batch.add_chain(chain);
  for (const SlotMap& map : kSlotMaps) {
    if ((maps & bit_of(&map)) == 0) continue;
    batch.add_set(slot_set(map));
    add_dnat_rule(batch, "prerouting", map);
    add_dnat_rule(batch, "output", map);
  }
  add_refuse_rules(batch);
  add_postrouting_rules(batch, ruleset);
}

void put_slots(NftBatch& batch, const port::VirtualService& service, const SlotMap& map) {
  if (service.backends.size() > kBackendsMax)
    LOG(kWarn, "port: used only some backends", kv("service", service.at.address.text()),
        kv("used", kBackendsMax), kv("of", service.backends.size()));
  const auto slots = assign_slots(service.backends, map.slots);
  for (uint32_t slot = 0; slot < map.slots; slot++)
    batch.put_element(map.name, view(slot_key(service.at, slot)),
                      view(backend_value(*slots[slot])));
}

void delete_slots(NftBatch& batch, const port::VirtualService& service, const SlotMap& map) {
  for (uint32_t slot = 0; slot < map.slots; slot++)
    batch.delete_element(map.name, view(slot_key(service.at, slot)));
}

void move_slots(NftBatch& batch,
                const port::VirtualService& before,
                const port::VirtualService& after,
                const SlotMap& map) {
  const auto old_slots = assign_slots(before.backends, map.slots);
  const auto new_slots = assign_slots(after.backends, map.slots);
  for (uint32_t slot = 0; slot < map.slots; slot++) {
    if (*old_slots[slot] != *new_slots[slot])
      batch.delete_element(map.name, view(slot_key(after.at, slot)));
  }
  for (uint32_t slot = 0; slot < map.slots; slot++) {
    if (*old_slots[slot] != *new_slots[slot])
      batch.put_element(map.name, view(slot_key(after.at, slot)),
                        view(backend_value(*new_slots[slot])));
  }
}

int take_handle(const nlmsghdr* header, void* out) {
  const auto take = [](const nlattr* attribute, void* handle) {
    if (mnl_attr_get_type(attribute) == NFTA_TABLE_HANDLE)
      *static_cast<uint64_t*>(handle) = mnl_attr_get_u64(attribute);
    return static_cast<int>(MNL_CB_OK);
  };
  mnl_attr_parse(header, sizeof(nfgenmsg), take, out);
  return MNL_CB_OK;
}

uint64_t read_table_handle(Netlink& netlink) {
  Message message((NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_GETTABLE, NLM_F_ACK);
  message.extra<nfgenmsg>().nfgen_family = NFPROTO_IPV4;
  mnl_attr_put_strz(message.get(), NFTA_TABLE_NAME, kNftTable);
  uint64_t handle = 0;
  const Result<> read = netlink.dump(message, take_handle, &handle, "read table");
  return read ? handle : 0;
}

}  // namespace

Result<> NftPacketFilter::apply(const port::Ruleset& ruleset) {
  if (!netlink_) netlink_ = TRY(Netlink::open(NETLINK_NETFILTER));
  const bool fits = applied_ && applied_->service_cidr == ruleset.service_cidr &&
                    applied_->pod_cidr == ruleset.pod_cidr &&
                    (maps_needed(ruleset) & ~maps_) == 0 && table_stands();
  bool udp_changed = true;
  Result<> done = fits ? change(ruleset, udp_changed) : rebuild(ruleset);
  // A change that the kernel refuses met a table that is not what we remember.
  if (!done && fits) done = rebuild(ruleset);
  if (!done) return done;
  if (applied_) {
    applied_->services = ruleset.services;  // keeps the memory it has
  } else {
    applied_ = ruleset;
  }
  return udp_changed ? flush(ruleset) : Result<>();
}

Result<> NftPacketFilter::remove() {
  if (!netlink_) netlink_ = TRY(Netlink::open(NETLINK_NETFILTER));
  applied_.reset();
  backend_addresses_.clear();
  NftBatch batch(0);
  batch.add_table();  // so that deleting it cannot fail
  batch.delete_table();
  return batch.commit(*netlink_);
}

bool NftPacketFilter::table_stands() {
  return table_handle_ != 0 && read_table_handle(*netlink_) == table_handle_;
}

// One transaction, so no packet ever meets a table that is half made. The chains of a table that an
// earlier daemon left stay hooked: between two tables, a packet that passed the new one before the
// transaction and the old one after it would meet no rule at all. A table of another shape has to
// go.
Result<> NftPacketFilter::rebuild(const port::Ruleset& ruleset) {
  if (rebuild(ruleset, Old::kRefill)) return {};
  return rebuild(ruleset, Old::kDelete);
}

Result<> NftPacketFilter::rebuild(const port::Ruleset& ruleset, Old old) {
  applied_.reset();
  backend_addresses_.clear();
  maps_ = maps_needed(ruleset);
  size_t slots = 0;
  for (const port::VirtualService& service : ruleset.services) {
    const SlotMap* map = slot_map(service);
    slots += 1 + (map != nullptr ? map->slots : 0);
  }
  NftBatch batch(slots * (kElementBytes + 1));
  batch.add_table();
  if (old == Old::kDelete) {
    batch.delete_table();
    batch.add_table();
  } else {
    batch.delete_rules();
    empty_sets(batch, maps_);
  }
  add_frame(batch, ruleset, maps_);
  for (const port::VirtualService& service : ruleset.services) {
    const SlotMap* map = slot_map(service);
    if (map != nullptr) put_slots(batch, service, *map);
  }
  for (const port::VirtualService& service : ruleset.services) {
    if (service.backends.empty()) batch.put_element(kRefused, view(port_key(service.at)), {});
  }
  for (const port::VirtualService& service : ruleset.services)
    count_backends(batch, service, 1);
  Result<> committed = batch.commit(*netlink_);
  table_handle_ = committed ? read_table_handle(*netlink_) : 0;
  return committed;
}

// Both lists are sorted: one walk finds what came, went and changed.
Result<> NftPacketFilter::change(const port::Ruleset& ruleset, bool& udp_changed) {
  NftBatch batch(0);
  udp_changed = false;
  auto before = applied_->services.begin();
  auto after = ruleset.services.begin();
  while (before != applied_->services.end() || after != ruleset.services.end()) {
    const bool only_before = after == ruleset.services.end() ||
                             (before != applied_->services.end() && before->at < after->at);
    const bool only_after =
        !only_before && (before == applied_->services.end() || after->at < before->at);
    const port::VirtualService* old_one = only_after ? nullptr : &*before++;
    const port::VirtualService* new_one = only_before ? nullptr : &*after++;
    if (old_one != nullptr && new_one != nullptr && *old_one == *new_one) continue;
    replace_service(batch, old_one, new_one);
    udp_changed |= (new_one != nullptr ? new_one : old_one)->at.transport == port::Transport::kUdp;
  }
  return batch.empty() ? Result<>() : batch.commit(*netlink_);
}

void NftPacketFilter::replace_service(NftBatch& batch,
                                      const port::VirtualService* before,
                                      const port::VirtualService* after) {
  const SlotMap* old_map = before != nullptr ? slot_map(*before) : nullptr;
  const SlotMap* new_map = after != nullptr ? slot_map(*after) : nullptr;
  const bool was_refused = before != nullptr && old_map == nullptr;
  const bool is_refused = after != nullptr && new_map == nullptr;
  if (was_refused && !is_refused) batch.delete_element(kRefused, view(port_key(before->at)));
  if (old_map != nullptr && old_map == new_map) {
    move_slots(batch, *before, *after, *new_map);
  } else {
    if (old_map != nullptr) delete_slots(batch, *before, *old_map);
    if (new_map != nullptr) put_slots(batch, *after, *new_map);
  }
  if (is_refused && !was_refused) batch.put_element(kRefused, view(port_key(after->at)), {});
  if (after != nullptr) count_backends(batch, *after, 1);
  if (before != nullptr) count_backends(batch, *before, -1);
}

void NftPacketFilter::count_backends(NftBatch& batch,
                                     const port::VirtualService& service,
                                     int step) {
  for (const port::Backend& backend : service.backends) {
    uint32_t& uses = backend_addresses_[backend.address.value];
    if (step > 0 && uses++ == 0)
      batch.put_element(kHairpin, view(hairpin_key(backend.address)), {});
    if (step < 0 && --uses == 0) {
      batch.delete_element(kHairpin, view(hairpin_key(backend.address)));
      backend_addresses_.erase(backend.address.value);
    }
  }
}

// Without connection tracking by netlink the Services work; only old UDP flows keep their old
// backends.
Result<> NftPacketFilter::flush(const port::Ruleset& ruleset) {
  const Result<size_t> flushed = flush_stale_udp(ruleset);
  if (!flushed) LOG(kWarn, "port: could not flush UDP flows", kv("error", flushed.error().message));
  return {};
}

}  // namespace coracle::port_linux
