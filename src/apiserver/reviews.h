// SPDX-License-Identifier: GPL-2.0-or-later
// Kinds that are questions: posted, answered in their status, never stored.
#pragma once

#include "apiserver/exchange.h"

namespace coracle::apiserver {

Result<> decode_review(Request& request);
Result<Next> answer_review(Parts& parts, Exchange& exchange);

}  // namespace coracle::apiserver
