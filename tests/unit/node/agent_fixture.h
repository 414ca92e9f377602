// SPDX-License-Identifier: GPL-2.0-or-later
// One agent on a simulated machine, with a cluster and sandboxes that do what a test says.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "node/agent.h"
#include "port/sim/world.h"
#include "tests/unit/node/fakes.h"
#include "tests/unit/node/tar_writer.h"

namespace coracle::node {

inline constexpr const char* kWeb = R"(
metadata: {name: web, namespace: default, generation: 1}
spec:
  nodeName: gw-1
  terminationGracePeriodSeconds: 30
  containers: [{name: web, image: busybox, imagePullPolicy: IfNotPresent}]
)";

class AgentTest : public ::testing::Test, protected ImageListener, protected api::LogSink {
 protected:
  void on_image_loaded(uint64_t, Result<std::vector<std::string>> names) override {
    loaded_ = names.has_value();
  }
  void on_image_removed(uint64_t, Result<> removed) override {
    removed_ = removed ? "removed" : removed.error().message;
  }
  void on_log(std::string_view bytes) override { log_ += bytes; }
  void on_log_end() override { log_ended_ = true; }

  void start() {
    agent_ = std::make_unique<Agent>(cluster_, ports_, options());
    ASSERT_TRUE(agent_->start());
    settle();
  }
  void load_busybox() {
    ASSERT_TRUE(machine_.disk().write_file("/in.tar", busybox_archive(), 0600));
    agent_->load_image("/in.tar", *this, 1);
    run(seconds(1));
    ASSERT_TRUE(loaded_);
  }
  AgentOptions options() const {
    AgentOptions options;
    options.node_name = "gw-1";
    options.data_directory = "/data";
    options.run_directory = "/run";
    options.pod_cidr = *parse_cidr4("10.42.3.0/24");
    options.pods_max = 4;
    options.is_confirmed = confirmed_;
    return options;
  }
  void settle() { run(milliseconds(100)); }
  void run(Duration time) {
    const Mono end = world_.now() + time;
    while (world_.now() < end) {
      world_.run_for(milliseconds(10));
      while (sandboxes_.deliver())
        world_.run_for(milliseconds(10));
    }
  }
  json::Node status() {
    const api::ObjectRef pod = cluster_.state().get(api::kPod, "default", "web");
    return pod ? pod->parse(tree_)["status"] : json::Node();
  }
  json::Node container_state() { return status()["containerStatuses"].at(0)["state"]; }
  bool has_event(std::string_view text) const {
    return std::any_of(cluster_.events.begin(), cluster_.events.end(),
                       [&](const std::string& event) { return event == text; });
  }
  bool has_order(std::string_view order) {
    const auto& orders = sandboxes_.only().orders;
    return std::find(orders.begin(), orders.end(), order) != orders.end();
  }
  void run_web() {
    start();
    load_busybox();
    cluster_.put(api::kPod, kWeb);
    settle();
    ASSERT_EQ(status()["phase"].string(), "Running");
  }
  std::string logs(api::LogOptions options) {
    log_.clear();
    log_ended_ = false;
    options.container = "web";
    Result<std::unique_ptr<api::LogStream>> stream =
        agent_->open(*cluster_.state().get(api::kPod, "default", "web"), options, *this);
    if (!stream) return stream.error().message;
    run(seconds(1));
    EXPECT_TRUE(log_ended_);
    return log_;
  }

  port_sim::World world_{11};
  port_sim::Machine& machine_ = world_.machine();
  std::unique_ptr<port::Lane> lane_ = machine_.lane();
  FakeCluster cluster_{machine_.clock()};
  FakeLinks links_;
  FakeSandboxes sandboxes_{machine_.clock()};
  AgentPorts ports_{machine_.clock(), machine_.disk(), machine_.random(), links_,
                    sandboxes_,       *lane_,          machine_.network()};
  std::unique_ptr<Agent> agent_;
  json::Tree tree_;
  bool loaded_ = false;
  bool confirmed_ = true;
  std::string removed_;
  std::string log_;
  bool log_ended_ = false;
};

}  // namespace coracle::node
