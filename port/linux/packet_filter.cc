// SPDX-License-Identifier: GPL-2.0-or-later
#include "port/linux/packet_filter.h"

#include <cstring>

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include "base/log.h"
#include "port/linux/clients.h"
#include "port/linux/conntrack.h"

namespace coracle::port_linux {
namespace {

constexpr size_t kElementBytes = 44;  // of a slot, in a batch

template <size_t N>
std::string_view view(const std::array<char, N>& bytes) {
  return {bytes.data(), bytes.size()};
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

// One element per set that says something about the port of a service.
struct Mark {
  const char* set = nullptr;  // null: it has none
  uint32_t seconds = 0;       // of the affinity
  friend bool operator==(const Mark&, const Mark&) = default;
};
using Marks = std::array<Mark, 3>;

Marks marks_of(const port::VirtualService& service) {
  Marks marks;
  if (service.backends.empty()) return {{{kRefusedSet}}};
  if (service.masquerade) marks[1] = {kMasqueradeSet};
  if (service.affinity_seconds > 0) marks[2] = {kAffineMap, service.affinity_seconds};
  return marks;
}

void put_mark(NftBatch& batch, const port::VirtualService& service, const Mark& mark) {
  if (mark.set == nullptr) return;
  const auto key = port_key(service.at);
  if (mark.seconds == 0) return batch.put_element(mark.set, view(key), {});
  batch.put_jump(mark.set, view(key), affinity_chain(service.at, mark.seconds).c_str());
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

// A kernel that cannot tell its own addresses serves everything but node ports.
Result<> NftPacketFilter::apply(const port::Ruleset& ruleset) {
  if (!netlink_) netlink_ = TRY(Netlink::open(NETLINK_NETFILTER));
  if (!lacks_fib_) {
    Result<> done = apply_all(ruleset);
    if (done || !shape_of(ruleset).node_ports || knows("fib")) return done;
    lacks_fib_ = true;
    LOG(kError, "port: node ports not served: the kernel lacks NFT_FIB_IPV4");
  }
  port::Ruleset rest = ruleset;
  std::erase_if(rest.services, [](const auto& service) { return is_node_port(service.at); });
  return apply_all(rest);
}

// ENOENT says that the kernel does not know the name; a known expression is refused with another
// error, as there is nothing in it. Either way the batch fails and changes nothing.
bool NftPacketFilter::knows(const char* expression) {
  NftBatch batch(0);
  batch.add_table();
  batch.add_chain({"refuse", nullptr});
  batch.add_bare_rule("refuse", expression);
  const Result<> tried = batch.commit(*netlink_);
  return tried || tried.error().code != Code::kNotFound;
}

Result<> NftPacketFilter::apply_all(const port::Ruleset& ruleset) {
  const bool fits = applied_ && applied_->service_cidr == ruleset.service_cidr &&
                    applied_->pod_cidr == ruleset.pod_cidr && shape_.covers(shape_of(ruleset)) &&
                    table_stands();
  Leftovers leftovers;
  Result<> done = fits ? change(ruleset, leftovers) : rebuild(ruleset);
  // A change that the kernel refuses met a table that is not what we remember.
  if (!done && fits) done = rebuild(ruleset);
  if (!done) return done;
  if (applied_) {
    applied_->services = ruleset.services;  // keeps the memory it has
  } else {
    applied_ = ruleset;
    leftovers = {true, true};
  }
  flush(ruleset, leftovers);
  return {};
}

Result<> NftPacketFilter::remove() {
  if (!netlink_) netlink_ = TRY(Netlink::open(NETLINK_NETFILTER));
  forget();
  NftBatch batch(0);
  batch.add_table();  // so that deleting it cannot fail
  batch.delete_table();
  return batch.commit(*netlink_);
}

void NftPacketFilter::forget() {
  applied_.reset();
  backend_addresses_.clear();
  cluster_addresses_.clear();
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
  forget();
  shape_ = shape_of(ruleset);
  size_t slots = 0;
  for (const port::VirtualService& service : ruleset.services) {
    const SlotMap* map = slot_map(service);
    slots += 2 + (map != nullptr ? map->slots : 0);
  }
  NftBatch batch(slots * (kElementBytes + 1));
  batch.add_table();
  if (old == Old::kDelete) {
    batch.delete_table();
    batch.add_table();
  } else {
    empty_frame(batch, shape_, TRY(list_affinity_chains(*netlink_)));
  }
  add_frame(batch, ruleset, shape_);
  // All elements of one map after the other: one message carries many.
  for (const port::VirtualService& service : ruleset.services) {
    const SlotMap* map = slot_map(service);
    if (map != nullptr) put_slots(batch, service, *map);
  }
  for (const port::VirtualService& service : ruleset.services) {
    for (const Mark& mark : marks_of(service))
      put_mark(batch, service, mark);
  }
  for (const port::VirtualService& service : ruleset.services)
    count_backends(batch, service, 1);
  for (const port::VirtualService& service : ruleset.services)
    count_address(batch, ruleset, service.at.address, 1);
  Result<> committed = batch.commit(*netlink_);
  table_handle_ = committed ? read_table_handle(*netlink_) : 0;
  return committed;
}

// Both lists are sorted: one walk finds what came, went and changed.
Result<> NftPacketFilter::change(const port::Ruleset& ruleset, Leftovers& leftovers) {
  NftBatch batch(0);
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
    replace_service(batch, ruleset, old_one, new_one);
    leftovers.flows |=
        (new_one != nullptr ? new_one : old_one)->at.transport == port::Transport::kUdp;
    leftovers.clients |= old_one != nullptr && old_one->affinity_seconds > 0;
  }
  return batch.empty() ? Result<>() : batch.commit(*netlink_);
}

void NftPacketFilter::replace_service(NftBatch& batch,
                                      const port::Ruleset& ruleset,
                                      const port::VirtualService* before,
                                      const port::VirtualService* after) {
  const SlotMap* old_map = before != nullptr ? slot_map(*before) : nullptr;
  const SlotMap* new_map = after != nullptr ? slot_map(*after) : nullptr;
  const Marks old_marks = before != nullptr ? marks_of(*before) : Marks{};
  const Marks new_marks = after != nullptr ? marks_of(*after) : Marks{};
  for (size_t i = 0; i < old_marks.size(); i++) {
    if (old_marks[i] != new_marks[i] && old_marks[i].set != nullptr)
      batch.delete_element(old_marks[i].set, view(port_key(before->at)));
  }
  if (old_map != nullptr && old_map == new_map) {
    move_slots(batch, *before, *after, *new_map);
  } else {
    if (old_map != nullptr) delete_slots(batch, *before, *old_map);
    if (new_map != nullptr) put_slots(batch, *after, *new_map);
  }
  for (size_t i = 0; i < new_marks.size(); i++) {
    if (old_marks[i] != new_marks[i]) put_mark(batch, *after, new_marks[i]);
  }
  if (after != nullptr) count_backends(batch, *after, 1);
  if (before != nullptr) count_backends(batch, *before, -1);
  if (after != nullptr) count_address(batch, ruleset, after->at.address, 1);
  if (before != nullptr) count_address(batch, ruleset, before->at.address, -1);
}

void NftPacketFilter::count_backends(NftBatch& batch,
                                     const port::VirtualService& service,
                                     int step) {
  for (const port::Backend& backend : service.backends) {
    uint32_t& uses = backend_addresses_[backend.address.value];
    if (step > 0 && uses++ == 0)
      batch.put_element(kHairpinSet, view(hairpin_key(backend.address)), {});
    if (step < 0 && --uses == 0) {
      batch.delete_element(kHairpinSet, view(hairpin_key(backend.address)));
      backend_addresses_.erase(backend.address.value);
    }
  }
}

void NftPacketFilter::count_address(NftBatch& batch,
                                    const port::Ruleset& ruleset,
                                    Ip4 address,
                                    int step) {
  if (!ruleset.service_cidr.contains(address)) return;
  uint32_t& uses = cluster_addresses_[address.value];
  if (step > 0 && uses++ == 0) batch.put_element(kAddressSet, view(address_key(address)), {});
  if (step < 0 && --uses == 0) {
    batch.delete_element(kAddressSet, view(address_key(address)));
    cluster_addresses_.erase(address.value);
  }
}

// Without connection tracking by netlink the Services work; only old UDP flows keep their old
// backends. A client of a backend that is gone tries in vain until it is forgotten.
void NftPacketFilter::flush(const port::Ruleset& ruleset, Leftovers leftovers) {
  if (leftovers.clients) {
    const Result<size_t> forgotten = forget_stale_clients(*netlink_, ruleset);
    if (!forgotten)
      LOG(kWarn, "port: could not forget clients", kv("error", forgotten.error().message));
  }
  if (!leftovers.flows) return;
  const Result<size_t> flushed = flush_stale_udp(ruleset);
  if (!flushed) LOG(kWarn, "port: could not flush UDP flows", kv("error", flushed.error().message));
}

}  // namespace coracle::port_linux
