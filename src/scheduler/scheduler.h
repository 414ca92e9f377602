// SPDX-License-Identifier: GPL-2.0-or-later
// The reactor that binds pods to nodes. It keeps a board of nodes and bound pods, never objects; a
// pod that fits nowhere makes less important ones go or waits, without cost, for a change that
// could help.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "api/client.h"
#include "api/event_recorder.h"
#include "port/clock.h"
#include "port/random.h"
#include "scheduler/board.h"
#include "scheduler/preempt.h"

namespace coracle::scheduler {

class Scheduler final : api::Feed, api::Caller, port::TurnEnd, port::Alarm {
 public:
  Scheduler(api::Client& client, port::Clock& clock, port::Random& random);
  ~Scheduler();
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  // Beside the default one, which a profile of its name replaces. Before start().
  void add_profile(Profile profile);
  void start();  // on the leader only
  void stop();

 private:
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
  struct Binding {  // being bound
    PodName pod;
    api::ObjectRef object;
    std::string node;
  };
  struct Preparing {  // placed, but its volumes are not all bound
    api::ObjectRef object;
    std::string node;
    Mono until;
    size_t unanswered = 0;  // calls
  };
  struct Stuck {  // a pod that fitted nowhere when last looked at
    uint32_t attempts = 0;
    Mono not_before;
    uint32_t helped_by = 0;   // changes that are worth another try
    uint64_t helps_seen = 0;  // when it was last tried
    uint32_t spec = 0;        // checksum of what it asked for
  };
  struct Nominee {  // others went to make room for it on this node
    std::string node;
    Shape* shape = nullptr;
  };
  const Profile* profile_of(json::Node pod) const;  // null: another scheduler's
  struct Attempt {                                  // one pod, one try
    const PodName& name;
    const api::ObjectRef& object;
    json::Node pod;
    Shape& shape;
  };

  // --- scheduler.cc: what is seen, and who waits
  void on_change(const api::Change& change) override;
  void on_answer(uint64_t token, Result<api::ObjectRef> answer) override;
  void on_turn_end() override;
  void on_alarm(port::Timer& timer) override;
  void see_node(const api::Change& change);
  void see_pod(const api::Object& pod, bool deleted);
  void see_placed(const PodName& name, json::Node pod, bool deleting);
  void forget(const PodName& name);
  void enqueue(const PodName& pod, json::Node object);
  void dequeue(const PodName& pod);
  void help(uint32_t by);
  bool is_helped(const Stuck& stuck) const;
  void retry_stuck();
  void nominate(const PodName& pod, Shape& shape, std::string_view node);
  void dismiss(const PodName& pod);

  // --- volumes_ready.cc: pods whose volumes are being bound
  void see_claim(const api::Object& claim);
  bool prepare_volumes(const Attempt& attempt, const BoardNode& node);
  void go_on(const PodName& name);
  bool on_volume_answer(uint64_t token, const Result<api::ObjectRef>& answer);
  void give_up(const PodName& name, Error error);
  void end_overdue();
  void await_deadline();

  // --- attempt.cc: what is done
  void schedule(const Waiting& next);
  std::vector<PodName> seat_nominees(const Attempt& attempt);
  void place(const Attempt& attempt, const std::string& node);
  void bind(const PodName& name, const api::ObjectRef& object, const std::string& node);
  void fail(const Attempt& attempt, const Choice& choice);
  bool awaits_victims(const Attempt& attempt) const;
  void evict(const Attempt& attempt, const Preemption& preemption);
  void evict_one(const Attempt& attempt, const PodName& victim, const std::string& node);
  Stuck& back_off(const PodName& pod, json::Node object);
  void report_refused(const Binding& binding, const Error& error);
  struct Verdict {
    std::string_view reason;
    std::string message;
    std::string node;  // nominated
  };
  void set_condition(const PodName& pod, const api::ObjectRef& object, const Verdict& verdict);
  void withdraw(const PodName& pod);
  void patch_status(const PodName& pod, const api::ObjectRef& object, json::Node status);

  static constexpr size_t kHelps = 9;  // bits of Help

  api::Client& client_;
  port::Clock& clock_;
  std::unique_ptr<port::Timer> timer_;
  std::unique_ptr<port::Timer> volume_timer_;
  api::EventRecorder events_;
  std::vector<Profile> profiles_{Profile{}};
  Board board_;
  std::set<Waiting> queue_;
  std::map<PodName, Waiting> queued_;
  std::map<PodName, Stuck> stuck_;
  std::map<PodName, Nominee> nominees_;
  std::map<uint64_t, Binding> bindings_;
  std::map<PodName, Preparing> preparing_;
  std::map<uint64_t, PodName> volume_calls_;
  uint64_t next_token_ = 1;
  uint64_t helps_ = 1;                     // counts changes that may let stuck pods fit
  std::array<uint64_t, kHelps> helped_{};  // by bit of Help: helps_ at its last change
  uint32_t wanted_ = 0;                    // by any stuck pod
  size_t start_ = 0;                       // where the next choice begins among the nodes
  bool started_ = false;
  bool retry_due_ = false;
};

}  // namespace coracle::scheduler
