// SPDX-License-Identifier: GPL-2.0-or-later
// What carries messages between the stores of a world: each way of each pair of members has its own
// delay, and may lose, repeat and reorder, or be cut in one direction only.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "port/sim/dice.h"
#include "store/transport.h"

namespace coracle::sim {

class PeerNet;

class PeerTransport final : public store::Transport {
 public:
  PeerTransport(PeerNet& net, raft::NodeId self) : net_(net), self_(self) {}
  ~PeerTransport() override { stop(); }
  void start(store::TransportEvents& events) override;
  void stop() override;
  void set_members(std::span<const store::PeerAddress> members) override {
    known_.clear();
    for (const store::PeerAddress& member : members)
      known_.insert(member.id);
  }
  void send(raft::Message message) override;
  void send_snapshot(raft::Message message, std::unique_ptr<store::SnapshotSource> rows) override;

 private:
  friend class PeerNet;
  PeerNet& net_;
  raft::NodeId self_;
  store::TransportEvents* events_ = nullptr;
  std::set<raft::NodeId> known_;
};

class PeerNet final : port::Alarm {
 public:
  struct Weather {
    uint64_t delay_least_us = 100;
    uint64_t delay_most_us = 2000;
    uint32_t lost = 0;      // percent
    uint32_t repeated = 0;  // percent
  };
  PeerNet(port::Clock& clock, uint64_t seed)
      : clock_(clock),
        dice_(seed),
        timer_(clock.timer(*this)) {}

  Weather weather;
  void cut(raft::NodeId from, raft::NodeId to) { cuts_.insert({from, to}); }
  void cut_both(raft::NodeId a, raft::NodeId b) {
    cut(a, b);
    cut(b, a);
  }
  void cut_off(raft::NodeId who) { lonely_.insert(who); }
  void bring_back(raft::NodeId who) { lonely_.erase(who); }
  void heal() {
    cuts_.clear();
    lonely_.clear();
    weather = {};
  }
  bool open(raft::NodeId from, raft::NodeId to) const {
    return !cuts_.contains({from, to}) && !lonely_.contains(from) && !lonely_.contains(to);
  }
  uint64_t snapshots() const { return snapshots_; }
  uint64_t delivered() const { return delivered_; }

 private:
  friend class PeerTransport;
  struct Parcel {
    raft::NodeId from = 0;
    raft::NodeId to = 0;
    raft::Message message;
    bool unreachable = false;
  };
  struct Stream {
    raft::NodeId from = 0;
    raft::NodeId to = 0;
    raft::Message message;
    std::unique_ptr<store::SnapshotSource> rows;
    bool begun = false;
    bool ended = false;
  };

  PeerTransport* find(raft::NodeId id) {
    const auto found = transports_.find(id);
    return found == transports_.end() || found->second->events_ == nullptr ? nullptr
                                                                           : found->second;
  }
  Mono later() {
    const uint64_t us = dice_.between(weather.delay_least_us, weather.delay_most_us);
    return clock_.now() + nanoseconds(static_cast<int64_t>(us * 1000));
  }
  void post(Parcel parcel) {
    parcels_.emplace(std::make_pair(later(), number_++), std::move(parcel));
    arm();
  }
  void arm() {
    if (parcels_.empty() && streams_.empty()) return timer_->disarm();
    Mono at = clock_.now() + milliseconds(1);
    if (streams_.empty()) at = parcels_.begin()->first.first;
    if (!timer_->armed() || at < armed_for_) timer_->arm(armed_for_ = at);
  }
  void on_alarm(port::Timer&) override {
    while (!parcels_.empty() && parcels_.begin()->first.first <= clock_.now()) {
      Parcel parcel = std::move(parcels_.begin()->second);
      parcels_.erase(parcels_.begin());
      deliver(std::move(parcel));
    }
    for (Stream& stream : streams_)
      move(stream);
    std::erase_if(streams_, [](const Stream& stream) { return stream.ended; });
    arm();
  }
  void deliver(Parcel parcel) {
    PeerTransport* to = find(parcel.to);
    if (to == nullptr) return;
    if (parcel.unreachable) return to->events_->on_unreachable(parcel.from);
    if (!open(parcel.from, parcel.to)) return;
    delivered_++;
    to->events_->on_message(parcel.from, std::move(parcel.message));
  }
  void end(Stream& stream, bool failed) {
    stream.ended = true;
    if (stream.begun && failed) {
      if (PeerTransport* to = find(stream.to)) to->events_->on_snapshot_broken(stream.from);
    }
    if (PeerTransport* from = find(stream.from)) from->events_->on_snapshot_sent(stream.to, failed);
  }
  // One chunk a millisecond.
  void move(Stream& stream) {
    PeerTransport* to = find(stream.to);
    if (stream.ended) return;
    if (to == nullptr || find(stream.from) == nullptr || !open(stream.from, stream.to) ||
        !open(stream.to, stream.from))
      return end(stream, true);
    if (!stream.begun) {
      stream.begun = true;
      if (!to->events_->on_snapshot_begin(stream.from, stream.message)) {
        stream.begun = false;
        return end(stream, true);
      }
      return;
    }
    std::string chunk;
    const Result<bool> more = stream.rows->next(chunk);
    if (!more) return end(stream, true);
    if (*more) {
      if (!to->events_->on_snapshot_chunk(stream.from, chunk)) end(stream, true);
      return;
    }
    const Result<> taken = to->events_->on_snapshot_end(stream.from, std::move(stream.message));
    stream.begun = false;
    if (taken) snapshots_++;
    end(stream, !taken);
  }

  port::Clock& clock_;
  port_sim::Dice dice_;
  std::unique_ptr<port::Timer> timer_;
  Mono armed_for_;
  std::map<raft::NodeId, PeerTransport*> transports_;
  std::map<std::pair<Mono, uint64_t>, Parcel> parcels_;
  uint64_t number_ = 0;
  std::vector<Stream> streams_;
  std::set<std::pair<raft::NodeId, raft::NodeId>> cuts_;
  std::set<raft::NodeId> lonely_;
  uint64_t snapshots_ = 0;
  uint64_t delivered_ = 0;
};

inline void PeerTransport::start(store::TransportEvents& events) {
  events_ = &events;
  net_.transports_[self_] = this;
}

inline void PeerTransport::stop() {
  if (events_ == nullptr) return;
  events_ = nullptr;
  net_.transports_.erase(self_);
  for (PeerNet::Stream& stream : net_.streams_) {
    if (!stream.ended && (stream.from == self_ || stream.to == self_)) net_.end(stream, true);
  }
}

inline void PeerTransport::send(raft::Message message) {
  const raft::NodeId to = message.to;
  if (net_.dice_.chance(net_.weather.lost)) return;
  if (net_.find(to) == nullptr) return net_.post({to, self_, {}, true});
  const bool once = message.type == raft::MessageType::kPropose;
  if (!once && net_.dice_.chance(net_.weather.repeated)) net_.post({self_, to, message, false});
  net_.post({self_, to, std::move(message), false});
}

inline void PeerTransport::send_snapshot(raft::Message message,
                                         std::unique_ptr<store::SnapshotSource> rows) {
  const raft::NodeId to = message.to;
  net_.streams_.push_back({self_, to, std::move(message), std::move(rows), false, false});
  net_.arm();
}

}  // namespace coracle::sim
