// SPDX-License-Identifier: GPL-2.0-or-later
// One pod on this node, from the first sight of its object to the last trace of its directory.
// Inputs (object, sandbox, probes, answers, time) only note what happened; at the end of the turn
// step() asks decide() what to do, does it, saves the record and brings the API's status up to
// date.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/client.h"
#include "api/pod_streams.h"
#include "node/decide.h"
#include "node/hook.h"
#include "node/probe.h"
#include "node/record.h"
#include "node/spec.h"
#include "node/surroundings.h"
#include "node/tokens.h"
#include "node/volume_owner.h"
#include "port/clock.h"
#include "port/sandbox.h"

namespace coracle::node {

class PodActor final : port::SandboxEvents,
                       port::Alarm,
                       port::TurnEnd,
                       api::Caller,
                       ProbeListener,
                       TokenListener,
                       HookListener,
                       OwnerListener,
                       CommandRunner {
 public:
  PodActor(Surroundings& around, PodRecord record);
  ~PodActor();
  PodActor(const PodActor&) = delete;
  PodActor& operator=(const PodActor&) = delete;

  void see(api::ObjectRef pod);  // its newest form
  void lose();                   // it is no longer in the API
  void spare();                  // whether it is in the API is not known yet: it goes on as it is
  bool is_spared() const { return spared_; }
  void adopt();  // the sandbox of an earlier daemon, if the record speaks of one
  void object_changed(const api::Kind& kind,
                      std::string_view name);  // a ConfigMap or Secret of its namespace
  void images_changed();
  void evict(const std::string& message);  // ends it as Failed, at once
  const PodRecord& record() const { return record_; }
  const api::ObjectRef& object() const { return pod_; }
  bool removed() const {
    return record_.phase == Phase::kRemoved && sandbox_ == nullptr && !ending_;
  }
  bool uses_image(std::string_view id) const;

  // --- Streams (pod_streams.cc)
  bool runs(std::string_view container) const;
  Result<std::unique_ptr<port::Command>> run(const api::PodCommand& command,
                                             port::CommandEvents& events);
  Result<std::unique_ptr<port::Command>> attach(const api::PodCommand& command,
                                                port::CommandEvents& events);
  Result<std::unique_ptr<port::Stream>> connect(const port::Endpoint& to,
                                                port::StreamEvents& events);

 private:
  // --- Inputs
  void on_ready() override;
  void on_container(const port::ContainerRecord& record) override;
  void on_lost(std::string_view why) override;
  void on_alarm(port::Timer& timer) override;
  void on_turn_end() override;
  void on_answer(uint64_t token, Result<api::ObjectRef> answer) override;
  void on_probe(size_t container, ProbeType type, bool healthy) override;
  void on_probe_failure(size_t container, ProbeType type, std::string_view why) override;
  void on_tokens(bool ok, std::string_view why) override;
  void on_hook(size_t container, HookType type, bool ok, std::string_view why) override;
  void on_owned(const std::string& volume, const Result<>& outcome) override;
  Result<std::unique_ptr<port::Command>> run_in(size_t container,
                                                const std::vector<std::string>& words,
                                                port::CommandEvents& events) override;

  // --- The turn
  void schedule() { around_.ports.clock.at_turn_end(*this); }
  void step();
  bool perform(const Action& action, json::Node pod);
  void save();
  void wake(Mono at);
  void set_timer();

  // --- Actions (pod_actions.cc)
  bool create_sandbox(json::Node pod);
  bool prepare(const VolumeContext& volumes);
  bool ask_for_sandbox(json::Node pod, std::vector<port::SandboxMount> mounts);
  void fail_sandbox(std::string_view reason, const std::string& message);
  bool try_sandbox(json::Node pod);
  void start_container(size_t index, json::Node pod);
  const Image* find_image(ContainerState& state, const ContainerSpec& spec, json::Node pod);
  void image_missing(ContainerState& state, const ContainerSpec& spec);
  void refuse_start(ContainerState& state, std::string_view reason, const std::string& message);
  void stop_container(size_t index, json::Node pod);
  void send_stop_signal(size_t index);
  void run_due_hooks();
  void start_hook(size_t index, HookType type, json::Node container, Duration limit);
  AttemptPlace attempt_place(size_t container);
  void end_sandbox();
  void delete_object();
  void move(Phase to);
  void clean_up();

  // --- Containers (pod_containers.cc)
  void container_ready(size_t index, json::Node pod);
  void container_running(size_t index, const port::ContainerRecord& now);
  void container_over(size_t index, const port::ContainerRecord& now);
  void lose_containers();
  std::string termination_message(const ContainerSpec& spec,
                                  const ContainerState& state,
                                  bool failed);
  void start_probes(size_t index, json::Node pod);
  void start_probe(size_t index, json::Node container, ProbeType type);
  void stop_probes(size_t index);
  void confirm_adopted();
  void take_readiness(json::Node status);
  void stand(json::Node pod);

  // --- Status and volumes (pod_actor.cc)
  void write_status(json::Node pod);
  bool is_starting() const;
  void refresh_volumes(json::Node pod);
  Place place() const;
  void event(std::string_view reason, const std::string& message, std::string_view container = {});
  void warn(std::string_view reason, const std::string& message, std::string_view container = {});
  std::string field_path(std::string_view container) const;

  Surroundings& around_;
  PodRecord record_;
  api::ObjectRef pod_;
  std::unique_ptr<port::Sandbox> sandbox_;
  std::unique_ptr<port::Timer> timer_;
  std::optional<Mono> wake_at_;
  std::vector<std::unique_ptr<Probe>> probes_;
  std::vector<std::unique_ptr<Probe>>
      dead_probes_;  // freed at the end of the turn: one of them may be calling
  std::vector<std::unique_ptr<Hook>> hooks_;
  std::vector<std::unique_ptr<Hook>> dead_hooks_;  // as dead_probes_
  Tokens tokens_;
  VolumeOwner owner_;
  std::string saved_;          // the record's text on disk
  bool ending_ = false;        // the sandbox was told to end
  bool sandbox_over_ = false;  // on_lost came; the handle is freed at the end of the turn
  bool adopting_ = false;
  bool spared_ = false;
  std::vector<std::string>
      unconfirmed_;  // ids that the record calls alive and the shim has not named yet
  std::optional<Mono> confirm_by_;
  bool volumes_dirty_ = false;
  bool status_pending_ = false;
  bool delete_pending_ = false;
  bool delete_done_ = false;  // finalizers may keep the object all the same
  Mono starting_since_;
  Mono call_not_before_;  // after a refused call
  Duration call_delay_;
  std::string sent_patch_;  // the last one
  std::string done_patch_;  // the last one that was taken, and the version it made
  uint64_t done_version_ = 0;
};

}  // namespace coracle::node
