// SPDX-License-Identifier: GPL-2.0-or-later
// A client with a list and a watch, as an informer has them: lists once, then watches, and comes
// back with its last resourceVersion whenever the watch ends. What it hears must be the history of
// its kind: every change, once, in order; or 410, if the server cannot tell it any more.
#pragma once

#include <memory>
#include <string>

#include "http/client.h"
#include "port/sim/world.h"
#include "tests/sim/findings.h"
#include "tests/sim/history.h"
#include "tests/sim/house.h"

namespace coracle::sim {

class Onlooker final : http::ClientEvents, port::Alarm {
 public:
  struct Sight {
    const api::Kind* kind;
    std::string ns;    // empty: all
    std::string path;  // of the list
  };
  Onlooker(
      port_sim::Machine& desk, House& house, History& history, Findings& findings, Sight sight);
  ~Onlooker();

  void begin(uint64_t seed);
  void let_go();               // its connection is lost; it comes back
  void close();                // for good
  bool is_up_to_date() const;  // heard of everything that happened
  std::string_view name() const { return sight_.kind->name; }
  uint64_t heard() const { return heard_; }
  uint64_t expired() const { return expired_; }

 private:
  void on_head(int status, const std::vector<http::Header>& headers) override;
  void on_body(std::string_view bytes) override;
  void on_end() override;
  void on_failed(std::string_view why) override;
  void on_alarm(port::Timer& timer) override;
  void again();
  void take_list();
  void take_line(std::string_view line);
  void take_event(std::string_view type, json::Node object);
  void take_expiry(std::string_view line);
  void compare_list(json::Node items, uint64_t version);
  void add(std::string what);

  port_sim::Machine& desk_;
  port_sim::Dice dice_{0};
  House& house_;
  History& history_;
  Findings& findings_;
  const Sight sight_;
  http::Client client_;
  std::unique_ptr<port::Timer> timer_;
  uint64_t cursor_ = 0;  // 0: must list
  uint64_t asked_in_life_ = 0;
  bool watching_ = false;
  bool expired_now_ = false;
  int status_ = 0;
  std::string body_;
  uint64_t heard_ = 0;
  uint64_t expired_ = 0;
};

}  // namespace coracle::sim
