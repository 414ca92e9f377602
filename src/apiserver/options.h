// SPDX-License-Identifier: GPL-2.0-or-later
// Query parameters of the API (metav1.ListOptions, CreateOptions, DeleteOptions ...). Unknown ones
// are ignored, as upstream.
#pragma once

#include "apiserver/request.h"
#include "base/result.h"
#include "json/tree.h"

namespace coracle::apiserver {

// Fills request.options (and request.deletion for deletes). 400 for malformed values, 422 for ones
// that do not fit.
Result<> read_options(Request& request);
Result<> check_list_options(const Request& request);

// A DELETE's body; what it says replaces the query.
Result<> read_delete_options(json::Node body, Request& request);

}  // namespace coracle::apiserver
