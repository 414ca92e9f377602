// SPDX-License-Identifier: GPL-2.0-or-later
// "pod d/web-a owner=web phase=Running ready" -> a Pod. Words that every kind knows: owner= (the
// controller: a name or Kind/name), refs= (owners that do not control; a "!" blocks), labels=,
// annotations=, finalizers= (comma-separated), age= (seconds), deleting, uid=, generation=.
#pragma once

#include <string_view>

#include "tests/unit/controllers/cluster.h"

namespace coracle::testing {

// "replicaset" -> the kind; null if there is none.
const api::Kind* kind_named(std::string_view word);
// "d/web" -> {"d", "web"}; "d" -> {"", "d"}
api::Key key_named(const api::Kind& kind, std::string_view word);
// Puts the object that the line describes; false for a word that makes no sense.
bool put_line(Cluster& cluster, std::string_view line);

}  // namespace coracle::testing
