// SPDX-License-Identifier: GPL-2.0-or-later
#include "streams/upgrade.h"

#include <algorithm>
#include <vector>

#include "base/bytes.h"
#include "http/websocket.h"

namespace coracle::streams {
namespace {

// Clients send several fields of one name, or several words in one.
std::vector<std::string_view> offers(const http::Request& request, std::string_view field) {
  std::vector<std::string_view> all;
  for (const http::Header& header : request.headers) {
    if (header.name != field) continue;
    for (const std::string_view word : split(header.value, ','))
      all.push_back(trim(word));
  }
  return all;
}

Result<std::string_view> choose(const std::vector<std::string_view>& offered,
                                std::span<const std::string_view> known) {
  for (const std::string_view each : offered) {
    const auto found = std::find(known.begin(), known.end(), each);
    if (found != known.end()) return *found;
  }
  std::string all;
  for (const std::string_view each : offered)
    all += join({all.empty() ? "" : ", ", each});
  return fail(
      Code::kForbidden,
      join({"unable to upgrade: unable to negotiate protocol: client supports [", all, "]"}));
}

bool is_spdy(const http::Request& request) {
  std::string upgrade(request.header("upgrade"));
  std::transform(upgrade.begin(), upgrade.end(), upgrade.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return upgrade == "spdy/3.1";
}

}  // namespace

Result<Upgrade> choose_upgrade(const http::Request& request,
                               std::span<const std::string_view> websocket,
                               std::span<const std::string_view> spdy) {
  Upgrade upgrade;
  if (http::wants_websocket(request)) {
    upgrade.way = Way::kWebSocket;
    upgrade.accept = http::websocket_accept(request);
    if (upgrade.accept.empty()) return fail(Code::kBadRequest, "malformed WebSocket handshake");
    const auto offered = offers(request, "sec-websocket-protocol");
    // A client that names none gets the last, which is the oldest.
    upgrade.protocol = offered.empty() ? std::string_view() : TRY(choose(offered, websocket));
    return upgrade;
  }
  if (!is_spdy(request)) {
    return fail(Code::kBadRequest, "Upgrade request required");
  }
  const auto offered = offers(request, "x-stream-protocol-version");
  upgrade.protocol = offered.empty() ? spdy.back() : TRY(choose(offered, spdy));
  return upgrade;
}

Result<> begin_upgrade(const Upgrade& upgrade, http::Response& response, http::Upgraded& to) {
  std::vector<http::Header> headers = {{"connection", "Upgrade"}};
  if (upgrade.way == Way::kWebSocket) {
    headers.push_back({"upgrade", "websocket"});
    headers.push_back({"sec-websocket-accept", upgrade.accept});
    if (!upgrade.protocol.empty())
      headers.push_back({"sec-websocket-protocol", std::string(upgrade.protocol)});
  } else {
    headers.push_back({"upgrade", "SPDY/3.1"});
    headers.push_back({"x-stream-protocol-version", std::string(upgrade.protocol)});
  }
  if (response.upgrade(headers, to)) return {};
  return fail(Code::kBadRequest, "unable to upgrade: HTTP/1.1 is needed");
}

}  // namespace coracle::streams
