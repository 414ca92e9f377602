// SPDX-License-Identifier: GPL-2.0-or-later
// Who manages which fields (metadata.managedFields), and server-side apply.
//
// Ownership is tracked from the first apply on: an object that was never applied carries none, so
// that what controllers and people without server-side apply write stays half as large at rest.
// At the first apply, all that is there belongs to "kubectl-client-side-apply" if kubectl applied
// it before, else to "before-first-apply".
#pragma once

#include "apiserver/exchange.h"

namespace coracle::apiserver {

// The body of an apply patch, merged into what is stored: request.object. 409 for conflicts.
Result<> decode_applied(Parts& parts, Request& request);
// Keeps what a client says about managedFields in a PUT or PATCH, before it is wiped.
void note_managed(Request& request);
// Writes metadata.managedFields of the object that is about to be stored.
void settle_managed(Parts& parts, Request& request);

}  // namespace coracle::apiserver
