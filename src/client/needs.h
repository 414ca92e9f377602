// SPDX-License-Identifier: GPL-2.0-or-later
// The Secrets and ConfigMaps that a Pod names: an agent follows exactly these, and the API server
// shows it no others (node authorizer).
#pragma once

#include <set>

#include "api/client.h"
#include "json/tree.h"

namespace coracle::client {

void add_needs(json::Node pod, std::set<api::Key>& needs);

}  // namespace coracle::client
