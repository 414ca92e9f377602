// SPDX-License-Identifier: GPL-2.0-or-later
// JSON Web Tokens signed with ES256 (RFC 7515, 7518), the form of service-account tokens. Claims
// are JSON text: what they mean is the API server's business.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "port/random.h"

namespace coracle::pki {

// `claims` is a JSON object. The header carries alg ES256 and kid (base64url SHA-256 of the public
// key).
Result<std::string> sign_token(std::string_view claims,
                               std::string_view key_pem,
                               port::Random& random);

// The claims, if the signature is by this key; 401 Unauthorized otherwise. Checks neither time nor
// audience.
Result<std::string> verify_token(std::string_view token, std::string_view key_pem);

}  // namespace coracle::pki
