// SPDX-License-Identifier: GPL-2.0-or-later
#include "port/linux/handed_fd.h"

#include <cerrno>
#include <cstring>

#include <sys/socket.h>
#include <unistd.h>

#include "port/linux/local_socket.h"

namespace coracle::port_linux {

HandedFd::~HandedFd() {
  if (poll_ != nullptr) uv_poll_stop(poll_.get());
  if (!path_.empty()) ::unlink(path_.c_str());
}

Result<> HandedFd::listen(const std::string& path) {
  LocalAddress address = TRY(local_address(path));
  Fd fd = TRY(bind_local(address));
  path_ = path;
  if (::listen(fd.get(), 1) != 0) return os_error(errno, "listen");
  return watch(std::move(fd));
}

Result<> HandedFd::watch(Fd fd) {
  if (poll_ != nullptr) uv_poll_stop(poll_.get());
  poll_.reset();  // before its descriptor is closed
  fd_ = std::move(fd);
  auto* poll = new uv_poll_t;
  const int error = uv_poll_init(loop_.uv(), poll, fd_.get());
  if (error != 0) {
    delete poll;
    return os_error(-error, "watch socket");
  }
  poll_.reset(poll);
  poll->data = this;
  uv_poll_start(poll, UV_READABLE, on_readable);
  return {};
}

void HandedFd::on_readable(uv_poll_t* poll, int, int) noexcept {
  if (poll->data != nullptr) static_cast<HandedFd*>(poll->data)->readable();
}

void HandedFd::readable() {
  if (connected_) return receive();
  Fd peer(::accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!peer.valid()) return;
  connected_ = true;
  if (!watch(std::move(peer))) taker_.on_fd(Fd());
}

void HandedFd::receive() {
  char text[256];
  iovec part{text, sizeof text};
  alignas(cmsghdr) char space[CMSG_SPACE(sizeof(int))];
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = space;
  message.msg_controllen = sizeof space;
  const ssize_t got = ::recvmsg(fd_.get(), &message, MSG_CMSG_CLOEXEC);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  uv_poll_stop(poll_.get());
  const cmsghdr* head = got >= 0 ? CMSG_FIRSTHDR(&message) : nullptr;
  int fd = -1;
  if (head != nullptr && head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS)
    std::memcpy(&fd, CMSG_DATA(head), sizeof fd);
  taker_.on_fd(Fd(fd));
}

}  // namespace coracle::port_linux
