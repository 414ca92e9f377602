// SPDX-License-Identifier: GPL-2.0-or-later
// Which objects name an owner: uid (hashed) -> storage keys. Hashes may collide, so whoever reads
// it looks at the objects, too.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/object.h"

namespace coracle::store {

std::vector<std::string> owner_uids(const api::Object& object);
bool may_have_owners(std::string_view text);

class Owners {
 public:
  void add(const api::Object& object, const std::string& key);
  void remove(const api::Object& object, const std::string& key);
  std::vector<std::string> keys_of(std::string_view uid) const;

 private:
  static uint64_t hash(std::string_view uid);
  std::set<std::pair<uint64_t, std::string>> pairs_;
};

}  // namespace coracle::store
