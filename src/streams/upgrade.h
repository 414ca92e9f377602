// SPDX-License-Identifier: GPL-2.0-or-later
// Which of the ways to leave HTTP a client offers, and the answer that takes it.
#pragma once

#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "http/server.h"

namespace coracle::streams {

enum class Way : uint8_t { kWebSocket, kSpdy };

struct Upgrade {
  Way way = Way::kSpdy;
  std::string_view protocol;  // of those in `known`
  std::string accept;         // Sec-WebSocket-Accept
};

// The first protocol that the client offers and we know. 400 if it offers no upgrade at all, 403 if
// none that we know (upstream httpstream.Handshake).
Result<Upgrade> choose_upgrade(const http::Request& request,
                               std::span<const std::string_view> websocket,
                               std::span<const std::string_view> spdy);

Result<> begin_upgrade(const Upgrade& upgrade, http::Response& response, http::Upgraded& to);

}  // namespace coracle::streams
