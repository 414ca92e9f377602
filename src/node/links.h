// SPDX-License-Identifier: GPL-2.0-or-later
// Names of the host ends of pod links: told from those of other software, and of other agents on
// the machine, by a prefix made from the bridge's name.
#pragma once

#include <string>
#include <string_view>

namespace coracle::node {

std::string pod_link_prefix(std::string_view bridge);
std::string pod_link_name(std::string_view bridge, std::string_view uid);  // <= 15 characters

}  // namespace coracle::node
