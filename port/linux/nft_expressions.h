// SPDX-License-Identifier: GPL-2.0-or-later
// The dozen nftables expressions that the table is made of, in the words of the nft language.
#pragma once

#include "base/ip.h"
#include "port/linux/nft_batch.h"

namespace coracle::port_linux {

// Registers of four bytes; a key of several parts lies in consecutive ones.
enum Register : uint32_t { kVerdict = 0, kReg0 = 8, kReg1, kReg2, kReg3, kReg4, kReg5 };

class NftRuleText {
 public:
  explicit NftRuleText(const char* chain);
  const nftnl_rule& get() const { return *rule_; }

  NftRuleText& source_address(Register to);
  NftRuleText& destination_address(Register to);
  NftRuleText& protocol(Register to);
  NftRuleText& destination_port(Register to);
  NftRuleText& random(Register to, uint32_t modulus);
  NftRuleText& number(Register to, uint32_t value);
  // Of the first packet, before any translation.
  NftRuleText& original_destination(Register to);
  NftRuleText& original_port(Register to);
  NftRuleText& in_set(Register key, const char* set);            // else the rule ends
  NftRuleText& map(Register key, const char* map, Register to);  // likewise; kVerdict: is taken
  // Puts key and data into a map of NftSet::by_rules, for so long. A key that is there keeps its
  // data and starts anew. The rule ends if the map is full.
  NftRuleText& remember(const char* map, Register key, Register data, uint32_t seconds);
  NftRuleText& if_tcp();
  NftRuleText& if_new();           // ct state new
  NftRuleText& if_dnat();          // ct status dnat
  NftRuleText& if_leaving();       // meta oif != lo
  NftRuleText& if_to_this_node();  // fib daddr type local
  NftRuleText& if_source_in(Cidr4 network);
  NftRuleText& if_destination_not_in(Cidr4 network);
  NftRuleText& if_not_in(Register address, Cidr4 network);  // spoils the register
  NftRuleText& dnat(Register address, Register port);
  NftRuleText& masquerade();
  NftRuleText& reset();   // reject with tcp reset
  NftRuleText& refuse();  // reject with icmp port-unreachable
  NftRuleText& go_to(const char* chain);
  NftRuleText& jump(const char* chain);

 private:
  nftnl_expr* add(const char* kind);
  NftRuleText& payload(uint32_t base, uint32_t offset, uint32_t bytes, Register to);
  NftRuleText& mask(Register in, uint32_t mask);
  NftRuleText& compare(Register with, uint32_t how, const void* value, uint32_t bytes);
  NftRuleText& connection(uint32_t key, Register to);
  NftRuleText& original(uint32_t key, Register to);
  NftRuleText& leave_to(uint32_t verdict, const char* chain);

  NftRule rule_;
};

}  // namespace coracle::port_linux
