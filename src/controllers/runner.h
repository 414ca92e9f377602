// SPDX-License-Identifier: GPL-2.0-or-later
// The only loop of all controllers. Runs on the leader only; start() after an election, stop() when
// it is lost.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "api/client.h"
#include "api/event_recorder.h"
#include "controllers/controller.h"
#include "controllers/time_zone.h"
#include "port/clock.h"
#include "port/disk.h"
#include "port/random.h"

namespace coracle::controllers {

class Runner final : api::Feed,
                     api::Caller,
                     port::TurnEnd,
                     port::Alarm,
                     Ages,
                     TimeZones,
                     ScalingMemories {
 public:
  Runner(api::Client& client,
         port::Clock& clock,
         port::Random& random,
         std::string ca_pem,
         std::string pod_cidr = {});
  ~Runner();
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;

  // Where /usr/share/zoneinfo is; without it only UTC is known.
  void read_zones_from(port::Disk& disk) { disk_ = &disk; }
  // What pods use; without it autoscalers say that they cannot know.
  void read_metrics_from(Metrics& metrics) { metrics_ = &metrics; }
  void start();
  void stop();
  bool idle() const {
    return queue_.empty() && running_.empty();
  }  // nothing to do now; delayed keys may wait

 private:
  struct Task {  // one key of one controller
    const Controller* controller = nullptr;
    api::Key key;
    friend auto operator<=>(const Task&, const Task&) = default;
  };
  struct Run {  // a plan being applied; its calls have the tokens from its number on
    Task task;
    api::Plan plan;
    size_t batch = 0;  // calls of the next round
    size_t sent = 0;
    size_t answered = 0;
    std::optional<Refusal> refusal;
    bool failed = false;
    bool woken = false;  // changed meanwhile: look again
  };
  struct Failure {
    uint32_t times = 0;
    std::optional<Refusal> refusal;
  };

  void on_change(const api::Change& change) override;
  Duration since_change(const api::Object& object) const override;
  Duration since_gone(std::string_view node) const override;
  Duration since_taint(std::string_view node, std::string_view key) const override;
  const TimeZone* find(std::string_view name) const override;
  ScalingMemory& of(const api::Key& key) override { return scaling_[key]; }
  void watch_node(const api::Change& change);
  void on_answer(uint64_t token, Result<api::ObjectRef> answer) override;
  void on_turn_end() override;
  void on_alarm(port::Timer& timer) override;
  void enqueue(const Controller& controller, const Keys& keys);
  void enqueue(Task task);
  void run(Task task);
  void apply(Task task, api::Plan plan);
  void send_round(uint64_t number);
  void note_success(Run& run, size_t call);
  void note_failure(Run& run, size_t call, const Error& error);
  void finish(Run run);
  void retry(const Task& task, std::optional<Refusal> refusal);
  void delay(const Task& task, Duration by);
  void forget_delay(const Task& task);
  void set_timer();
  void record(const Controller& controller, const api::Note& note, std::string_view detail = {});

  api::Client& client_;
  port::Clock& clock_;
  port::Random& random_;
  std::deque<Task> queue_;
  std::set<Task> queued_;
  std::map<uint64_t, Run> running_;
  std::map<Task, uint64_t> running_tasks_;
  std::map<Task, Failure> failures_;
  std::multimap<Mono, Task> delayed_;
  std::map<Task, Mono> delayed_tasks_;
  std::map<const Controller*, std::unique_ptr<api::EventRecorder>> recorders_;
  std::unique_ptr<port::Timer> timer_;
  std::string ca_pem_;
  std::string pod_cidr_;
  std::map<std::string, Mono>
      lease_seen_;  // by node name; only node leases are asked for their age
  // Nodes that are gone, and taints that evict by node and key: since when.
  std::map<std::string, Mono, std::less<>> nodes_gone_;
  std::map<std::string, std::map<std::string, Mono, std::less<>>, std::less<>> taints_seen_;
  std::map<api::Key, ScalingMemory> scaling_;
  Metrics* metrics_ = nullptr;
  port::Disk* disk_ = nullptr;
  mutable std::map<std::string, std::optional<TimeZone>, std::less<>> zones_;  // as read
  Mono started_at_;
  uint64_t next_token_ = 1;
  bool started_ = false;
};

}  // namespace coracle::controllers
