// SPDX-License-Identifier: GPL-2.0-or-later
// Admission: rules that change or refuse a write, one row each, run in order before defaults.
#pragma once

#include "apiserver/exchange.h"
#include "apiserver/request.h"

namespace coracle::apiserver {

// Writes of objects (create, update, patch, also through subresources that write the object).
Result<> admit(Parts& parts, Request& request);
// What is judged when the object is whole, with defaults and valid.
Result<> admit_whole(Parts& parts, Request& request);
// Deletes: namespaces that may not go, what a node may delete.
Result<> admit_delete(Parts& parts, Request& request);

// `pods "web" is forbidden: why`
Error forbidden(const Request& request, std::string_view why);

}  // namespace coracle::apiserver
