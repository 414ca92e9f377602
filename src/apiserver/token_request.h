// SPDX-License-Identifier: GPL-2.0-or-later
// POST serviceaccounts/x/token: a TokenRequest answered with a token.
#pragma once

#include "apiserver/exchange.h"

namespace coracle::apiserver {

Result<> decode_token_request(Parts& parts, Request& request);
Result<Next> answer_token_request(Parts& parts, Exchange& exchange);

}  // namespace coracle::apiserver
