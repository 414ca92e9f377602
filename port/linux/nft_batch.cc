// SPDX-License-Identifier: GPL-2.0-or-later
#include "port/linux/nft_batch.h"

#include <cerrno>
#include <cstring>

#include <arpa/inet.h>
#include <libnftnl/chain.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <sys/socket.h>

#include "base/bytes.h"

namespace coracle::port_linux {
namespace {

constexpr size_t kSmallRoom = 4096;  // of a message that is no list of elements
constexpr size_t kElementsBytesMax =
    60'000;  // a list of elements is one attribute: 16 bits of length
constexpr size_t kElementRoom = 128;

}  // namespace

NftBatch::NftBatch(size_t bytes_expected) {
  bytes_.reserve(bytes_expected + 4 * kSmallRoom);
  mark(NFNL_MSG_BATCH_BEGIN);
  messages_ = 0;
}

void NftBatch::mark(uint16_t type) {
  const size_t at = bytes_.size();
  bytes_.resize(at + kSmallRoom);
  nlmsghdr* header = mnl_nlmsg_put_header(bytes_.data() + at);
  header->nlmsg_type = type;
  header->nlmsg_flags = NLM_F_REQUEST;
  header->nlmsg_seq = messages_;
  auto* generic = static_cast<nfgenmsg*>(mnl_nlmsg_put_extra_header(header, sizeof(nfgenmsg)));
  generic->nfgen_family = AF_UNSPEC;
  generic->version = NFNETLINK_V0;
  generic->res_id = htons(NFNL_SUBSYS_NFTABLES);
  bytes_.resize(at + header->nlmsg_len);
}

nlmsghdr* NftBatch::begin(uint16_t type, uint16_t flags, size_t room) {
  end_elements();
  message_at_ = bytes_.size();
  bytes_.resize(message_at_ + room);
  return nftnl_nlmsg_build_hdr(bytes_.data() + message_at_, type, AF_INET, flags, ++messages_);
}

void NftBatch::end(const nlmsghdr* message) {
  bytes_.resize(message_at_ + message->nlmsg_len);
}

void NftBatch::add_table() {
  nlmsghdr* message = begin(NFT_MSG_NEWTABLE, NLM_F_CREATE, kSmallRoom);
  mnl_attr_put_strz(message, NFTA_TABLE_NAME, kNftTable);
  end(message);
}

void NftBatch::delete_table() {
  nlmsghdr* message = begin(NFT_MSG_DELTABLE, 0, kSmallRoom);
  mnl_attr_put_strz(message, NFTA_TABLE_NAME, kNftTable);
  end(message);
}

void NftBatch::name_in_table(uint16_t type,
                             uint16_t table_attribute,
                             uint16_t attribute,
                             const char* name) {
  nlmsghdr* message = begin(type, 0, kSmallRoom);
  mnl_attr_put_strz(message, table_attribute, kNftTable);
  if (name != nullptr) mnl_attr_put_strz(message, attribute, name);
  end(message);
}

void NftBatch::delete_rules() {
  name_in_table(NFT_MSG_DELRULE, NFTA_RULE_TABLE, NFTA_RULE_CHAIN, nullptr);
}

void NftBatch::delete_set(const char* set) {
  name_in_table(NFT_MSG_DELSET, NFTA_SET_TABLE, NFTA_SET_NAME, set);
}

void NftBatch::empty_set(const char* set) {
  name_in_table(NFT_MSG_DELSETELEM, NFTA_SET_ELEM_LIST_TABLE, NFTA_SET_ELEM_LIST_SET, set);
}

void NftBatch::add_set(const NftSet& set) {
  nlmsghdr* message = begin(NFT_MSG_NEWSET, NLM_F_CREATE, kSmallRoom);
  mnl_attr_put_strz(message, NFTA_SET_TABLE, kNftTable);
  mnl_attr_put_strz(message, NFTA_SET_NAME, set.name);
  mnl_attr_put_u32(message, NFTA_SET_ID, htonl(messages_));
  uint32_t flags = 0;
  if (set.data_type != 0) flags |= NFT_SET_MAP;
  if (set.by_rules) flags |= NFT_SET_TIMEOUT | NFT_SET_EVAL;
  mnl_attr_put_u32(message, NFTA_SET_FLAGS, htonl(flags));
  mnl_attr_put_u32(message, NFTA_SET_KEY_TYPE, htonl(set.key_type));
  mnl_attr_put_u32(message, NFTA_SET_KEY_LEN, htonl(set.key_bytes));
  if (set.data_type != 0) {
    mnl_attr_put_u32(message, NFTA_SET_DATA_TYPE, htonl(set.data_type));
    mnl_attr_put_u32(message, NFTA_SET_DATA_LEN, htonl(set.data_bytes));
  }
  if (set.elements_max != 0) {
    nlattr* description = mnl_attr_nest_start(message, NFTA_SET_DESC);
    mnl_attr_put_u32(message, NFTA_SET_DESC_SIZE, htonl(set.elements_max));
    mnl_attr_nest_end(message, description);
  }
  end(message);
}

void NftBatch::add_chain(const NftChain& chain) {
  nlmsghdr* message = begin(NFT_MSG_NEWCHAIN, NLM_F_CREATE, kSmallRoom);
  mnl_attr_put_strz(message, NFTA_CHAIN_TABLE, kNftTable);
  mnl_attr_put_strz(message, NFTA_CHAIN_NAME, chain.name);
  if (chain.type != nullptr) {
    nlattr* hook = mnl_attr_nest_start(message, NFTA_CHAIN_HOOK);
    mnl_attr_put_u32(message, NFTA_HOOK_HOOKNUM, htonl(chain.hook));
    mnl_attr_put_u32(message, NFTA_HOOK_PRIORITY, htonl(static_cast<uint32_t>(chain.priority)));
    mnl_attr_nest_end(message, hook);
    mnl_attr_put_strz(message, NFTA_CHAIN_TYPE, chain.type);
  }
  end(message);
}

void NftBatch::delete_chain(const char* chain) {
  name_in_table(NFT_MSG_DELCHAIN, NFTA_CHAIN_TABLE, NFTA_CHAIN_NAME, chain);
}

void NftBatch::add_rule(const nftnl_rule& rule) {
  nlmsghdr* message = begin(NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND, kSmallRoom);
  nftnl_rule_nlmsg_build_payload(message, const_cast<nftnl_rule*>(&rule));
  end(message);
}

// By hand: libnftnl writes only the expressions that it was built with.
void NftBatch::add_bare_rule(const char* chain, const char* expression) {
  nlmsghdr* message = begin(NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND, kSmallRoom);
  mnl_attr_put_strz(message, NFTA_RULE_TABLE, kNftTable);
  mnl_attr_put_strz(message, NFTA_RULE_CHAIN, chain);
  nlattr* list = mnl_attr_nest_start(message, NFTA_RULE_EXPRESSIONS);
  nlattr* element = mnl_attr_nest_start(message, NFTA_LIST_ELEM);
  mnl_attr_put_strz(message, NFTA_EXPR_NAME, expression);
  nlattr* content = mnl_attr_nest_start(message, NFTA_EXPR_DATA);
  mnl_attr_nest_end(message, content);
  mnl_attr_nest_end(message, element);
  mnl_attr_nest_end(message, list);
  end(message);
}

void NftBatch::put_element(const char* set, std::string_view key, std::string_view data) {
  nlattr* element = begin_element(NFT_MSG_NEWSETELEM, set, key);
  if (!data.empty()) {
    nlmsghdr* message = open_message();
    nlattr* nest = mnl_attr_nest_start(message, NFTA_SET_ELEM_DATA);
    mnl_attr_put(message, NFTA_DATA_VALUE, data.size(), data.data());
    mnl_attr_nest_end(message, nest);
  }
  end_element(element);
}

void NftBatch::put_jump(const char* set, std::string_view key, const char* chain) {
  nlattr* element = begin_element(NFT_MSG_NEWSETELEM, set, key);
  nlmsghdr* message = open_message();
  nlattr* nest = mnl_attr_nest_start(message, NFTA_SET_ELEM_DATA);
  nlattr* verdict = mnl_attr_nest_start(message, NFTA_DATA_VERDICT);
  mnl_attr_put_u32(message, NFTA_VERDICT_CODE, htonl(static_cast<uint32_t>(NFT_JUMP)));
  mnl_attr_put_strz(message, NFTA_VERDICT_CHAIN, chain);
  mnl_attr_nest_end(message, verdict);
  mnl_attr_nest_end(message, nest);
  end_element(element);
}

void NftBatch::delete_element(const char* set, std::string_view key) {
  end_element(begin_element(NFT_MSG_DELSETELEM, set, key));
}

nlmsghdr* NftBatch::open_message() {
  return reinterpret_cast<nlmsghdr*>(bytes_.data() + message_at_);
}

void NftBatch::begin_elements(uint16_t type, const char* set) {
  const uint16_t flags = type == NFT_MSG_NEWSETELEM ? NLM_F_CREATE : 0;
  nlmsghdr* message = begin(type, flags, kSmallRoom);
  mnl_attr_put_strz(message, NFTA_SET_ELEM_LIST_TABLE, kNftTable);
  mnl_attr_put_strz(message, NFTA_SET_ELEM_LIST_SET, set);
  const nlattr* list = mnl_attr_nest_start(message, NFTA_SET_ELEM_LIST_ELEMENTS);
  elements_at_ = static_cast<size_t>(reinterpret_cast<const char*>(list) - bytes_.data());
  end(message);
  open_set_ = set;
  open_type_ = type;
}

// Lengths are written when the message is full: its memory moves as the batch grows.
void NftBatch::end_elements() {
  if (open_set_ == nullptr) return;
  open_set_ = nullptr;
  auto* message = reinterpret_cast<nlmsghdr*>(bytes_.data() + message_at_);
  auto* list = reinterpret_cast<nlattr*>(bytes_.data() + elements_at_);
  message->nlmsg_len = static_cast<uint32_t>(bytes_.size() - message_at_);
  list->nla_len = static_cast<uint16_t>(bytes_.size() - elements_at_);
}

nlattr* NftBatch::begin_element(uint16_t type, const char* set, std::string_view key) {
  const bool fits = open_set_ != nullptr && open_type_ == type &&
                    std::strcmp(open_set_, set) == 0 &&
                    bytes_.size() - elements_at_ < kElementsBytesMax;
  if (!fits) {
    end_elements();
    begin_elements(type, set);
  }
  const size_t at = bytes_.size();
  bytes_.resize(at + kElementRoom);
  nlmsghdr* message = open_message();
  message->nlmsg_len = static_cast<uint32_t>(at - message_at_);
  nlattr* element = mnl_attr_nest_start(message, NFTA_LIST_ELEM);
  nlattr* key_nest = mnl_attr_nest_start(message, NFTA_SET_ELEM_KEY);
  mnl_attr_put(message, NFTA_DATA_VALUE, key.size(), key.data());
  mnl_attr_nest_end(message, key_nest);
  return element;
}

// Up to here the room of the batch is not moved: it holds the largest element.
void NftBatch::end_element(nlattr* element) {
  nlmsghdr* message = open_message();
  mnl_attr_nest_end(message, element);
  bytes_.resize(message_at_ + message->nlmsg_len);
}

// The whole batch must be one send; the kernel has committed or refused when it returns, and has
// queued an error for each message that it did not like.
Result<> NftBatch::commit(Netlink& netlink) {
  end_elements();
  mark(NFNL_MSG_BATCH_END);
  const int fd = mnl_socket_get_fd(netlink.get());
  const int room = static_cast<int>(bytes_.size());
  if (::setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room) != 0)
    ::setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
  if (mnl_socket_sendto(netlink.get(), bytes_.data(), bytes_.size()) < 0)
    return os_error(errno, "nftables batch");
  alignas(nlmsghdr) char answer[8192];
  const ssize_t got = ::recv(fd, answer, sizeof answer, MSG_DONTWAIT);
  if (got < 0 && errno == EAGAIN) return {};
  if (got < 0) return os_error(errno, "nftables batch");
  int error = EIO;
  uint32_t which = 0;
  const auto* header = reinterpret_cast<const nlmsghdr*>(answer);
  if (mnl_nlmsg_ok(header, static_cast<int>(got)) && header->nlmsg_type == NLMSG_ERROR) {
    error = -static_cast<const nlmsgerr*>(mnl_nlmsg_get_payload(header))->error;
    which = header->nlmsg_seq;
  }
  while (::recv(fd, answer, sizeof answer, MSG_DONTWAIT) > 0) {
  }
  return os_error(error, join({"nftables message ", std::to_string(which)}));
}

}  // namespace coracle::port_linux
