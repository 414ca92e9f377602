// SPDX-License-Identifier: GPL-2.0-or-later
// Members, the messages between them and their storage lanes, driven by the commands of a script.
// Every command that etcd raft's interaction scripts use is here; of our own are read, crash and
// fail-append (see README.md).
#pragma once

#include "tests/unit/raft/describe.h"
#include "tests/unit/raft/interpreters.h"
#include "tests/unit/raft/memory_storage.h"

namespace coracle::raft {

class Output final : public Trace {
 public:
  static constexpr int kNone = 5;

  void note(const Note& note) override;
  void write(std::string_view text);
  bool quiet() const { return level == kNone; }
  // What `work` writes, two blanks further in.
  template <class Work>
  void indented(Work work) {
    std::string outer = std::exchange(text, {});
    work();
    text = outer + indent(text);
  }

  std::string text;
  int level = 0;

 private:
  static std::string indent(std::string_view text);
};

class Interaction final : public Interpreter {
 public:
  std::string run(const Command& command) override;

 private:
  struct Member {
    Options options;
    MemoryStorage storage;
    std::unique_ptr<Core> core;
    std::vector<Message> append_work;
    std::vector<Message> apply_work;
    std::vector<Snapshot> history;  // the state after each applied entry
  };
  struct Recipient {
    NodeId id;
    bool drop;
  };
  using Handler = Result<> (Interaction::*)(const Command&);
  struct Verb {
    std::string_view name;
    Handler handler;
  };
  static const Verb kVerbs[];

  Result<> handle(const Command& command);
  Result<> add_nodes(const Command& command);
  Result<> campaign(const Command& command);
  Result<> compact(const Command& command);
  Result<> deliver(const Command& command);
  Result<> process_ready(const Command& command);
  Result<> process_append(const Command& command);
  Result<> process_apply(const Command& command);
  Result<> log_level(const Command& command);
  Result<> raft_log(const Command& command);
  Result<> raft_state(const Command& command);
  Result<> set_timeout(const Command& command);
  Result<> stabilize(const Command& command);
  Result<> status(const Command& command);
  Result<> tick_election(const Command& command);
  Result<> tick_heartbeat(const Command& command);
  Result<> transfer(const Command& command);
  Result<> forget_leader(const Command& command);
  Result<> send_snapshot(const Command& command);
  Result<> propose(const Command& command);
  Result<> propose_change(const Command& command);
  Result<> report_unreachable(const Command& command);
  Result<> read(const Command& command);
  Result<> crash(const Command& command);

  Result<> add_member(Options options, Snapshot snapshot);
  void ready(Member& member);
  void append(Member& member,
              const HardState& hard,
              std::span<const Entry> entries,
              const Snapshot& snapshot);
  void append_lane(Member& member);
  void apply_lane(Member& member);
  void apply(Member& member, std::span<const Entry> entries);
  void finish(Message message);
  bool deliver_to(Recipient recipient, std::optional<MessageType> type);
  bool stabilize_once(const std::vector<Member*>& members);
  Result<> each(const Command& command, const char* title, void (Interaction::*work)(Member&));
  Result<> tick(const Command& command, bool election);
  std::vector<Member*> members(const Command& command);
  Member& first(const Command& command);

  std::vector<std::unique_ptr<Member>> members_;
  std::vector<Message> messages_;  // in flight
  Output output_;
};

}  // namespace coracle::raft
