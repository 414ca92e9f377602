// SPDX-License-Identifier: GPL-2.0-or-later
// Somebody with a kubeconfig: asks the API for one thing after another over TLS, and checks that
// what was granted is in the history.
#pragma once

#include <memory>
#include <string>

#include "http/client.h"
#include "port/sim/world.h"
#include "tests/sim/findings.h"
#include "tests/sim/history.h"

namespace coracle::sim {

std::shared_ptr<const http::TlsClientContext> client_tls(port::Random& random);

class Person final : http::ClientEvents, port::Alarm {
 public:
  Person(port_sim::Machine& desk, uint64_t seed, History& history, Findings& findings);
  ~Person();

  void work();  // until rest()
  void rest() { working_ = false; }
  bool is_resting() const { return !working_ && !waiting_; }
  void let_go();  // of the connection
  // One request of the test's own, while resting.
  void ask(http::Request request);

  uint64_t granted() const { return granted_; }
  uint64_t refused() const { return refused_; }
  uint64_t unanswered() const { return unanswered_; }

 private:
  void on_head(int status, const std::vector<http::Header>& headers) override;
  void on_body(std::string_view bytes) override { body_ += bytes; }
  void on_end() override;
  void on_failed(std::string_view why) override;
  void on_alarm(port::Timer& timer) override;
  void think();
  void check_granted();

  port_sim::Machine& desk_;
  port_sim::Dice dice_;
  History& history_;
  Findings& findings_;
  http::Client client_;
  std::unique_ptr<port::Timer> timer_;
  bool working_ = false;
  bool waiting_ = false;
  std::string asked_;
  int status_ = 0;
  std::string body_;
  uint64_t granted_ = 0;
  uint64_t refused_ = 0;
  uint64_t unanswered_ = 0;
};

}  // namespace coracle::sim
