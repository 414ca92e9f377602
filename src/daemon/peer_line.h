// SPDX-License-Identifier: GPL-2.0-or-later
// The way to the other members, which is known only once the store says who we are: until connect()
// nothing goes out.
#pragma once

#include <vector>

#include "store/transport.h"

namespace coracle::daemon {

class PeerLine final : public store::Transport {
 public:
  void connect(store::Transport& to) {
    to_ = &to;
    if (events_ == nullptr) return;
    to.start(*events_);
    to.set_members(members_);
  }

  void start(store::TransportEvents& events) override { events_ = &events; }
  void stop() override {
    events_ = nullptr;
    if (to_ != nullptr) to_->stop();
  }
  void set_members(std::span<const store::PeerAddress> members) override {
    members_.assign(members.begin(), members.end());
    if (to_ != nullptr) to_->set_members(members);
  }
  void send(raft::Message message) override {
    if (to_ != nullptr) to_->send(std::move(message));
  }
  void send_snapshot(raft::Message message, std::unique_ptr<store::SnapshotSource> rows) override {
    if (to_ != nullptr) to_->send_snapshot(std::move(message), std::move(rows));
  }

 private:
  store::Transport* to_ = nullptr;
  store::TransportEvents* events_ = nullptr;
  std::vector<store::PeerAddress> members_;
};

}  // namespace coracle::daemon
