// SPDX-License-Identifier: GPL-2.0-or-later
// A netlink socket for requests and their answers. Synchronous: the kernel answers within the call
// of send.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include <libmnl/libmnl.h>

#include "base/owned.h"
#include "port/linux/os_error.h"

namespace coracle::port_linux {

// One request, built with the mnl_attr_put functions.
class Message {
 public:
  Message(uint16_t type, uint16_t flags) : room_(8192) {
    header_ = mnl_nlmsg_put_header(room_.data());
    header_->nlmsg_type = type;
    header_->nlmsg_flags = static_cast<uint16_t>(flags | NLM_F_REQUEST);
  }
  template <class Header>
  Header& extra() {
    return *static_cast<Header*>(mnl_nlmsg_put_extra_header(header_, sizeof(Header)));
  }
  nlmsghdr* get() { return header_; }

 private:
  std::vector<char> room_;
  nlmsghdr* header_;
};

class Netlink {
 public:
  static Result<Netlink> open(int bus);  // in the network namespace of the calling thread
  Result<> talk(Message& request, std::string_view what);  // waits for the acknowledgement
  Result<> dump(Message& request, mnl_cb_t each, void* data, std::string_view what);
  mnl_socket* get() { return socket_.get(); }

 private:
  explicit Netlink(mnl_socket* socket) : socket_(socket) {}
  Result<> receive(mnl_cb_t each, void* data, std::string_view what);

  Owned<mnl_socket, mnl_socket_close> socket_;
  uint32_t sequence_ = 0;
};

}  // namespace coracle::port_linux
