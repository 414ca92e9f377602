// SPDX-License-Identifier: GPL-2.0-or-later
// The store of a single voter. Proposals of a turn -> batch -> log lane (one write, one fdatasync)
// -> apply to the memtable -> outcomes to waiters, and at the turn's end changes to feeds. One
// batch is under way at a time; what arrives meanwhile forms the next.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "store/entry.h"
#include "store/flusher.h"
#include "store/log.h"
#include "store/memtable.h"
#include "store/owners.h"
#include "store/queue.h"
#include "store/ring.h"
#include "store/rows.h"
#include "store/store.h"
#include "store/view.h"

namespace coracle::store {

// The membership of a cluster of one, which cannot change.
class SoleMembership final : public Membership {
 public:
  uint64_t cluster() const override { return 1; }
  const std::vector<Member>& members() const override { return members_; }
  Standing standing() const override { return {1, 1, 1, true, 0, 0, {}}; }
  void listen(StandingListener&) override {}
  void unlisten(StandingListener&) override {}
  void put_member(Member, MembershipWaiter& waiter) override { refuse(waiter); }
  void promote(raft::NodeId, MembershipWaiter& waiter) override { refuse(waiter); }
  void remove(raft::NodeId, MembershipWaiter& waiter) override { refuse(waiter); }
  void transfer(raft::NodeId, MembershipWaiter& waiter) override { refuse(waiter); }
  void forget(MembershipWaiter&) override {}

 private:
  static void refuse(MembershipWaiter& waiter) {
    waiter.on_membership(fail(Code::kUnavailable, "members cannot be changed yet"));
  }
  std::vector<Member> members_ = {{1, "", {}, "", MemberRole::kVoter, false}};
};

class LocalStore final : public Store,
                         private port::TurnEnd,
                         private port::Alarm,
                         private LogReader,
                         private FlushListener {
 public:
  struct Parts {
    std::unique_ptr<Writer> writer;
    std::unique_ptr<Reader> reader;
    std::unique_ptr<Log> log;
    port::Clock& clock;
    port::Lane& log_lane;
    port::Lane& state_lane;
  };
  explicit LocalStore(Parts parts);
  ~LocalStore() override;
  Result<> start();  // replays the log

  void propose(Proposal proposal, Waiter& waiter) override;
  void forget(Waiter& waiter) override;
  bool confirm(ReadWaiter&) override { return true; }
  void forget(ReadWaiter&) override {}
  Membership& membership() override { return sole_; }
  Result<api::ObjectRef> find(const api::Kind& kind,
                              std::string_view ns,
                              std::string_view name) const override;
  Result<std::unique_ptr<Rows>> rows(const std::string& prefix,
                                     const std::string& after,
                                     uint64_t at) const override;
  Result<uint64_t> count(const std::string& prefix, const std::string& after) const override;
  void subscribe(api::Feed& feed) override;
  void unsubscribe(api::Feed& feed) override;
  Result<Position> position_after(uint64_t version) const override;
  RingRead read(Position& position, api::Change& change) const override;
  Result<> close() override;
  Figures figures() const override;

  api::ObjectRef get(const api::Kind& kind,
                     std::string_view ns,
                     std::string_view name) const override;
  void list(const api::Kind& kind, std::string_view ns, api::Visitor& visitor) const override;
  void list_owned_by(std::string_view uid, api::Visitor& visitor) const override;
  uint64_t version() const override { return applied_; }

 private:
  class AppendJob;
  struct Planned {  // admitted to the batch
    Waiter* waiter = nullptr;
    Operation operation = Operation::kPut;
    uint64_t expected = 0;
    std::string key;
    api::ObjectRef object;  // kPut
  };
  struct Subscription {
    api::Feed* feed = nullptr;
    uint64_t since = 0;
  };

  // --- batches (batch.cc)
  void on_turn_end() override;
  void on_alarm(port::Timer& timer) override;
  void refuse(Waiter* waiter, Error error);
  void deliver_refusals();
  void start_batch();
  void form_batch();
  Result<Planned> admit(Proposal& proposal);
  Result<> check_room(const Proposal& proposal) const;
  Result<uint64_t> expected_version(const std::string& key);
  void send_batch();
  void on_appended(LogAppend append, Result<> result);
  void fail_for_good(const Error& error);

  // --- applying (apply.cc)
  Result<api::Change> apply(const Mutation& mutation, uint64_t index, api::ObjectRef object);
  Result<std::optional<Stored>> before(const Mutation& mutation);
  void commit(const Mutation& mutation,
              const api::Change& change,
              const std::optional<Stored>& before);
  Result<> on_entry(uint64_t index, std::string_view payload) override;
  Result<> on_batch_end(const LogPoint& point) override;
  Result<> index_owners();
  void deliver_changes();

  // --- FlushListener
  void on_flushed() override;
  void on_state_failed(Error error) override { fail_for_good(error); }

  Parts parts_;
  SoleMembership sole_;
  Memtable memtable_;
  View view_;
  Ring ring_;
  Owners owners_;
  Flusher flusher_;
  std::unique_ptr<port::Timer> lazy_timer_;
  uint64_t applied_ = 0;

  ProposalQueue queue_;
  std::vector<std::pair<Waiter*, Error>> refusals_;
  std::vector<Planned> batch_;
  std::map<std::string, uint64_t> planned_versions_;  // of keys in batch_; 0: deleted
  std::map<std::string, std::optional<Stored>, std::less<>> looked_up_;  // while batch_ was formed
  bool appending_ = false;

  std::vector<Subscription> feeds_;
  std::vector<api::Change> fresh_;  // applied in this turn
  mutable uint64_t damaged_rows_ = 0;
  uint64_t appends_ = 0;
  uint64_t entries_ = 0;
  bool failed_ = false;
  bool closing_ = false;
  bool gone_ = false;  // being destroyed: nobody is told anything
};

}  // namespace coracle::store
