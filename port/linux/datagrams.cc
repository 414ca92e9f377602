// SPDX-License-Identifier: GPL-2.0-or-later
#include "port/linux/datagrams.h"

#include <utility>

#include "base/bytes.h"
#include "port/linux/os_error.h"
#include "port/linux/socket_address.h"

namespace coracle::port_linux {
namespace {

class LoopDatagrams final : public port::Datagrams {
 public:
  LoopDatagrams(Loop& loop, port::DatagramEvents& events)
      : loop_(loop),
        events_(events),
        handle_(new uv_udp_t) {
    uv_udp_init(loop.uv(), handle_.get());
    handle_->data = this;
  }
  Result<> bind(const port::Endpoint& at) {
    const sockaddr_storage address = TRY(socket_address(at));
    const int error = uv_udp_bind(handle_.get(), reinterpret_cast<const sockaddr*>(&address), 0);
    if (error != 0) return os_error(-error, join({"bind ", at.host, ":", std::to_string(at.port)}));
    uv_udp_set_broadcast(handle_.get(), 1);
    return receive();
  }
  Result<> reach(const port::Endpoint& peer) {
    const sockaddr_storage address = TRY(socket_address(peer));
    const int error = uv_udp_connect(handle_.get(), reinterpret_cast<const sockaddr*>(&address));
    if (error != 0) return os_error(-error, join({"reach ", peer.host}));
    return receive();
  }
  Result<> send(std::string_view bytes, const port::Endpoint& to) override {
    const sockaddr_storage address = TRY(socket_address(to));
    return send_to(bytes, reinterpret_cast<const sockaddr*>(&address));
  }
  Result<> send(std::string_view bytes) override { return send_to(bytes, nullptr); }
  port::Endpoint local() const override {
    sockaddr_storage address{};
    int size = sizeof address;
    uv_udp_getsockname(handle_.get(), reinterpret_cast<sockaddr*>(&address), &size);
    return endpoint_of(reinterpret_cast<const sockaddr*>(&address));
  }

 private:
  Result<> receive() {
    const int error = uv_udp_recv_start(handle_.get(), on_allocate, on_received);
    return error == 0 ? Result<>() : os_error(-error, "receive datagrams");
  }
  Result<> send_to(std::string_view bytes, const sockaddr* to) {
    uv_buf_t buffer =
        uv_buf_init(const_cast<char*>(bytes.data()), static_cast<unsigned>(bytes.size()));
    const int error = uv_udp_try_send(handle_.get(), &buffer, 1, to);
    return error >= 0 ? Result<>() : os_error(-error, "send a datagram");
  }
  static void on_allocate(uv_handle_t* handle, size_t, uv_buf_t* out) noexcept {
    const auto* self = static_cast<LoopDatagrams*>(handle->data);
    *out = self != nullptr ? self->loop_.read_buffer() : uv_buf_init(nullptr, 0);
  }
  static void on_received(uv_udp_t* handle,
                          ssize_t bytes,
                          const uv_buf_t* buffer,
                          const sockaddr* from,
                          unsigned flags) noexcept {
    auto* self = static_cast<LoopDatagrams*>(handle->data);
    if (self == nullptr || (bytes == 0 && from == nullptr)) return;  // closed, or nothing more
    self->received(bytes, buffer->base, from, flags);
  }
  void received(ssize_t bytes, const char* data, const sockaddr* from, unsigned flags) {
    if (bytes < 0) return events_.on_unreachable();
    if ((flags & UV_UDP_PARTIAL) != 0 || from == nullptr) return;
    const port::Endpoint sender = endpoint_of(from);
    events_.on_datagram({data, static_cast<size_t>(bytes)}, sender);
  }

  Loop& loop_;
  port::DatagramEvents& events_;
  UvHandle<uv_udp_t> handle_;
};

}  // namespace

Result<std::unique_ptr<port::Datagrams>> LoopDatagramNetwork::bind(const port::Endpoint& at,
                                                                   port::DatagramEvents& events) {
  auto datagrams = std::make_unique<LoopDatagrams>(loop_, events);
  TRY(datagrams->bind(at));
  return std::unique_ptr<port::Datagrams>(std::move(datagrams));
}

Result<std::unique_ptr<port::Datagrams>> LoopDatagramNetwork::reach(const port::Endpoint& peer,
                                                                    port::DatagramEvents& events) {
  auto datagrams = std::make_unique<LoopDatagrams>(loop_, events);
  TRY(datagrams->reach(peer));
  return std::unique_ptr<port::Datagrams>(std::move(datagrams));
}

}  // namespace coracle::port_linux
