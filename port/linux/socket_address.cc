// SPDX-License-Identifier: GPL-2.0-or-later
#include "port/linux/socket_address.h"

#include <netinet/in.h>
#include <uv.h>

#include "base/bytes.h"

namespace coracle::port_linux {

Result<sockaddr_storage> socket_address(const port::Endpoint& at) {
  sockaddr_storage address{};
  const char* host = at.host.c_str();
  if (uv_ip4_addr(host, at.port, reinterpret_cast<sockaddr_in*>(&address)) == 0) return address;
  if (uv_ip6_addr(host, at.port, reinterpret_cast<sockaddr_in6*>(&address)) == 0) return address;
  return fail(Code::kBadRequest, join({"not a numeric address: ", at.host}));
}

port::Endpoint endpoint_of(const sockaddr* address) {
  char text[64] = "";
  if (address->sa_family == AF_INET6) {
    const auto* in6 = reinterpret_cast<const sockaddr_in6*>(address);
    uv_ip6_name(in6, text, sizeof text);
    return {text, ntohs(in6->sin6_port)};
  }
  const auto* in = reinterpret_cast<const sockaddr_in*>(address);
  uv_ip4_name(in, text, sizeof text);
  return {text, ntohs(in->sin_port)};
}

}  // namespace coracle::port_linux
