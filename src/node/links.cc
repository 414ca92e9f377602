// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/links.h"

#include "base/bytes.h"
#include "pki/digest.h"

namespace coracle::node {

std::string pod_link_prefix(std::string_view bridge) {
  return "v" + hex(pki::sha256(bridge).substr(0, 2)) + "-";
}

std::string pod_link_name(std::string_view bridge, std::string_view uid) {
  return pod_link_prefix(bridge) + hex(pki::sha256(uid).substr(0, 4));
}

}  // namespace coracle::node
