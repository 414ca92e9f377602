// SPDX-License-Identifier: GPL-2.0-or-later
#include "port/linux/conntrack.h"

#include <algorithm>
#include <array>

#include <arpa/inet.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/in.h>

#include "port/linux/netlink.h"

namespace coracle::port_linux {
namespace {

constexpr uint16_t kGet = (NFNL_SUBSYS_CTNETLINK << 8) | IPCTNL_MSG_CT_GET;
constexpr uint16_t kDelete = (NFNL_SUBSYS_CTNETLINK << 8) | IPCTNL_MSG_CT_DELETE;
constexpr size_t kStaleMax = 65'536;  // per flush; what is more ends by its own timeout

struct Nested {
  std::array<const nlattr*, 32> at{};
  explicit Nested(const nlattr* outer) {
    if (outer != nullptr) mnl_attr_parse_nested(outer, take, this);
  }
  static int take(const nlattr* attribute, void* self) {
    const uint16_t type = mnl_attr_get_type(attribute);
    if (type < 32) static_cast<Nested*>(self)->at[type] = attribute;
    return MNL_CB_OK;
  }
  Ip4 ip(unsigned type) const {
    return {at[type] != nullptr ? ntohl(mnl_attr_get_u32(at[type])) : 0};
  }
  uint16_t port(unsigned type) const {
    return at[type] != nullptr ? ntohs(mnl_attr_get_u16(at[type])) : uint16_t{0};
  }
};

struct Search {
  const port::Ruleset& ruleset;
  std::vector<std::string> stale;  // original tuples as the kernel wrote them
};

struct Flow {
  bool udp = false;
  port::VirtualPort to;   // as the client sees it
  port::Backend answers;  // who the kernel expects to answer
};

Flow flow_of(const nlattr* original, const nlattr* reply) {
  const Nested there(original);
  const Nested back(reply);
  const Nested there_ip(there.at[CTA_TUPLE_IP]);
  const Nested there_proto(there.at[CTA_TUPLE_PROTO]);
  const Nested back_ip(back.at[CTA_TUPLE_IP]);
  const Nested back_proto(back.at[CTA_TUPLE_PROTO]);
  const nlattr* number = there_proto.at[CTA_PROTO_NUM];
  Flow flow;
  flow.udp = number != nullptr && mnl_attr_get_u8(number) == IPPROTO_UDP;
  flow.to = {there_ip.ip(CTA_IP_V4_DST), port::Transport::kUdp,
             there_proto.port(CTA_PROTO_DST_PORT)};
  flow.answers = {back_ip.ip(CTA_IP_V4_SRC), back_proto.port(CTA_PROTO_SRC_PORT)};
  return flow;
}

const port::VirtualService* find(const port::Ruleset& ruleset, const port::VirtualPort& at) {
  const auto& services = ruleset.services;
  const auto service = std::lower_bound(
      services.begin(), services.end(), at,
      [](const port::VirtualService& s, const port::VirtualPort& wanted) { return s.at < wanted; });
  return service != services.end() && service->at == at ? &*service : nullptr;
}

bool is_stale(const port::Ruleset& ruleset, const Flow& flow) {
  if (!flow.udp) return false;
  const auto leads_there = [&flow](const port::VirtualService& service) {
    return std::binary_search(service.backends.begin(), service.backends.end(), flow.answers);
  };
  if (const port::VirtualService* service = find(ruleset, flow.to)) return !leads_there(*service);
  if (ruleset.service_cidr.contains(flow.to.address)) return true;
  if (!ruleset.pod_cidr.contains(flow.answers.address)) return false;
  const port::VirtualPort node_port{{}, flow.to.transport, flow.to.port};
  const port::VirtualService* service = find(ruleset, node_port);
  return service != nullptr && flow.answers.address != flow.to.address && !leads_there(*service);
}

int take_flow(const nlmsghdr* header, void* data) {
  Search& search = *static_cast<Search*>(data);
  std::array<const nlattr*, 64> at{};
  const auto take = [](const nlattr* attribute, void* out) {
    const uint16_t type = mnl_attr_get_type(attribute);
    if (type < 64) (*static_cast<std::array<const nlattr*, 64>*>(out))[type] = attribute;
    return static_cast<int>(MNL_CB_OK);
  };
  mnl_attr_parse(header, sizeof(nfgenmsg), take, &at);
  const nlattr* original = at[CTA_TUPLE_ORIG];
  if (original == nullptr || search.stale.size() == kStaleMax) return MNL_CB_OK;
  if (!is_stale(search.ruleset, flow_of(original, at[CTA_TUPLE_REPLY]))) return MNL_CB_OK;
  search.stale.emplace_back(static_cast<const char*>(mnl_attr_get_payload(original)),
                            mnl_attr_get_payload_len(original));
  return MNL_CB_OK;
}

}  // namespace

Result<size_t> flush_stale_udp(const port::Ruleset& ruleset) {
  Netlink netlink = TRY(Netlink::open(NETLINK_NETFILTER));
  Message list(kGet, NLM_F_DUMP);
  list.extra<nfgenmsg>().nfgen_family = AF_INET;
  Search search{ruleset, {}};
  TRY(netlink.dump(list, take_flow, &search, "list tracked flows"));
  for (const std::string& tuple : search.stale) {
    Message message(kDelete, 0);
    message.extra<nfgenmsg>().nfgen_family = AF_INET;
    mnl_attr_put(message.get(), CTA_TUPLE_ORIG | NLA_F_NESTED, tuple.size(), tuple.data());
    Result<> deleted = netlink.talk(message, "delete a tracked flow");
    if (!deleted && deleted.error().code != Code::kNotFound) return deleted.error();
  }
  return search.stale.size();
}

}  // namespace coracle::port_linux
