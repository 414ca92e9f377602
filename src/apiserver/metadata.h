// SPDX-License-Identifier: GPL-2.0-or-later
// What the server decides about metadata and status (apiserver pkg/registry/rest create.go and
// update.go).
#pragma once

#include <string>
#include <string_view>

#include "apiserver/exchange.h"
#include "apiserver/request.h"

namespace coracle::apiserver {

// New uid, creationTimestamp, name from generateName; status wiped.
Result<> settle_create(Parts& parts, Request& request);
// System fields from the stored object, version and uid checked; status or everything but status
// carried over.
Result<> settle_update(Request& request);
// After defaults: generation follows the spec.
void settle_generation(Request& request);

std::string generated_suffix(port::Random& random);  // five letters that spell no words

}  // namespace coracle::apiserver
