// SPDX-License-Identifier: GPL-2.0-or-later
#include "port/linux/clients.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include <arpa/inet.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include "port/linux/table_frame.h"

namespace coracle::port_linux {
namespace {

constexpr size_t kKeyBytes = 16;
constexpr size_t kBackendBytes = 8;
constexpr int kTries = 3;

struct Search {
  const port::Ruleset& ruleset;
  std::vector<std::string> stale;  // keys
};

std::string_view value_of(const nlattr* nest) {
  std::string_view value;
  const auto take = [](const nlattr* attribute, void* out) {
    if (mnl_attr_get_type(attribute) == NFTA_DATA_VALUE)
      *static_cast<std::string_view*>(out) = {
          static_cast<const char*>(mnl_attr_get_payload(attribute)),
          mnl_attr_get_payload_len(attribute)};
    return static_cast<int>(MNL_CB_OK);
  };
  mnl_attr_parse_nested(nest, take, &value);
  return value;
}

uint32_t address_at(std::string_view bytes, size_t offset) {
  uint32_t value = 0;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return ntohl(value);
}

uint16_t port_at(std::string_view bytes, size_t offset) {
  uint16_t value = 0;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return ntohs(value);
}

bool is_stale(const port::Ruleset& ruleset, std::string_view key, std::string_view data) {
  const port::VirtualPort at{{address_at(key, 4)},
                             static_cast<port::Transport>(static_cast<uint8_t>(key[8])),
                             port_at(key, 12)};
  const port::Backend backend{{address_at(data, 0)}, port_at(data, 4)};
  const auto& services = ruleset.services;
  const auto service = std::lower_bound(
      services.begin(), services.end(), at,
      [](const port::VirtualService& s, const port::VirtualPort& wanted) { return s.at < wanted; });
  if (service == services.end() || service->at != at || service->affinity_seconds == 0) return true;
  return !std::binary_search(service->backends.begin(), service->backends.end(), backend);
}

struct Element {
  std::string_view key;
  std::string_view data;
};

int take_part(const nlattr* attribute, void* out) {
  Element& element = *static_cast<Element*>(out);
  const uint16_t type = mnl_attr_get_type(attribute);
  if (type == NFTA_SET_ELEM_KEY) element.key = value_of(attribute);
  if (type == NFTA_SET_ELEM_DATA) element.data = value_of(attribute);
  return MNL_CB_OK;
}

int take_element(const nlattr* attribute, void* out) {
  Search& search = *static_cast<Search*>(out);
  Element element;
  mnl_attr_parse_nested(attribute, take_part, &element);
  const bool whole = element.key.size() == kKeyBytes && element.data.size() == kBackendBytes;
  if (whole && is_stale(search.ruleset, element.key, element.data))
    search.stale.emplace_back(element.key);
  return MNL_CB_OK;
}

int take_list(const nlattr* attribute, void* out) {
  if (mnl_attr_get_type(attribute) != NFTA_SET_ELEM_LIST_ELEMENTS) return MNL_CB_OK;
  return mnl_attr_parse_nested(attribute, take_element, out);
}

int take_message(const nlmsghdr* header, void* out) {
  return mnl_attr_parse(header, sizeof(nfgenmsg), take_list, out);
}

int take_chain_part(const nlattr* attribute, void* out) {
  auto& parts = *static_cast<std::pair<std::string, std::string>*>(out);
  const uint16_t type = mnl_attr_get_type(attribute);
  if (type == NFTA_CHAIN_TABLE) parts.first = mnl_attr_get_str(attribute);
  if (type == NFTA_CHAIN_NAME) parts.second = mnl_attr_get_str(attribute);
  return MNL_CB_OK;
}

int take_chain(const nlmsghdr* header, void* out) {
  std::pair<std::string, std::string> parts;
  mnl_attr_parse(header, sizeof(nfgenmsg), take_chain_part, &parts);
  if (parts.first == kNftTable && is_affinity_chain(parts.second))
    static_cast<std::set<std::string>*>(out)->insert(parts.second);
  return MNL_CB_OK;
}

Result<std::vector<std::string>> list_stale(Netlink& netlink, const port::Ruleset& ruleset) {
  Message message((NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_GETSETELEM, NLM_F_DUMP);
  message.extra<nfgenmsg>().nfgen_family = AF_INET;
  mnl_attr_put_strz(message.get(), NFTA_SET_ELEM_LIST_TABLE, kNftTable);
  mnl_attr_put_strz(message.get(), NFTA_SET_ELEM_LIST_SET, kClientMap);
  Search search{ruleset, {}};
  const Result<> listed = netlink.dump(message, take_message, &search, "list remembered clients");
  // No service ever asked for affinity.
  if (!listed && listed.error().code == Code::kNotFound) return search.stale;
  if (!listed) return listed.error();
  return search.stale;
}

}  // namespace

// A client that is forgotten by its timeout meanwhile makes the kernel refuse the whole batch: look
// again then.
Result<size_t> forget_stale_clients(Netlink& netlink, const port::Ruleset& ruleset) {
  Result<> done;
  for (int i = 0; i < kTries; i++) {
    const std::vector<std::string> stale = TRY(list_stale(netlink, ruleset));
    if (stale.empty()) return size_t{0};
    NftBatch batch(0);
    for (const std::string& key : stale)
      batch.delete_element(kClientMap, key);
    done = batch.commit(netlink);
    if (done) return stale.size();
  }
  return done.error();
}

Result<std::set<std::string>> list_affinity_chains(Netlink& netlink) {
  Message message((NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_GETCHAIN, NLM_F_DUMP);
  message.extra<nfgenmsg>().nfgen_family = AF_INET;
  std::set<std::string> chains;
  TRY(netlink.dump(message, take_chain, &chains, "list chains"));
  return chains;
}

}  // namespace coracle::port_linux
