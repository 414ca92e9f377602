// SPDX-License-Identifier: GPL-2.0-or-later
#include "port/linux/nft_expressions.h"

#include <arpa/inet.h>
#include <libnftnl/expr.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tuple_common.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>

namespace coracle::port_linux {
namespace {

constexpr uint32_t kSourceOffset = 12;  // in the IPv4 header
constexpr uint32_t kDestinationOffset = 16;
constexpr uint32_t kPortOffset = 2;  // of the destination, in the TCP and UDP headers

}  // namespace

NftRuleText::NftRuleText(const char* chain) : rule_(nftnl_rule_alloc()) {
  ASSERT(rule_ != nullptr);
  nftnl_rule_set_u32(rule_.get(), NFTNL_RULE_FAMILY, NFPROTO_IPV4);
  nftnl_rule_set_str(rule_.get(), NFTNL_RULE_TABLE, kNftTable);
  nftnl_rule_set_str(rule_.get(), NFTNL_RULE_CHAIN, chain);
}

nftnl_expr* NftRuleText::add(const char* kind) {
  nftnl_expr* expression = nftnl_expr_alloc(kind);
  ASSERT(expression != nullptr);
  nftnl_rule_add_expr(rule_.get(), expression);
  return expression;
}

NftRuleText& NftRuleText::payload(uint32_t base, uint32_t offset, uint32_t bytes, Register to) {
  nftnl_expr* e = add("payload");
  nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_BASE, base);
  nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_OFFSET, offset);
  nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_LEN, bytes);
  nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_DREG, to);
  return *this;
}

NftRuleText& NftRuleText::source_address(Register to) {
  return payload(NFT_PAYLOAD_NETWORK_HEADER, kSourceOffset, 4, to);
}

NftRuleText& NftRuleText::destination_address(Register to) {
  return payload(NFT_PAYLOAD_NETWORK_HEADER, kDestinationOffset, 4, to);
}

NftRuleText& NftRuleText::destination_port(Register to) {
  return payload(NFT_PAYLOAD_TRANSPORT_HEADER, kPortOffset, 2, to);
}

NftRuleText& NftRuleText::protocol(Register to) {
  nftnl_expr* e = add("meta");
  nftnl_expr_set_u32(e, NFTNL_EXPR_META_KEY, NFT_META_L4PROTO);
  nftnl_expr_set_u32(e, NFTNL_EXPR_META_DREG, to);
  return *this;
}

NftRuleText& NftRuleText::random(Register to, uint32_t modulus) {
  nftnl_expr* e = add("numgen");
  nftnl_expr_set_u32(e, NFTNL_EXPR_NG_DREG, to);
  nftnl_expr_set_u32(e, NFTNL_EXPR_NG_MODULUS, modulus);
  nftnl_expr_set_u32(e, NFTNL_EXPR_NG_TYPE, NFT_NG_RANDOM);
  return *this;
}

NftRuleText& NftRuleText::number(Register to, uint32_t value) {
  nftnl_expr* e = add("immediate");
  nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_DREG, to);
  nftnl_expr_set_data(e, NFTNL_EXPR_IMM_DATA, &value, sizeof value);
  return *this;
}

NftRuleText& NftRuleText::original(uint32_t key, Register to) {
  nftnl_expr* e = add("ct");
  nftnl_expr_set_u32(e, NFTNL_EXPR_CT_KEY, key);
  nftnl_expr_set_u32(e, NFTNL_EXPR_CT_DREG, to);
  nftnl_expr_set_u8(e, NFTNL_EXPR_CT_DIR, IP_CT_DIR_ORIGINAL);
  return *this;
}

NftRuleText& NftRuleText::original_destination(Register to) {
  return original(NFT_CT_DST_IP, to);
}

NftRuleText& NftRuleText::original_port(Register to) {
  return original(NFT_CT_PROTO_DST, to);
}

NftRuleText& NftRuleText::in_set(Register key, const char* set) {
  nftnl_expr* e = add("lookup");
  nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_SREG, key);
  nftnl_expr_set_str(e, NFTNL_EXPR_LOOKUP_SET, set);
  return *this;
}

NftRuleText& NftRuleText::map(Register key, const char* map, Register to) {
  nftnl_expr* e = add("lookup");
  nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_SREG, key);
  nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_DREG, to);
  nftnl_expr_set_str(e, NFTNL_EXPR_LOOKUP_SET, map);
  return *this;
}

NftRuleText& NftRuleText::remember(const char* map, Register key, Register data, uint32_t seconds) {
  nftnl_expr* e = add("dynset");
  nftnl_expr_set_str(e, NFTNL_EXPR_DYNSET_SET_NAME, map);
  nftnl_expr_set_u32(e, NFTNL_EXPR_DYNSET_OP, NFT_DYNSET_OP_UPDATE);
  nftnl_expr_set_u32(e, NFTNL_EXPR_DYNSET_SREG_KEY, key);
  nftnl_expr_set_u32(e, NFTNL_EXPR_DYNSET_SREG_DATA, data);
  nftnl_expr_set_u64(e, NFTNL_EXPR_DYNSET_TIMEOUT, uint64_t{seconds} * 1000);
  return *this;
}

NftRuleText& NftRuleText::mask(Register in, uint32_t mask) {
  const uint32_t none = 0;
  nftnl_expr* e = add("bitwise");
  nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_SREG, in);
  nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_DREG, in);
  nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_LEN, sizeof mask);
  nftnl_expr_set_data(e, NFTNL_EXPR_BITWISE_MASK, &mask, sizeof mask);
  nftnl_expr_set_data(e, NFTNL_EXPR_BITWISE_XOR, &none, sizeof none);
  return *this;
}

NftRuleText& NftRuleText::compare(Register with, uint32_t how, const void* value, uint32_t bytes) {
  nftnl_expr* e = add("cmp");
  nftnl_expr_set_u32(e, NFTNL_EXPR_CMP_SREG, with);
  nftnl_expr_set_u32(e, NFTNL_EXPR_CMP_OP, how);
  nftnl_expr_set_data(e, NFTNL_EXPR_CMP_DATA, value, bytes);
  return *this;
}

NftRuleText& NftRuleText::connection(uint32_t key, Register to) {
  nftnl_expr* e = add("ct");
  nftnl_expr_set_u32(e, NFTNL_EXPR_CT_KEY, key);
  nftnl_expr_set_u32(e, NFTNL_EXPR_CT_DREG, to);
  return *this;
}

NftRuleText& NftRuleText::if_tcp() {
  const uint8_t tcp = IPPROTO_TCP;
  return protocol(kReg0).compare(kReg0, NFT_CMP_EQ, &tcp, sizeof tcp);
}

NftRuleText& NftRuleText::if_new() {
  const uint32_t none = 0;
  connection(NFT_CT_STATE, kReg0).mask(kReg0, NF_CT_STATE_BIT(IP_CT_NEW));
  return compare(kReg0, NFT_CMP_NEQ, &none, sizeof none);
}

NftRuleText& NftRuleText::if_dnat() {
  const uint32_t none = 0;
  connection(NFT_CT_STATUS, kReg0).mask(kReg0, IPS_DST_NAT);
  return compare(kReg0, NFT_CMP_NEQ, &none, sizeof none);
}

NftRuleText& NftRuleText::if_source_in(Cidr4 network) {
  const uint32_t wanted = htonl(network.network().value);
  source_address(kReg0).mask(kReg0, htonl(network.mask()));
  return compare(kReg0, NFT_CMP_EQ, &wanted, sizeof wanted);
}

NftRuleText& NftRuleText::if_destination_not_in(Cidr4 network) {
  return destination_address(kReg0).if_not_in(kReg0, network);
}

NftRuleText& NftRuleText::if_not_in(Register address, Cidr4 network) {
  const uint32_t unwanted = htonl(network.network().value);
  mask(address, htonl(network.mask()));
  return compare(address, NFT_CMP_NEQ, &unwanted, sizeof unwanted);
}

NftRuleText& NftRuleText::if_leaving() {
  const uint32_t loopback = 1;  // its index in every network namespace
  nftnl_expr* e = add("meta");
  nftnl_expr_set_u32(e, NFTNL_EXPR_META_KEY, NFT_META_OIF);
  nftnl_expr_set_u32(e, NFTNL_EXPR_META_DREG, kReg0);
  return compare(kReg0, NFT_CMP_NEQ, &loopback, sizeof loopback);
}

NftRuleText& NftRuleText::if_to_this_node() {
  const uint32_t local = RTN_LOCAL;
  nftnl_expr* e = add("fib");
  nftnl_expr_set_u32(e, NFTNL_EXPR_FIB_DREG, kReg0);
  nftnl_expr_set_u32(e, NFTNL_EXPR_FIB_RESULT, NFT_FIB_RESULT_ADDRTYPE);
  nftnl_expr_set_u32(e, NFTNL_EXPR_FIB_FLAGS, NFTA_FIB_F_DADDR);
  return compare(kReg0, NFT_CMP_EQ, &local, sizeof local);
}

NftRuleText& NftRuleText::dnat(Register address, Register port) {
  nftnl_expr* e = add("nat");
  nftnl_expr_set_u32(e, NFTNL_EXPR_NAT_TYPE, NFT_NAT_DNAT);
  nftnl_expr_set_u32(e, NFTNL_EXPR_NAT_FAMILY, NFPROTO_IPV4);
  nftnl_expr_set_u32(e, NFTNL_EXPR_NAT_REG_ADDR_MIN, address);
  nftnl_expr_set_u32(e, NFTNL_EXPR_NAT_REG_PROTO_MIN, port);
  return *this;
}

NftRuleText& NftRuleText::masquerade() {
  add("masq");
  return *this;
}

NftRuleText& NftRuleText::reset() {
  nftnl_expr* e = add("reject");
  nftnl_expr_set_u32(e, NFTNL_EXPR_REJECT_TYPE, NFT_REJECT_TCP_RST);
  nftnl_expr_set_u8(e, NFTNL_EXPR_REJECT_CODE, 0);
  return *this;
}

NftRuleText& NftRuleText::refuse() {
  nftnl_expr* e = add("reject");
  nftnl_expr_set_u32(e, NFTNL_EXPR_REJECT_TYPE, NFT_REJECT_ICMP_UNREACH);
  nftnl_expr_set_u8(e, NFTNL_EXPR_REJECT_CODE, ICMP_PORT_UNREACH);
  return *this;
}

NftRuleText& NftRuleText::leave_to(uint32_t verdict, const char* chain) {
  nftnl_expr* e = add("immediate");
  nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
  nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_VERDICT, verdict);
  nftnl_expr_set_str(e, NFTNL_EXPR_IMM_CHAIN, chain);
  return *this;
}

NftRuleText& NftRuleText::go_to(const char* chain) {
  return leave_to(static_cast<uint32_t>(NFT_GOTO), chain);
}

NftRuleText& NftRuleText::jump(const char* chain) {
  return leave_to(static_cast<uint32_t>(NFT_JUMP), chain);
}

}  // namespace coracle::port_linux
