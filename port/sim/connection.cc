// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>

#include "port/sim/net.h"

namespace coracle::port_sim {
namespace {

constexpr size_t kWindowBytes = 256 * 1024;
constexpr size_t kReadBytes = 64 * 1024;

}  // namespace

Connection::Connection(
    Switch& net, uint64_t id, port::Endpoint from, port::Endpoint to, Socket target)
    : Event(net.timeline_),
      net_(net),
      id_(id),
      from_(std::move(from)),
      to_(std::move(to)),
      target_(std::move(target)) {}

void Connection::wake() {
  if (!scheduled()) schedule(net_.timeline_.now() + net_.delay.pick(net_.dice_));
}

void Connection::attach(int side, SimStream* stream, port::StreamEvents* events) {
  ends_[side].stream = stream;
  ends_[side].events = events;
  ends_[side].connected = side == kServer;
  wake();
}

void Connection::detach(int side) {
  End& end = ends_[side];
  end.stream = nullptr;
  end.events = nullptr;
  end.closed = true;
  end.queue.clear();
  end.finishing = true;
  pump(side);
  wake();
}

void Connection::listen_to(int side, port::StreamEvents& events) {
  ends_[side].events = &events;
  wake();
}

void Connection::send(int side, const std::string& bytes) {
  End& end = ends_[side];
  if (end.closed || end.finishing) return;
  end.queue += bytes;
  pump(side);
  end.queueing = end.queueing || !end.queue.empty();
  wake();
}

void Connection::pause(int side, bool paused) {
  ends_[side].paused = paused;
  if (!paused) wake();
}

void Connection::finish(int side) {
  ends_[side].finishing = true;
  pump(side);
  wake();
}

// Moves what fits into the window from the queue onto the wire.
void Connection::pump(int side) {
  End& end = ends_[side];
  while (!end.queue.empty() && end.in_window < kWindowBytes) {
    const size_t part = std::min({end.queue.size(), kWindowBytes - end.in_window, kReadBytes});
    end.last_arrival =
        std::max(end.last_arrival, net_.timeline_.now() + net_.delay.pick(net_.dice_));
    end.sent.push_back({end.last_arrival, end.queue.substr(0, part), false});
    end.queue.erase(0, part);
    end.in_window += part;
  }
  if (!end.queue.empty() || !end.finishing || end.end_sent) return;
  end.end_sent = true;
  end.sent.push_back({std::max(end.last_arrival, net_.timeline_.now()), {}, true});
}

void Connection::close(int side, const std::string& why) {
  End& end = ends_[side];
  if (end.closed || end.events == nullptr) return;
  end.closed = true;
  end.queue.clear();
  end.finishing = true;
  pump(side);
  end.events->on_closed(why);  // may destroy this connection
}

// What the listener of `side` must hear that is not bytes. At most one call out.
bool Connection::report(int side) {
  End& end = ends_[side];
  if (end.closed || end.events == nullptr) return false;
  if (!end.refused.empty()) {
    close(side, end.refused);
    return true;
  }
  if (side == kClient && accepted_ && !end.connected) {
    end.connected = true;
    end.events->on_connected();
    return true;
  }
  if (end.queueing && end.queue.empty() && end.in_window == 0) {
    end.queueing = false;
    end.events->on_drained();
    return true;
  }
  return false;
}

bool Connection::deliver(int side) {
  End& end = ends_[side];
  End& other = ends_[1 - side];
  if (other.sent.empty() || other.sent.front().arrives > net_.timeline_.now()) return false;
  if (end.stream != nullptr && (end.events == nullptr || end.paused || !end.connected))
    return false;
  if (end.stream == nullptr && side == kServer && !accepted_ && ends_[kClient].stream != nullptr) {
    return false;
  }
  const Chunk chunk = std::move(other.sent.front());
  other.sent.pop_front();
  other.in_window -= chunk.bytes.size();
  pump(1 - side);
  if (end.closed || end.stream == nullptr) return true;
  if (chunk.ends) {
    close(side, "closed by the peer");
  } else {
    end.events->on_bytes(chunk.bytes);
  }
  return true;
}

// The client's first event: the connection is made or refused.
bool Connection::open_now() {
  if (accepted_ || !ends_[kClient].refused.empty() || ends_[kClient].stream == nullptr)
    return false;
  const auto listener = net_.listeners_.find(target_);
  if (target_.first == 0) {
    ends_[kClient].refused = "invalid address";
  } else if (listener == net_.listeners_.end()) {
    ends_[kClient].refused = "connection refused";
  } else {
    accepted_ = true;
    auto stream = std::make_unique<SimStream>(net_, id_, kServer, nullptr);
    listener->second->acceptor().on_accept(std::move(stream));
  }
  return true;
}

// One thing at a time: each callback may end the connection, so nothing of it is touched afterwards
// unless it is still there.
void Connection::fire() {
  Switch& net = net_;
  const uint64_t id = id_;
  if (net.is_cut(net.machine_at(from_.host, target_.first), target_.first)) return wake();
  const bool moved =
      open_now() || report(kClient) || report(kServer) || deliver(kClient) || deliver(kServer);
  Connection* still = net.find(id);
  if (still == nullptr) return;
  if (moved) {
    still->schedule(net.timeline_.now());
    return;
  }
  for (const End& end : still->ends_) {
    if (!end.sent.empty() && end.sent.front().arrives > net.timeline_.now()) {
      still->schedule(end.sent.front().arrives);
    }
  }
}

}  // namespace coracle::port_sim
