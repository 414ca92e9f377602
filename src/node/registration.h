// SPDX-License-Identifier: GPL-2.0-or-later
// The agent's own Node and Lease. The Lease is renewed every 10 s; the same tick looks whether the
// Node's status changed. The status is written when it did, and every 5 minutes for its heartbeat
// times (upstream's nodeStatusReportFrequency); nothing else wakes an idle agent.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "api/client.h"
#include "json/tree.h"
#include "node/images.h"
#include "node/machine.h"
#include "node/node_events.h"
#include "node/options.h"
#include "node/pressure.h"
#include "port/clock.h"
#include "port/disk.h"
#include "port/links.h"

namespace coracle::node {

// What the tick of the Lease is used for beside it.
class TickListener {
 public:
  virtual void on_lease_tick() = 0;

 protected:
  ~TickListener() = default;
};

struct NodeFacts {
  const AgentOptions& options;
  const Machine& machine;
  const Images& images;
  std::string_view node_ip;
  std::string_view network_problem;  // empty: the bridge stands
  const Pressure& pressure;
  port::Space space;  // of the data directory
  Wall now;
};

// The Node's status as it shall be; `stored` (may be a null Node) gives transition times.
json::Node make_node_status(json::Tree& tree, json::Node stored, const NodeFacts& facts);
// True if they differ in more than heartbeat times.
bool node_status_differs(json::Node a, json::Node b);

class Registration final : api::Caller, port::Alarm, port::TurnEnd {
 public:
  Registration(api::Client& client,
               port::Clock& clock,
               port::Disk& disk,
               port::Links& links,
               const AgentOptions& options);
  ~Registration();
  Registration(const Registration&) = delete;
  Registration& operator=(const Registration&) = delete;

  struct Sources {
    const Machine& machine;
    const Images& images;
    const Pressure& pressure;
    NodeEvents& events;
    TickListener& listener;
  };
  void start(const Sources& sources, std::string node_ip);
  void schedule();  // look again at the end of the turn: images changed, the Node was touched

 private:
  void on_answer(uint64_t token, Result<api::ObjectRef> answer) override;
  void on_alarm(port::Timer& timer) override;
  void on_turn_end() override;
  void sync_node();
  void create_node();
  bool patch_metadata(const api::Object& stored, json::Node node);
  void patch_status(const api::Object& stored, json::Node node);
  void renew_lease();
  void submit(api::CallVerb verb, api::Key key, std::string body, uint64_t token);
  void ensure_network();

  api::Client& client_;
  port::Clock& clock_;
  port::Disk& disk_;
  port::Links& links_;
  const AgentOptions& options_;
  std::optional<Sources> sources_;  // from start() on
  std::string node_ip_;
  std::string network_problem_ = "not set up yet";
  std::unique_ptr<port::Timer> timer_;
  bool node_pending_ = false;
  bool lease_pending_ = false;
  Mono lease_due_;
  Mono node_not_before_;
  Duration node_delay_;
  Mono reported_;
  std::string sent_status_;  // guards against a server that stores something else than was sent
  uint64_t sent_version_ = 0;
};

}  // namespace coracle::node
