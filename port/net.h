// SPDX-License-Identifier: GPL-2.0-or-later
// Byte streams over TCP and local sockets. All calls return at once; everything else arrives by
// listener.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace coracle::port {

struct Endpoint {
  std::string host;  // numeric address; for local sockets the path
  uint16_t port = 0;
};

class StreamEvents {
 public:
  virtual void on_connected() {}
  virtual void on_bytes(std::string_view bytes) = 0;  // valid during the call
  virtual void on_drained() {}                        // queued() went to 0 after it was > 0
  virtual void on_closed(
      std::string_view why) = 0;  // exactly once, unless the owner destroyed the stream

 protected:
  ~StreamEvents() = default;
};

// Owned by the room that uses it; destroying it closes the socket and no event follows.
// A listener may destroy its stream from inside any event.
class Stream {
 public:
  virtual ~Stream() = default;
  virtual void listen_to(
      StreamEvents& events) = 0;             // accepted streams start paused until this is called
  virtual void send(std::string bytes) = 0;  // queued; a failure shows as on_closed
  virtual size_t queued() const = 0;         // bytes not yet taken by the kernel
  virtual void pause_reading(bool paused) = 0;
  virtual void end_sending() { finish(); }  // FIN after everything queued; still reads
  virtual void finish() = 0;                // closes after everything queued is sent
  virtual Endpoint peer() const = 0;
};

class Acceptor {
 public:
  virtual void on_accept(std::unique_ptr<Stream> stream) = 0;

 protected:
  ~Acceptor() = default;
};

class Listener {
 public:
  virtual ~Listener() = default;
  virtual Endpoint local() const = 0;  // tells the port chosen for port 0
};

class Network {
 public:
  virtual ~Network() = default;
  virtual Result<std::unique_ptr<Listener>> listen(const Endpoint& at, Acceptor& acceptor) = 0;
  virtual std::unique_ptr<Stream> connect(const Endpoint& to, StreamEvents& events) = 0;
  // AF_UNIX stream sockets; the path is replaced if a dead socket is there; mode 0600.
  virtual Result<std::unique_ptr<Listener>> listen_local(const std::string& path,
                                                         Acceptor& acceptor) = 0;
  virtual std::unique_ptr<Stream> connect_local(const std::string& path, StreamEvents& events) = 0;
};

}  // namespace coracle::port
