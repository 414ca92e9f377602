// SPDX-License-Identifier: GPL-2.0-or-later
// A clock and a network in memory: what is sent arrives on the next turn, in pieces of a chosen
// size. Time stands still unless it is told to pass.
#pragma once

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "port/clock.h"
#include "port/net.h"

namespace coracle {

class TestClock final : public port::Clock {
 public:
  class TestTimer final : public port::Timer {
   public:
    TestTimer(TestClock& clock, port::Alarm& alarm) : clock_(clock), alarm_(alarm) {
      clock_.timers_.push_back(this);
    }
    ~TestTimer() override { std::erase(clock_.timers_, this); }
    void arm(Mono at) override { at_ = at, armed_ = true; }
    void disarm() override { armed_ = false; }
    bool armed() const override { return armed_; }

   private:
    friend class TestClock;
    TestClock& clock_;
    port::Alarm& alarm_;
    Mono at_;
    bool armed_ = false;
  };

  Mono now() const override { return now_; }
  Wall wall() const override { return wall_; }
  std::unique_ptr<port::Timer> timer(port::Alarm& alarm) override {
    return std::make_unique<TestTimer>(*this, alarm);
  }
  void at_turn_end(port::TurnEnd& what) override {
    if (std::find(ends_.begin(), ends_.end(), &what) == ends_.end()) ends_.push_back(&what);
  }
  void cancel_turn_end(port::TurnEnd& what) override {
    std::erase(ends_, &what);
    std::replace(running_.begin(), running_.end(), &what, static_cast<port::TurnEnd*>(nullptr));
  }
  bool end_turn() {  // true: something ran
    if (ends_.empty()) return false;
    running_.swap(ends_);
    for (size_t i = 0; i < running_.size(); i++) {
      if (running_[i] != nullptr) running_[i]->on_turn_end();
    }
    running_.clear();
    return true;
  }
  void pass(Duration time) {
    now_ = now_ + time;
    wall_ = wall_ + time;
    for (size_t i = 0; i < timers_.size(); i++) {
      TestTimer* timer = timers_[i];
      if (!timer->armed_ || timer->at_ > now_) continue;
      timer->armed_ = false;
      timer->alarm_.on_alarm(*timer);
    }
  }
  void set_wall(Wall wall) { wall_ = wall; }

 private:
  std::vector<TestTimer*> timers_;
  std::vector<port::TurnEnd*> ends_;
  std::vector<port::TurnEnd*> running_;
  Mono now_{1};
  Wall wall_{};
};

class TestNetwork final : public port::Network {
 public:
  explicit TestNetwork(TestClock& clock) : clock_(clock) {}
  ~TestNetwork() override { ASSERT(ends_.empty()); }

  class End final : public port::Stream {
   public:
    End(TestNetwork& network, std::string address)
        : network_(network),
          address_(std::move(address)) {
      network_.ends_.push_back(this);
    }
    ~End() override {
      std::erase(network_.ends_, this);
      if (other_ != nullptr) {
        other_->other_ = nullptr;
        other_->peer_left_ = true;
      }
    }
    void listen_to(port::StreamEvents& events) override { events_ = &events; }
    void send(std::string bytes) override {
      if (finishing_) return;
      network_.sends++;
      out_ += bytes;
      backlog_ = true;
    }
    size_t queued() const override { return out_.size(); }
    void pause_reading(bool paused) override { paused_ = paused; }
    void finish() override { finishing_ = true; }
    port::Endpoint peer() const override { return {address_, 1}; }

   private:
    friend class TestNetwork;
    bool step();

    TestNetwork& network_;
    std::string address_;
    End* other_ = nullptr;
    port::StreamEvents* events_ = nullptr;
    std::string in_;
    std::string out_;
    bool connecting_ = false;
    bool paused_ = false;
    bool backlog_ = false;
    bool finishing_ = false;
    bool peer_finished_ = false;
    bool peer_left_ = false;
  };

  Result<std::unique_ptr<port::Listener>> listen(const port::Endpoint& at,
                                                 port::Acceptor& acceptor) override {
    struct TestListener final : port::Listener {
      TestListener(TestNetwork& owner, uint16_t number) : network(owner), port(number) {}
      ~TestListener() override { network.acceptors_.erase(port); }
      port::Endpoint local() const override { return {"127.0.0.1", port}; }
      TestNetwork& network;
      uint16_t port;
    };
    acceptors_[at.port] = &acceptor;
    return std::unique_ptr<port::Listener>(new TestListener(*this, at.port));
  }
  std::unique_ptr<port::Stream> connect(const port::Endpoint& to,
                                        port::StreamEvents& events) override {
    auto client = std::make_unique<End>(*this, to.host);
    client->events_ = &events;
    const auto acceptor = acceptors_.find(to.port);
    if (acceptor == acceptors_.end()) {
      client->peer_left_ = true;
      return client;
    }
    auto server = std::make_unique<End>(*this, client_address);
    client->other_ = server.get();
    client->connecting_ = true;
    server->other_ = client.get();
    acceptor->second->on_accept(std::move(server));
    return client;
  }
  Result<std::unique_ptr<port::Listener>> listen_local(const std::string&,
                                                       port::Acceptor&) override {
    return fail(Code::kIo, "no local sockets");
  }
  std::unique_ptr<port::Stream> connect_local(const std::string&, port::StreamEvents&) override {
    return nullptr;
  }

  // One turn of the loop. False if nothing happened.
  bool turn() {
    bool busy = false;
    const std::vector<End*> now = ends_;
    for (End* each : now) {
      if (std::find(ends_.begin(), ends_.end(), each) != ends_.end()) busy = each->step() || busy;
    }
    return clock_.end_turn() || busy;
  }
  void run() {
    int turns = 0;
    while (turn())
      ASSERT(++turns < 200'000);
  }

  std::string client_address = "10.0.0.1";
  size_t piece_bytes = 64 * 1024;  // moved by a stream in a turn
  bool stuck = false;              // nobody takes anything
  size_t sends = 0;

 private:
  TestClock& clock_;
  std::vector<End*> ends_;
  std::map<uint16_t, port::Acceptor*> acceptors_;
};

inline bool TestNetwork::End::step() {
  if (events_ == nullptr) return false;
  if (std::exchange(connecting_, false)) {
    events_->on_connected();
    return true;
  }
  bool busy = false;
  if (!out_.empty() && other_ != nullptr && !network_.stuck &&
      other_->in_.size() < network_.piece_bytes) {
    const size_t moved = std::min(out_.size(), network_.piece_bytes);
    other_->in_.append(out_, 0, moved);
    out_.erase(0, moved);
    busy = true;
  }
  if (finishing_ && out_.empty() && other_ != nullptr && !other_->peer_finished_) {
    other_->peer_finished_ = true;
    return true;
  }
  if (out_.empty() && std::exchange(backlog_, false) && !finishing_) {
    const std::vector<End*>& alive = network_.ends_;
    events_->on_drained();
    if (std::find(alive.begin(), alive.end(), this) == alive.end()) return true;
    busy = true;
  }
  if (!in_.empty() && !paused_) {
    const std::string piece = std::exchange(in_, {});
    if (!finishing_) events_->on_bytes(piece);
    return true;
  }
  if (in_.empty() && (peer_left_ || peer_finished_)) {
    port::StreamEvents* events = std::exchange(events_, nullptr);
    events->on_closed("closed by peer");
    return true;
  }
  return busy;
}

}  // namespace coracle
