// SPDX-License-Identifier: GPL-2.0-or-later
#include "port/linux/route.h"

#include <algorithm>
#include <array>

#include <arpa/inet.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>

#include "base/bytes.h"

namespace coracle::port_linux {
namespace {

template <class Row>
using Rows = std::vector<Row>;

struct Attributes {
  std::array<const nlattr*, 64> at{};
  static int take(const nlattr* attribute, void* self) {
    const uint16_t type = mnl_attr_get_type(attribute);
    if (type < 64) static_cast<Attributes*>(self)->at[type] = attribute;
    return MNL_CB_OK;
  }
  uint32_t u32(unsigned type) const { return at[type] != nullptr ? mnl_attr_get_u32(at[type]) : 0; }
};

int take_link(const nlmsghdr* header, void* out) {
  const auto* info = static_cast<const ifinfomsg*>(mnl_nlmsg_get_payload(header));
  Attributes attributes;
  mnl_attr_parse(header, sizeof *info, Attributes::take, &attributes);
  const nlattr* name = attributes.at[IFLA_IFNAME];
  static_cast<Rows<LinkRow>*>(out)->push_back(
      {info->ifi_index, info->ifi_flags, name != nullptr ? mnl_attr_get_str(name) : ""});
  return MNL_CB_OK;
}

int take_address(const nlmsghdr* header, void* out) {
  const auto* info = static_cast<const ifaddrmsg*>(mnl_nlmsg_get_payload(header));
  Attributes attributes;
  mnl_attr_parse(header, sizeof *info, Attributes::take, &attributes);
  const unsigned type = attributes.at[IFA_LOCAL] != nullptr ? IFA_LOCAL : IFA_ADDRESS;
  const Ip4 ip{ntohl(attributes.u32(type))};
  static_cast<Rows<AddressRow>*>(out)->push_back(
      {static_cast<int>(info->ifa_index), {ip, info->ifa_prefixlen}, info->ifa_scope});
  return MNL_CB_OK;
}

int take_route(const nlmsghdr* header, void* out) {
  const auto* info = static_cast<const rtmsg*>(mnl_nlmsg_get_payload(header));
  if (info->rtm_table != RT_TABLE_MAIN || info->rtm_type != RTN_UNICAST) return MNL_CB_OK;
  Attributes attributes;
  mnl_attr_parse(header, sizeof *info, Attributes::take, &attributes);
  const Ip4 ip{ntohl(attributes.u32(RTA_DST))};
  static_cast<Rows<RouteRow>*>(out)->push_back({{ip, info->rtm_dst_len},
                                                static_cast<int>(attributes.u32(RTA_OIF)),
                                                attributes.u32(RTA_PRIORITY),
                                                info->rtm_protocol});
  return MNL_CB_OK;
}

Result<> accept(Result<> result, Code fine) {
  if (!result && result.error().code == fine) return {};
  return result;
}

// Strings in link messages are ended by a NUL.
void put_name(Message& message, const std::string& name) {
  mnl_attr_put_strz(message.get(), IFLA_IFNAME, name.c_str());
}

Message change_link(int index) {
  Message message(RTM_NEWLINK, 0);
  message.extra<ifinfomsg>().ifi_index = index;
  return message;
}

}  // namespace

Result<std::vector<LinkRow>> list_links(Netlink& netlink) {
  Message message(RTM_GETLINK, NLM_F_DUMP);
  message.extra<ifinfomsg>();
  std::vector<LinkRow> rows;
  TRY(netlink.dump(message, take_link, &rows, "list links"));
  return rows;
}

Result<std::vector<AddressRow>> list_addresses(Netlink& netlink) {
  Message message(RTM_GETADDR, NLM_F_DUMP);
  message.extra<ifaddrmsg>().ifa_family = AF_INET;
  std::vector<AddressRow> rows;
  TRY(netlink.dump(message, take_address, &rows, "list addresses"));
  return rows;
}

Result<std::vector<RouteRow>> list_routes(Netlink& netlink) {
  Message message(RTM_GETROUTE, NLM_F_DUMP);
  message.extra<rtmsg>().rtm_family = AF_INET;
  std::vector<RouteRow> rows;
  TRY(netlink.dump(message, take_route, &rows, "list routes"));
  return rows;
}

Result<int> link_index(Netlink& netlink, const std::string& name) {
  const std::vector<LinkRow> links = TRY(list_links(netlink));
  const auto found = std::find_if(links.begin(), links.end(),
                                  [&](const LinkRow& link) { return link.name == name; });
  if (found == links.end()) return fail(Code::kNotFound, join({"no link ", name}));
  return found->index;
}

// An address of its own: without one a bridge takes the lowest of its ports, and every pod that
// comes or goes would invalidate what the others know about their gateway.
Result<> add_bridge(Netlink& netlink, const std::string& name, Ip4 address) {
  Message message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
  message.extra<ifinfomsg>();
  put_name(message, name);
  const std::array<uint8_t, 6> mac{0x0a,
                                   0x58,
                                   static_cast<uint8_t>(address.value >> 24),
                                   static_cast<uint8_t>(address.value >> 16),
                                   static_cast<uint8_t>(address.value >> 8),
                                   static_cast<uint8_t>(address.value)};
  mnl_attr_put(message.get(), IFLA_ADDRESS, mac.size(), mac.data());
  nlattr* info = mnl_attr_nest_start(message.get(), IFLA_LINKINFO);
  mnl_attr_put_str(message.get(), IFLA_INFO_KIND, "bridge");
  mnl_attr_nest_end(message.get(), info);
  return accept(netlink.talk(message, join({"add bridge ", name})), Code::kAlreadyExists);
}

Result<> add_veth(Netlink& netlink, const std::string& name, int64_t pid) {
  Message message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
  message.extra<ifinfomsg>();
  put_name(message, name);
  nlattr* info = mnl_attr_nest_start(message.get(), IFLA_LINKINFO);
  mnl_attr_put_str(message.get(), IFLA_INFO_KIND, "veth");
  nlattr* data = mnl_attr_nest_start(message.get(), IFLA_INFO_DATA);
  nlattr* peer = mnl_attr_nest_start(message.get(), VETH_INFO_PEER);
  message.extra<ifinfomsg>();
  put_name(message, "eth0");
  mnl_attr_put_u32(message.get(), IFLA_NET_NS_PID, static_cast<uint32_t>(pid));
  mnl_attr_nest_end(message.get(), peer);
  mnl_attr_nest_end(message.get(), data);
  mnl_attr_nest_end(message.get(), info);
  return netlink.talk(message, join({"add veth ", name}));
}

Result<> delete_link(Netlink& netlink, const std::string& name) {
  const Result<int> index = link_index(netlink, name);
  if (!index && index.error().code == Code::kNotFound) return {};
  if (!index) return index.error();
  Message message(RTM_DELLINK, 0);
  message.extra<ifinfomsg>().ifi_index = *index;
  return netlink.talk(message, join({"delete link ", name}));
}

Result<> set_link_up(Netlink& netlink, int index) {
  Message message(RTM_NEWLINK, 0);
  ifinfomsg& info = message.extra<ifinfomsg>();
  info.ifi_index = index;
  info.ifi_flags = info.ifi_change = IFF_UP;
  return netlink.talk(message, "set link up");
}

Result<> set_master(Netlink& netlink, int index, int bridge) {
  Message message = change_link(index);
  mnl_attr_put_u32(message.get(), IFLA_MASTER, static_cast<uint32_t>(bridge));
  return netlink.talk(message, "enslave to the bridge");
}

Result<> set_hairpin(Netlink& netlink, int index) {
  Message message(RTM_SETLINK, 0);
  ifinfomsg& info = message.extra<ifinfomsg>();
  info.ifi_family = AF_BRIDGE;
  info.ifi_index = index;
  nlattr* port = mnl_attr_nest_start(message.get(), IFLA_PROTINFO | NLA_F_NESTED);
  mnl_attr_put_u8(message.get(), IFLA_BRPORT_MODE, BRIDGE_MODE_HAIRPIN);
  mnl_attr_nest_end(message.get(), port);
  return netlink.talk(message, "set hairpin mode");
}

Result<> add_address(Netlink& netlink, int index, Cidr4 address) {
  Message message(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL);
  ifaddrmsg& info = message.extra<ifaddrmsg>();
  info.ifa_family = AF_INET;
  info.ifa_prefixlen = address.prefix;
  info.ifa_scope = RT_SCOPE_UNIVERSE;
  info.ifa_index = static_cast<uint32_t>(index);
  mnl_attr_put_u32(message.get(), IFA_LOCAL, htonl(address.address.value));
  mnl_attr_put_u32(message.get(), IFA_ADDRESS, htonl(address.address.value));
  return accept(netlink.talk(message, join({"add address ", address.text()})),
                Code::kAlreadyExists);
}

Result<> put_route(Netlink& netlink, const Route& route) {
  Message message(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE);
  rtmsg& info = message.extra<rtmsg>();
  info.rtm_family = AF_INET;
  info.rtm_dst_len = route.destination.prefix;
  info.rtm_table = RT_TABLE_MAIN;
  info.rtm_protocol = route.link == 0 ? kGatewayRoute : RTPROT_STATIC;
  info.rtm_scope = route.gateway.value == 0 ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
  info.rtm_type = RTN_UNICAST;
  if (route.destination.prefix > 0)
    mnl_attr_put_u32(message.get(), RTA_DST, htonl(route.destination.network().value));
  if (route.gateway.value != 0)
    mnl_attr_put_u32(message.get(), RTA_GATEWAY, htonl(route.gateway.value));
  if (route.link != 0) mnl_attr_put_u32(message.get(), RTA_OIF, static_cast<uint32_t>(route.link));
  return netlink.talk(message, join({"add route ", route.destination.text()}));
}

Result<> delete_route(Netlink& netlink, Cidr4 destination) {
  Message message(RTM_DELROUTE, 0);
  rtmsg& info = message.extra<rtmsg>();
  info.rtm_family = AF_INET;
  info.rtm_dst_len = destination.prefix;
  info.rtm_table = RT_TABLE_MAIN;
  info.rtm_scope = RT_SCOPE_NOWHERE;  // any
  mnl_attr_put_u32(message.get(), RTA_DST, htonl(destination.network().value));
  return netlink.talk(message, join({"delete route ", destination.text()}));
}

}  // namespace coracle::port_linux
