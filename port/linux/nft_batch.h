// SPDX-License-Identifier: GPL-2.0-or-later
// One nftables transaction: messages that the kernel applies all together or not at all.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include <libnftnl/rule.h>

#include "port/linux/netlink.h"

namespace coracle::port_linux {

inline constexpr const char* kNftTable = "coracle";

using NftRule = Owned<nftnl_rule, nftnl_rule_free>;

struct NftSet {
  const char* name;
  uint32_t key_type;  // as the nft tool numbers types, six bits each, for its listing only
  uint32_t key_bytes;
  uint32_t data_type;  // 0: a set, no map; kVerdictType: put_jump() fills it
  uint32_t data_bytes;
  bool by_rules = false;  // rules add elements, which end by a timeout
  uint32_t elements_max = 0;
};

inline constexpr uint32_t kVerdictType = 0xffffff00;  // NFT_DATA_VERDICT

struct NftChain {
  const char* name;
  const char* type;  // "nat", "filter"; null: only jumped to
  uint32_t hook = 0;
  int32_t priority = 0;
};

class NftBatch {
 public:
  explicit NftBatch(size_t bytes_expected);

  void add_table();
  void delete_table();
  void delete_rules();               // all of the table's
  void delete_set(const char* set);  // it must exist
  void empty_set(const char* set);   // likewise
  void add_set(const NftSet& set);
  void add_chain(const NftChain& chain);
  void delete_chain(const char* chain);  // without rules; it must exist
  void add_rule(const nftnl_rule& rule);
  // One expression with nothing in it, of any name: only to ask whether the kernel knows it.
  void add_bare_rule(const char* chain, const char* expression);
  // Elements of one set follow each other: put_element as often as wanted, for many sets in turn.
  void put_element(const char* set, std::string_view key, std::string_view data);
  void put_jump(const char* set, std::string_view key, const char* chain);
  void delete_element(const char* set, std::string_view key);

  bool empty() const { return messages_ == 0; }
  Result<> commit(Netlink& netlink);

 private:
  nlmsghdr* begin(uint16_t type, uint16_t flags, size_t room);
  void end(const nlmsghdr* message);
  nlmsghdr* open_message();
  nlattr* begin_element(uint16_t type, const char* set, std::string_view key);
  void end_element(nlattr* element);
  void begin_elements(uint16_t type, const char* set);
  void end_elements();
  void mark(uint16_t type);
  void name_in_table(uint16_t type, uint16_t table_attribute, uint16_t attribute, const char* name);

  std::vector<char> bytes_;
  uint32_t messages_ = 0;
  size_t message_at_ = 0;           // start of the message being built
  const char* open_set_ = nullptr;  // elements are being added to its message
  uint16_t open_type_ = 0;
  size_t elements_at_ = 0;  // start of the list of elements in it
};

}  // namespace coracle::port_linux
