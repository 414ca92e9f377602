// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <string_view>

namespace coracle::http {

// FIPS 180-4. Only for the WebSocket handshake, which is no matter of security.
std::string sha1(std::string_view text);

}  // namespace coracle::http
