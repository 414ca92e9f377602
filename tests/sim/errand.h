// SPDX-License-Identifier: GPL-2.0-or-later
// What people ask of a cluster: one row an errand, chosen by chance.
#pragma once

#include "http/message.h"
#include "port/sim/dice.h"
#include "tests/sim/history.h"

namespace coracle::sim {

// One of "n0".."n2"; namespaces of these names come and go.
inline constexpr std::string_view kNamespacePrefix = "n";
inline constexpr uint64_t kNamespaces = 3;

http::Request next_errand(port_sim::Dice& dice, const History& history);
http::Request make_request(std::string_view method, std::string path, std::string body = {});

}  // namespace coracle::sim
