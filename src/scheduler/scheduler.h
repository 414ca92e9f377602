// SPDX-License-Identifier: GPL-2.0-or-later
// The reactor that binds pods to nodes. It keeps numbers about nodes and bound pods, never objects;
// a pod that fits nowhere waits without cost until a change that could help.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "api/client.h"
#include "api/event_recorder.h"
#include "port/clock.h"
#include "port/random.h"
#include "scheduler/needs.h"

namespace coracle::scheduler {

class Scheduler final : api::Feed, api::Caller, port::TurnEnd, port::Alarm {
 public:
  Scheduler(api::Client& client, port::Clock& clock, port::Random& random);
  ~Scheduler();
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  void start();  // on the leader only
  void stop();

 private:
  struct PodName {
    std::string ns;
    std::string name;
    friend auto operator<=>(const PodName&, const PodName&) = default;
  };
  // Order of the queue: higher priority first, then older.
  struct Waiting {
    int64_t priority = 0;
    std::string created;
    PodName pod;
    friend bool operator<(const Waiting& a, const Waiting& b) {
      if (a.priority != b.priority) return a.priority > b.priority;
      return a.created != b.created ? a.created < b.created : a.pod < b.pod;
    }
  };
  struct Placed {  // a pod that uses a node, bound or being bound
    std::string node;
    PodNeeds needs;
  };
  struct Binding {  // being bound
    PodName pod;
    api::ObjectRef object;
    std::string node;
  };

  struct Stuck {  // a pod that fitted nowhere when last looked at
    uint32_t attempts = 0;
    Mono not_before;
    uint64_t helps_seen = 0;  // when it was last tried; more helps than that: worth another try
    uint32_t spec = 0;        // checksum of what it asked for
  };

  void on_change(const api::Change& change) override;
  void on_answer(uint64_t token, Result<api::ObjectRef> answer) override;
  void on_turn_end() override;
  void on_alarm(port::Timer& timer) override;
  void see_node(const api::Change& change);
  void see_pod(const api::Object& pod, bool deleted);
  void place(const PodName& pod, const std::string& node, PodNeeds needs);
  void release(const PodName& pod);
  void enqueue(const PodName& pod, json::Node object);
  void dequeue(const PodName& pod);
  void help();
  void retry_stuck();
  Stuck& back_off(const PodName& pod, json::Node object);
  void set_condition(const PodName& pod,
                     const api::ObjectRef& object,
                     std::string_view reason,
                     const std::string& message);
  void schedule(const Waiting& next);
  void bind(const PodName& pod,
            const api::ObjectRef& object,
            PodNeeds needs,
            const std::string& node);
  void report_stuck(const PodName& pod,
                    const api::ObjectRef& object,
                    json::Node node,
                    const std::string& message);
  void report_refused(const Binding& binding, const Error& error);

  api::Client& client_;
  port::Clock& clock_;
  std::unique_ptr<port::Timer> timer_;
  api::EventRecorder events_;
  std::map<std::string, NodeOffer, std::less<>> nodes_;
  std::map<PodName, Placed> placed_;
  std::set<Waiting> queue_;
  std::map<PodName, Waiting> queued_;
  std::map<PodName, Stuck> stuck_;  // fit nowhere when last looked at
  std::map<uint64_t, Binding> bindings_;
  uint64_t next_token_ = 1;
  uint64_t helps_ = 1;  // changes so far that may let stuck pods fit
  bool started_ = false;
  bool retry_due_ = false;
};

}  // namespace coracle::scheduler
