// SPDX-License-Identifier: GPL-2.0-or-later
// Routes to the pods of the other nodes: spec.podCIDR of each by way of its InternalIP. They stay
// when the agent ends, as pods do; the next one takes away what no Node stands for any more.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "api/client.h"
#include "port/clock.h"
#include "port/links.h"

namespace coracle::node {

class PeerRoutes final : api::Feed, port::TurnEnd, port::Alarm {
 public:
  PeerRoutes(api::Client& client, port::Clock& clock, port::Links& links, std::string own_name);
  ~PeerRoutes();
  PeerRoutes(const PeerRoutes&) = delete;
  PeerRoutes& operator=(const PeerRoutes&) = delete;

  void start();  // once client.state() is complete

 private:
  void on_change(const api::Change& change) override;
  void on_turn_end() override;
  void on_alarm(port::Timer&) override { clock_.at_turn_end(*this); }
  std::map<Cidr4, Ip4> wanted() const;
  void remove_stale(const std::map<Cidr4, Ip4>& wanted);

  api::Client& client_;
  port::Clock& clock_;
  port::Links& links_;
  const std::string own_name_;
  std::map<Cidr4, Ip4> routes_;  // as they are
  std::unique_ptr<port::Timer> retry_;
  bool started_ = false;
};

}  // namespace coracle::node
