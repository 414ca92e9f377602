// SPDX-License-Identifier: GPL-2.0-or-later
#include "port/linux/netlink.h"

#include <cerrno>

#include <sys/socket.h>

namespace coracle::port_linux {

Result<Netlink> Netlink::open(int bus) {
  mnl_socket* socket = mnl_socket_open2(bus, SOCK_CLOEXEC);
  if (socket == nullptr) return os_error(errno, "netlink socket");
  Netlink netlink(socket);
  if (mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0) return os_error(errno, "netlink bind");
  return netlink;
}

Result<> Netlink::talk(Message& request, std::string_view what) {
  request.get()->nlmsg_flags |= NLM_F_ACK;
  return dump(request, nullptr, nullptr, what);
}

Result<> Netlink::dump(Message& request, mnl_cb_t each, void* data, std::string_view what) {
  request.get()->nlmsg_seq = ++sequence_;
  if (mnl_socket_sendto(socket_.get(), request.get(), request.get()->nlmsg_len) < 0)
    return os_error(errno, what);
  return receive(each, data, what);
}

Result<> Netlink::receive(mnl_cb_t each, void* data, std::string_view what) {
  std::vector<char> room(32 * 1024);
  for (;;) {
    const ssize_t got = mnl_socket_recvfrom(socket_.get(), room.data(), room.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return os_error(errno, what);
    const unsigned port = mnl_socket_get_portid(socket_.get());
    const int state =
        mnl_cb_run(room.data(), static_cast<size_t>(got), sequence_, port, each, data);
    if (state == MNL_CB_STOP) return {};
    if (state < 0 && errno != EPROTO) return os_error(errno, what);  // EPROTO: an older answer
  }
}

}  // namespace coracle::port_linux
