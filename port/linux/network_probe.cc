// SPDX-License-Identifier: GPL-2.0-or-later
#include <cerrno>

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <sched.h>
#include <unistd.h>

#include "base/bytes.h"
#include "port/linux/conntrack.h"
#include "port/linux/kernel_probe.h"
#include "port/linux/packet_filter.h"
#include "port/linux/route.h"

namespace coracle::port_linux {
namespace {

constexpr const char* kBridge = "probe0";
constexpr Ip4 kGateway{0xc0000201};  // 192.0.2.1, for documentation
constexpr int32_t kSourceNat = 100;

// The rest of this process sees an empty network.
Result<> own_network() {
  if (::unshare(CLONE_NEWNET) != 0) return os_error(errno, "unshare net");
  return {};
}

Outcome told(const Result<>& result) {
  if (result) return works();
  return {false, result.error().message, {}};
}

Result<> make_bridge(Netlink& netlink) {
  TRY(add_bridge(netlink, kBridge, kGateway));
  const int bridge = TRY(link_index(netlink, kBridge));
  TRY(add_address(netlink, bridge, {kGateway, 24}));
  return set_link_up(netlink, bridge);
}

Result<> try_bridge() {
  TRY(own_network());
  Netlink netlink = TRY(Netlink::open(NETLINK_ROUTE));
  return make_bridge(netlink);
}

// A port of a bridge, if there is one: the pair as pods have it.
Result<> try_veth() {
  TRY(own_network());
  Netlink netlink = TRY(Netlink::open(NETLINK_ROUTE));
  TRY(add_veth(netlink, "probe1", ::getpid()));
  const int end = TRY(link_index(netlink, "probe1"));
  if (make_bridge(netlink)) {
    const int bridge = TRY(link_index(netlink, kBridge));
    TRY(set_master(netlink, end, bridge));
    TRY(set_hairpin(netlink, end));
  }
  return set_link_up(netlink, end);
}

Result<> try_chain(const char* type) {
  TRY(own_network());
  Netlink netlink = TRY(Netlink::open(NETLINK_NETFILTER));
  NftBatch batch(0);
  batch.add_table();
  batch.add_chain({"probe", type, NF_INET_POST_ROUTING, kSourceNat});
  return batch.commit(netlink);
}

// One batch for the chain and one for the rule, so that an error is that of the expression.
Result<Netlink> open_chain() {
  TRY(own_network());
  Netlink netlink = TRY(Netlink::open(NETLINK_NETFILTER));
  NftBatch frame(0);
  frame.add_table();
  frame.add_chain({"probe", nullptr});
  TRY(frame.commit(netlink));
  return netlink;
}

Result<> try_packet_filter() {
  TRY(own_network());
  port::Ruleset rules;
  rules.service_cidr = {kGateway, 25};
  rules.pod_cidr = {Ip4{kGateway.value + 128}, 25};
  const port::Backend backend{Ip4{kGateway.value + 130}, 8080};
  rules.services.push_back({{kGateway, port::Transport::kTcp, 80}, {backend}});
  rules.services.push_back({{kGateway, port::Transport::kTcp, 81}, {}});
  NftPacketFilter filter;
  TRY(filter.apply(rules));
  rules.services.pop_back();
  return filter.apply(rules);
}

Result<> try_conntrack_netlink() {
  TRY(own_network());
  port::Ruleset rules;
  rules.service_cidr = rules.pod_cidr = {kGateway, 24};
  TRY(flush_stale_udp(rules));
  return {};
}

}  // namespace

Outcome probe_bridge(const std::string&, const char*) {
  return told(try_bridge());
}

Outcome probe_veth(const std::string&, const char*) {
  return told(try_veth());
}

Outcome probe_nft_chain(const std::string&, const char* type) {
  return told(try_chain(type).with(join({"chain of type ", type})));
}

// ENOENT says that the kernel does not know the name (nf_tables_api.c, nft_expr_type_get). Known
// ones are taken, or refused with another error because they are empty.
Outcome probe_nft_expression(const std::string&, const char* name) {
  Result<Netlink> netlink = open_chain();
  if (!netlink) return {false, netlink.error().message, {}};
  NftBatch batch(0);
  batch.add_bare_rule("probe", name);
  const Result<> tried = batch.commit(*netlink);
  if (!tried && tried.error().code == Code::kNotFound)
    return {false, join({"nf_tables does not know the expression ", name}), {}};
  return works();
}

Outcome probe_packet_filter(const std::string&, const char*) {
  return told(try_packet_filter());
}

Outcome probe_conntrack_netlink(const std::string&, const char*) {
  return told(try_conntrack_netlink());
}

}  // namespace coracle::port_linux
