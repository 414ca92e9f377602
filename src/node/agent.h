// SPDX-License-Identifier: GPL-2.0-or-later
// The node agent: runs the pods that the API binds to this node, in the image of its kubelet. It
// owns what pods share (images, addresses, control groups) and one PodActor a pod, and wakes them
// when something they depend on changes. Destroying it stops nothing: pods go on and the next agent
// adopts them.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/client.h"
#include "api/event_recorder.h"
#include "api/pod_logs.h"
#include "api/pod_streams.h"
#include "api/usage.h"
#include "node/evictor.h"
#include "node/images.h"
#include "node/local_storage.h"
#include "node/logs.h"
#include "node/options.h"
#include "node/pod_actor.h"
#include "node/registration.h"
#include "node/surroundings.h"
#include "node/usage.h"

namespace coracle::node {

class Agent final : public api::PodLogs,
                    public api::PodStreams,
                    public api::UsageSource,
                    api::Feed,
                    port::TurnEnd,
                    PodHost,
                    LogLife,
                    EvictionHost,
                    TickListener,
                    ImageListener {
 public:
  Agent(api::Client& client, const AgentPorts& ports, AgentOptions options);
  ~Agent();
  Agent(const Agent&) = delete;
  Agent& operator=(const Agent&) = delete;

  // Once, when client.state() is complete: pods of the records that it does not know are ended as
  // orphans; if the state is only remembered (options.is_confirmed), when confirm() is called.
  Result<> start();
  void confirm();  // the state is by now what a server says

  // api::PodLogs
  Result<std::unique_ptr<api::LogStream>> open(const api::Object& pod,
                                               const api::LogOptions& options,
                                               api::LogSink& sink) override;

  // api::PodStreams
  Result<> check(const api::Object& pod, const api::PodCommand& command) const override;
  Result<std::unique_ptr<port::Command>> run(const api::Object& pod,
                                             const api::PodCommand& command,
                                             port::CommandEvents& events) override;
  Result<std::unique_ptr<port::Stream>> connect(const api::Object& pod,
                                                const port::Endpoint& to,
                                                port::StreamEvents& events) override;

  // api::UsageSource: reads the control groups; usage.cc
  api::NodeUsage usage() override;

  // --- For `coracle image`
  const std::vector<Image>& images() const { return images_.all(); }
  void load_image(std::string path, ImageListener& listener, uint64_t token);
  void remove_image(const std::string& name,
                    ImageListener& listener,
                    uint64_t token);     // 409 while a container runs it
  void forget(ImageListener& listener);  // before it is destroyed

  size_t pods() const { return pods_.size(); }

 private:
  struct Forward {
    ImageListener* listener = nullptr;
    uint64_t token = 0;
  };
  void on_change(const api::Change& change) override;
  void on_turn_end() override;
  void on_pod_over() override;
  void on_lease_tick() override { evictor_.look(); }
  bool free_images() override;
  void node_is_short(std::string_view resource) override;
  bool may_still_write(const LogInstance& instance) const override;
  void on_image_loaded(uint64_t token, Result<std::vector<std::string>> names) override;
  void on_image_removed(uint64_t token, Result<> removed) override;
  Result<> adopt_all();
  void adopt_directory(const std::string& uid);
  void remove_orphans();
  void take(const api::ObjectRef& pod);
  void tell_pods(const api::Object& object);
  void admit(const api::ObjectRef& pod);
  bool is_ours(const api::Object& pod) const;
  PodActor* find(std::string_view uid) const;
  Result<PodActor*> running(const api::Object& pod) const;
  Forward take_forward(uint64_t token);
  api::PodUsage pod_usage(const PodRecord& record, Wall now);

  api::Client& client_;
  AgentPorts ports_;
  AgentOptions options_;
  Images images_;
  Cgroups cgroups_;
  Addresses addresses_;
  api::EventRecorder events_;
  Surroundings around_;
  NodeEvents node_events_;
  Registration registration_;
  LocalStorage storage_;
  PodActors pods_;
  Evictor evictor_;
  std::map<uint64_t, Forward> forwards_;
  CpuMeter meter_;
  uint64_t next_forward_ = 1;
  bool started_ = false;
};

}  // namespace coracle::node
