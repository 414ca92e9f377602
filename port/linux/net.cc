// SPDX-License-Identifier: GPL-2.0-or-later
#include "port/linux/net.h"

#include <utility>

#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"
#include "port/linux/local_socket.h"
#include "port/linux/socket_address.h"
#include "port/linux/stream.h"

namespace coracle::port_linux {
namespace {

constexpr int kBacklog = 256;
constexpr unsigned kKeepaliveSeconds = 60;

port::Endpoint tcp_peer(const uv_tcp_t& tcp) {
  sockaddr_storage address{};
  int size = sizeof address;
  uv_tcp_getpeername(&tcp, reinterpret_cast<sockaddr*>(&address), &size);
  return endpoint_of(reinterpret_cast<const sockaddr*>(&address));
}

void tune(uv_tcp_t& tcp) {
  uv_tcp_nodelay(&tcp, 1);
  uv_tcp_keepalive(&tcp, 1, kKeepaliveSeconds);
}

}  // namespace

class LoopListener : public port::Listener {
 public:
  LoopListener(Loop& loop, OwnedCore core, port::Acceptor& acceptor)
      : loop_(loop),
        core_(std::move(core)),
        acceptor_(acceptor) {
    core_->listener = this;
  }
  ~LoopListener() override {
    if (!unlink_path_.empty()) ::unlink(unlink_path_.c_str());
  }
  port::Endpoint local() const override { return local_; }
  Result<> listen_tcp(const port::Endpoint& at);
  Result<> listen_local(const std::string& path);

 private:
  static void on_connection(uv_stream_t* stream, int status) noexcept {
    StreamCore* core = StreamCore::of(stream);
    if (status == 0 && core->listener != nullptr) core->listener->accept();
  }
  void accept();

  Loop& loop_;
  OwnedCore core_;
  port::Acceptor& acceptor_;
  port::Endpoint local_;
  std::string unlink_path_;
};

Result<> LoopListener::listen_tcp(const port::Endpoint& at) {
  sockaddr_storage address = TRY(socket_address(at));
  int error = uv_tcp_bind(&core_->tcp, reinterpret_cast<const sockaddr*>(&address), 0);
  if (error == 0) error = uv_listen(&core_->stream, kBacklog, on_connection);
  if (error != 0)
    return os_error(-error, join({"listen on ", at.host, ":", std::to_string(at.port)}));
  int size = sizeof address;
  uv_tcp_getsockname(&core_->tcp, reinterpret_cast<sockaddr*>(&address), &size);
  local_ = endpoint_of(reinterpret_cast<const sockaddr*>(&address));
  return {};
}

Result<> LoopListener::listen_local(const std::string& path) {
  LocalAddress address = TRY(local_address(path));
  Fd fd = TRY(bind_local(address).with(join({"listen on ", path})));
  local_ = {path, 0};
  unlink_path_ = path;
  int error = uv_pipe_open(&core_->pipe, fd.get());
  if (error == 0) {
    static_cast<void>(fd.release());
    error = uv_listen(&core_->stream, kBacklog, on_connection);
  }
  if (error != 0) return os_error(-error, join({"listen on ", path}));
  return {};
}

void LoopListener::accept() {
  const bool local = core_->handle.type == UV_NAMED_PIPE;
  OwnedCore core = local ? new_pipe_core(loop_) : new_tcp_core(loop_);
  if (uv_accept(&core_->stream, &core->stream) != 0) return;
  if (!local) tune(core->tcp);
  port::Endpoint peer = local ? local_ : tcp_peer(core->tcp);
  auto stream = std::make_unique<LoopStream>(loop_, std::move(core), std::move(peer));
  stream->accepted();
  acceptor_.on_accept(std::move(stream));
}

Result<std::unique_ptr<port::Listener>> LoopNetwork::listen(const port::Endpoint& at,
                                                            port::Acceptor& acceptor) {
  auto listener = std::make_unique<LoopListener>(loop_, new_tcp_core(loop_), acceptor);
  TRY(listener->listen_tcp(at));
  return std::unique_ptr<port::Listener>(std::move(listener));
}

Result<std::unique_ptr<port::Listener>> LoopNetwork::listen_local(const std::string& path,
                                                                  port::Acceptor& acceptor) {
  auto listener = std::make_unique<LoopListener>(loop_, new_pipe_core(loop_), acceptor);
  TRY(listener->listen_local(path));
  return std::unique_ptr<port::Listener>(std::move(listener));
}

std::unique_ptr<port::Stream> LoopNetwork::connect(const port::Endpoint& to,
                                                   port::StreamEvents& events) {
  auto stream = std::make_unique<LoopStream>(loop_, new_tcp_core(loop_), to);
  stream->listen_to(events);
  StreamCore& core = stream->core();
  Result<sockaddr_storage> address = socket_address(to);
  if (!address) {
    stream->close_later(address.error().message);
    return stream;
  }
  const int error =
      uv_tcp_connect(&core.connect, &core.tcp, reinterpret_cast<const sockaddr*>(&*address),
                     LoopStream::on_connect);
  if (error != 0) stream->close_later(uv_strerror(error));
  if (error == 0) tune(core.tcp);
  return stream;
}

std::unique_ptr<port::Stream> LoopNetwork::connect_local(const std::string& path,
                                                         port::StreamEvents& events) {
  auto stream = std::make_unique<LoopStream>(loop_, new_pipe_core(loop_), port::Endpoint{path, 0});
  stream->listen_to(events);
  Result<LocalAddress> address = local_address(path);
  if (!address) {
    stream->close_later(address.error().message);
    return stream;
  }
  StreamCore& core = stream->core();
  uv_pipe_connect(&core.connect, &core.pipe, address->path.c_str(), LoopStream::on_connect);
  return stream;
}

}  // namespace coracle::port_linux
