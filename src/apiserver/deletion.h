// SPDX-License-Identifier: GPL-2.0-or-later
// What a delete does to an object: nothing yet, mark it, or remove it
// (apiserver pkg/registry/rest/delete.go, pkg/registry/generic/registry/store.go,
// registry/core/{pod,namespace}).
#pragma once

#include "apiserver/exchange.h"
#include "apiserver/request.h"

namespace coracle::apiserver {

// From request.stored, request.old and request.deletion; sets request.effect.
Result<> plan_delete(Parts& parts, Request& request);
// True if this update takes away the last thing that held back a deletion.
bool completes_deletion(const Request& request);
// Deletes of these kinds answer with the object, of others with a Status.
bool shows_deleted(const api::Kind& kind);

}  // namespace coracle::apiserver
