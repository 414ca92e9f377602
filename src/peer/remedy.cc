// SPDX-License-Identifier: GPL-2.0-or-later
#include "peer/remedy.h"

#include "base/bytes.h"

namespace coracle::peer {
namespace {

struct Remedy {
  std::string_view sign;  // in mbedTLS's words
  std::string_view remedy;
};

constexpr Remedy kRemedies[] = {
    {"not correctly signed",
     "its certificate is of another cluster: empty its data directory and join it with a token of "
     "this one"},
    {"has expired", "its certificate is too old: check the clocks, or join it again with a token"},
    {"starts in the future", "its certificate is not valid yet: check the clocks"},
    {"-0x7480", "it showed no certificate: it is not a member of a cluster"},
    {"-0x7780",
     "it does not accept this member's certificate: see its log; if it belongs to another cluster, "
     "join it with a token of this one"},
};

}  // namespace

std::string with_remedy(std::string_view why) {
  for (const Remedy& each : kRemedies) {
    if (why.find(each.sign) != std::string_view::npos) return join({why, ": ", each.remedy});
  }
  return std::string(why);
}

std::string copied(raft::NodeId member) {
  return join({"another device with the identity of member ", std::to_string(member),
               " is in the cluster: one data directory is a copy of the other; empty it and join "
               "that device again"});
}

std::string removal(raft::NodeId member) {
  return join({"member ", std::to_string(member),
               " was removed from this cluster: to come back, empty its data directory and join it "
               "as a new member"});
}

}  // namespace coracle::peer
