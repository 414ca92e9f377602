// SPDX-License-Identifier: GPL-2.0-or-later
// All connections of a world. Bytes of one direction arrive in order, after a delay of chance; each
// direction holds at most a window of bytes between the sender's queue and the reader.
//
// A Direction has the id of its connection and never a pointer to a stream that may be gone: every
// callback may destroy either end.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "port/net.h"
#include "port/sim/dice.h"
#include "port/sim/lane.h"
#include "port/sim/timeline.h"

namespace coracle::port_sim {

class Switch;
class SimDatagrams;
class Flight;
class SimStream;
class SimListener;

// Where something listens: a machine and "tcp:PORT" or "local:PATH".
using Socket = std::pair<uint32_t, std::string>;

class Connection : private Event {
 public:
  Connection(Switch& net, uint64_t id, port::Endpoint from, port::Endpoint to, Socket target);
  static constexpr int kClient = 0;
  static constexpr int kServer = 1;

  void attach(int side, SimStream* stream, port::StreamEvents* events);
  void detach(int side);
  void listen_to(int side, port::StreamEvents& events);
  void send(int side, const std::string& bytes);
  void pause(int side, bool paused);
  void finish(int side);
  size_t queued(int side) const { return ends_[side].queue.size(); }
  const port::Endpoint& peer(int side) const { return side == kClient ? to_ : from_; }
  bool over() const { return ends_[0].stream == nullptr && ends_[1].stream == nullptr; }
  void wake();  // looks again soon

 private:
  struct Chunk {
    Mono arrives;
    std::string bytes;
    bool ends = false;
  };
  struct End {
    SimStream* stream = nullptr;  // null: destroyed, or not accepted yet
    port::StreamEvents* events = nullptr;
    std::string queue;       // not yet taken by the kernel
    std::deque<Chunk> sent;  // towards the other end
    size_t in_window = 0;    // bytes in `sent`
    Mono last_arrival;
    bool queueing = false;  // queue was > 0 since the last on_drained
    bool connected = false;
    bool paused = false;
    bool finishing = false;
    bool end_sent = false;
    bool closed = false;  // on_closed was called, or may never be
    std::string refused;  // on_closed with this
  };

  void fire() override;
  bool open_now();
  void pump(int side);
  bool deliver(int side);  // to `side`; true: something happened
  bool report(int side);
  void close(int side, const std::string& why);

  Switch& net_;
  uint64_t id_;
  port::Endpoint from_;
  port::Endpoint to_;
  Socket target_;
  bool accepted_ = false;
  End ends_[2];
};

class Switch {
 public:
  Switch(Timeline& timeline, uint64_t seed);
  ~Switch();

  Latency delay{nanoseconds(20'000), nanoseconds(300'000)};
  void cut(uint32_t a, uint32_t b, bool is_cut);  // bytes wait until the link is whole again
  bool is_cut(uint32_t a, uint32_t b) const;

  Timeline& timeline() { return timeline_; }
  Dice& dice() { return dice_; }
  std::map<Socket, SimListener*>& listeners() { return listeners_; }
  std::map<Socket, SimDatagrams*>& bound() { return bound_; }  // "udp:PORT"
  void fly(std::unique_ptr<Flight> flight);
  uint32_t machine_at(const std::string& address, uint32_t from) const;  // 0: no such machine
  void name(const std::string& address, uint32_t machine) { machines_[address] = machine; }
  uint16_t free_port() { return next_port_++; }
  uint64_t connect(port::Endpoint from, port::Endpoint to, Socket target);
  Connection* find(uint64_t id);
  void drop_if_over(uint64_t id);

 private:
  friend class Connection;
  Timeline& timeline_;
  Dice dice_;
  std::map<std::string, uint32_t> machines_;
  std::map<Socket, SimListener*> listeners_;
  std::map<Socket, SimDatagrams*> bound_;
  std::vector<std::unique_ptr<Flight>> flights_;
  std::map<uint64_t, std::unique_ptr<Connection>> connections_;
  std::map<std::pair<uint32_t, uint32_t>, bool> cuts_;
  uint64_t next_id_ = 1;
  uint16_t next_port_ = 32768;
};

class SimNetwork : public port::Network {
 public:
  SimNetwork(Switch& net, uint32_t machine, std::string address)
      : net_(net),
        machine_(machine),
        address_(std::move(address)) {}
  Result<std::unique_ptr<port::Listener>> listen(const port::Endpoint& at,
                                                 port::Acceptor& acceptor) override;
  std::unique_ptr<port::Stream> connect(const port::Endpoint& to,
                                        port::StreamEvents& events) override;
  Result<std::unique_ptr<port::Listener>> listen_local(const std::string& path,
                                                       port::Acceptor& acceptor) override;
  std::unique_ptr<port::Stream> connect_local(const std::string& path,
                                              port::StreamEvents& events) override;

 private:
  Result<std::unique_ptr<port::Listener>> listen_at(Socket socket,
                                                    port::Endpoint local,
                                                    port::Acceptor& acceptor);
  Switch& net_;
  uint32_t machine_;
  std::string address_;
};

class SimListener : public port::Listener {
 public:
  SimListener(Switch& net, Socket socket, port::Endpoint local, port::Acceptor& acceptor)
      : net_(net),
        socket_(std::move(socket)),
        local_(std::move(local)),
        acceptor_(acceptor) {
    net_.listeners()[socket_] = this;
  }
  ~SimListener() override { net_.listeners().erase(socket_); }
  port::Endpoint local() const override { return local_; }
  port::Acceptor& acceptor() { return acceptor_; }

 private:
  Switch& net_;
  Socket socket_;
  port::Endpoint local_;
  port::Acceptor& acceptor_;
};

class SimStream : public port::Stream {
 public:
  SimStream(Switch& net, uint64_t connection, int side, port::StreamEvents* events);
  ~SimStream() override;
  void listen_to(port::StreamEvents& events) override { net_.find(id_)->listen_to(side_, events); }
  void send(std::string bytes) override { net_.find(id_)->send(side_, bytes); }
  size_t queued() const override { return net_.find(id_)->queued(side_); }
  void pause_reading(bool paused) override { net_.find(id_)->pause(side_, paused); }
  void finish() override { net_.find(id_)->finish(side_); }
  port::Endpoint peer() const override { return net_.find(id_)->peer(side_); }

 private:
  Switch& net_;
  uint64_t id_;
  int side_;
};

}  // namespace coracle::port_sim
