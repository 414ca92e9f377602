// SPDX-License-Identifier: GPL-2.0-or-later
// Node selector terms (core/v1 NodeSelectorTerm) against a Node as it is stored, for those who do
// not keep nodes in a form of their own as the scheduler does.
#pragma once

#include "json/tree.h"

namespace coracle::api {

// A list of terms of which one must match; an empty term matches nothing.
bool any_term_matches(json::Node terms, json::Node node);

}  // namespace coracle::api
