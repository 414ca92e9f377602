// SPDX-License-Identifier: GPL-2.0-or-later
// Pod addresses out of the node's prefix. What is taken is known from the pods' records; the search
// goes on behind the last one, so that an address rests as long as possible before it is used
// again.
#pragma once

#include <optional>
#include <set>

#include "base/ip.h"

namespace coracle::node {

class Addresses {
 public:
  explicit Addresses(Cidr4 prefix) : prefix_(prefix), last_(gateway()) {}
  Ip4 gateway() const { return {prefix_.network().value + 1}; }
  Cidr4 with_prefix(Ip4 ip) const { return {ip, prefix_.prefix}; }
  std::optional<Ip4> take();
  void claim(Ip4 ip);  // of a pod from before
  void release(Ip4 ip) { taken_.erase(ip); }

 private:
  Cidr4 prefix_;
  Ip4 last_;
  std::set<Ip4> taken_;
};

}  // namespace coracle::node
