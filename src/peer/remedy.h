// SPDX-License-Identifier: GPL-2.0-or-later
// Words for people about what went wrong between members.
#pragma once

#include <string>
#include <string_view>

#include "raft/node_set.h"

namespace coracle::peer {

// What TLS complains about, followed by what helps; anything else as it is.
std::string with_remedy(std::string_view why);

std::string copied(raft::NodeId member);   // to one of two devices with one identity
std::string removal(raft::NodeId member);  // to a member that was removed

}  // namespace coracle::peer
