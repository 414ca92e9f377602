// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/owners.h"

namespace coracle::store {

// A cheap look before the text is parsed: most objects have no owner.
bool may_have_owners(std::string_view text) {
  return text.find("\"ownerReferences\":[{") != std::string_view::npos;
}

std::vector<std::string> owner_uids(const api::Object& object) {
  std::vector<std::string> uids;
  if (!may_have_owners(object.text())) return uids;
  json::Tree tree;
  for (json::Node owner : object.parse(tree)["metadata"]["ownerReferences"]) {
    const std::string_view uid = owner["uid"].string();
    if (!uid.empty()) uids.emplace_back(uid);
  }
  return uids;
}

// FNV-1a: the same order on every run and machine.
uint64_t Owners::hash(std::string_view uid) {
  uint64_t value = 0xCBF29CE484222325u;
  for (char c : uid)
    value = (value ^ static_cast<uint8_t>(c)) * 0x100000001B3u;
  return value;
}

void Owners::add(const api::Object& object, const std::string& key) {
  for (const std::string& uid : owner_uids(object))
    pairs_.emplace(hash(uid), key);
}

void Owners::remove(const api::Object& object, const std::string& key) {
  for (const std::string& uid : owner_uids(object))
    pairs_.erase({hash(uid), key});
}

std::vector<std::string> Owners::keys_of(std::string_view uid) const {
  const uint64_t wanted = hash(uid);
  std::vector<std::string> keys;
  for (auto pair = pairs_.lower_bound({wanted, ""}); pair != pairs_.end() && pair->first == wanted;
       ++pair) {
    keys.push_back(pair->second);
  }
  return keys;
}

}  // namespace coracle::store
