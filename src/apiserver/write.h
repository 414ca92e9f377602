// SPDX-License-Identifier: GPL-2.0-or-later
// The last stage of writes and deletes: one proposal, and the answer made from its change.
#pragma once

#include "apiserver/exchange.h"

namespace coracle::apiserver {

Result<Next> propose_write(Parts& parts, Exchange& exchange);
Result<Next> propose_delete(Parts& parts, Exchange& exchange);
Result<Next> delete_collection(Parts& parts, Exchange& exchange);  // sweep.cc
void answer_write(Parts& parts, Exchange& exchange, api::ObjectRef object);
void release_reservation(Parts& parts, Request& request);
Error race_error(const Request& request);  // 409 for a write that lost and may not be run again

}  // namespace coracle::apiserver
