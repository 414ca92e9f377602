// SPDX-License-Identifier: GPL-2.0-or-later
// The store of one member. Proposals of a turn become entries; raft says what must be written, sent
// and applied; the log lane writes; what is committed is applied on the loop and told to those who
// wait. A cluster of one voter is nothing special, except that it never ticks.
//
// consensus.cc effects of raft, peers.cc what other members say, members.cc membership,
// install.cc a snapshot taking the place of the state, open.cc first start and recovery.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "raft/core.h"
#include "store/appender.h"
#include "store/flusher.h"
#include "store/member_desk.h"
#include "store/proposer.h"
#include "store/raft_log.h"
#include "store/read_gate.h"
#include "store/roster.h"
#include "store/row_stream.h"
#include "store/state_machine.h"
#include "store/store.h"
#include "store/transport.h"

namespace coracle::store {

// Which file of the directory is the state: named in `current`, the first one if there is none.
inline constexpr const char* kStateFiles[] = {"state.db", "state.2.db"};
inline constexpr const char* kCurrentFile = "current";
inline constexpr raft::NodeId kFounder = 1;
uint64_t cluster_id(uint64_t entropy);
Result<> remove_database(port::Disk& disk, const std::string& path);  // absent is fine

class ReplicatedStore final : public Store,
                              private Membership,
                              private TransportEvents,
                              private port::TurnEnd,
                              private port::Alarm,
                              private AppendListener,
                              private FlushListener {
 public:
  struct Parts {
    std::string path;  // of the database
    std::unique_ptr<Writer> writer;
    std::unique_ptr<Reader> reader;
    std::unique_ptr<Log> log;
    Identity identity;
    StoreOptions options;
    port::Clock& clock;
    port::Disk& disk;
    port::Lane& log_lane;
    port::Lane& state_lane;
  };
  explicit ReplicatedStore(Parts parts);
  ~ReplicatedStore() override;
  void keep_reserve() { static_cast<void>(reserve_.keep()); }  // before anybody is served
  Result<> start(const Applied& applied);  // reads the log; a single voter leads when it returns

  void propose(Proposal proposal, Waiter& waiter) override;
  void forget(Waiter& waiter) override { proposer_.forget(waiter); }
  bool confirm(ReadWaiter& waiter) override;
  void forget(ReadWaiter& waiter) override { reads_.forget(waiter); }
  Membership& membership() override { return *this; }
  Result<std::unique_ptr<SnapshotSource>> backup() override;
  Result<> close() override;
  Figures figures() const override;

  Result<api::ObjectRef> find(const api::Kind& kind,
                              std::string_view ns,
                              std::string_view name) const override {
    return state_.find(kind, ns, name);
  }
  Result<std::unique_ptr<Rows>> rows(const std::string& prefix,
                                     const std::string& after,
                                     uint64_t at) const override {
    return state_.rows(prefix, after, at);
  }
  Result<uint64_t> count(const std::string& prefix, const std::string& after) const override {
    return state_.count(prefix, after);
  }
  void subscribe(api::Feed& feed) override { state_.subscribe(feed); }
  void unsubscribe(api::Feed& feed) override { state_.unsubscribe(feed); }
  Result<Position> position_after(uint64_t version) const override {
    return state_.position_after(version);
  }
  RingRead read(Position& position, api::Change& change) const override {
    return state_.read(position, change);
  }
  api::ObjectRef get(const api::Kind& kind,
                     std::string_view ns,
                     std::string_view name) const override;
  void list(const api::Kind& kind, std::string_view ns, api::Visitor& visitor) const override {
    state_.list(kind, ns, visitor);
  }
  void list_owned_by(std::string_view uid, api::Visitor& visitor) const override {
    state_.list_owned_by(uid, visitor);
  }
  uint64_t version() const override { return state_.applied(); }

 private:
  class InstallJob;

  // --- Membership (members.cc)
  uint64_t cluster() const override { return parts_.identity.cluster; }
  const std::vector<Member>& members() const override { return roster_.members(); }
  Standing standing() const override;
  void listen(StandingListener& listener) override { desk_.listen(listener); }
  void unlisten(StandingListener& listener) override { desk_.unlisten(listener); }
  void put_member(Member member, MembershipWaiter& waiter) override;
  void promote(raft::NodeId id, MembershipWaiter& waiter) override;
  void remove(raft::NodeId id, MembershipWaiter& waiter) override;
  void transfer(raft::NodeId to, MembershipWaiter& waiter) override;
  void forget(MembershipWaiter& waiter) override { desk_.forget(waiter); }
  void ask_for_change(MemberRequest request, MembershipWaiter& waiter);
  Result<> propose_change(const MemberRequest& request);
  void apply_change(const raft::Entry& entry);
  Result<> apply_request(const raft::ConfChange& change, const MemberRequest& request);
  void roster_changed();
  void promote_who_caught_up();
  void hand_over_if_unfit();
  void tell_standing();
  Error removal() const;

  // --- TransportEvents (peers.cc, install.cc)
  void on_message(raft::NodeId from, raft::Message message) override;
  void on_unreachable(raft::NodeId member) override;
  void on_absent(raft::NodeId member) override;
  void on_removed() override;
  void replace_absent_leader();
  void keep_early(raft::Message message);
  void take_early();
  void on_snapshot_sent(raft::NodeId to, bool failed) override;
  Result<> on_snapshot_begin(raft::NodeId from, const raft::Message& message) override;
  Result<> on_snapshot_chunk(raft::NodeId from, std::string_view chunk) override;
  Result<> on_snapshot_end(raft::NodeId from, raft::Message message) override;
  void on_snapshot_broken(raft::NodeId from) override;
  void take_proposal(raft::Message message);
  void send_snapshot(raft::Message message);

  Result<> open_core();
  Result<> apply_committed();
  Result<> lead_alone();

  // --- turns and time (consensus.cc)
  void on_turn_end() override;
  void on_alarm(port::Timer& timer) override;
  void on_tick();
  void arm_tick();
  bool sole_voter() const;
  bool alone() const;  // nobody else, not even a learner
  bool leads() const { return core_->machine().role() == raft::Role::kLeader; }
  Stance stance() const;
  void propose_batch();
  void ask_reads();
  void give(raft::Input input);
  void pump();
  void handle(raft::Effects effects);
  void handle_message(raft::Message message);
  void handle_soft(const raft::SoftState& soft);
  void respond(std::vector<raft::Message> responses);
  void apply_waiting();
  bool may_apply(const raft::Entry& entry);
  void apply_entry(const raft::Entry& entry);
  void apply_normal(const raft::Entry& entry);
  void release_log();
  void fail_for_good(const Error& error);
  void give_up(std::string_view why);  // damage.cc
  bool stopped() const { return failed_ || gone_; }

  // --- AppendListener, FlushListener
  void on_stored(std::vector<raft::Message> responses) override;
  void on_install(const raft::Snapshot& snapshot) override;
  void on_commit_stored() override;
  void on_log_full() override;
  void on_log_failed(Error error) override { fail_for_good(error); }
  void on_flushed() override;
  void on_state_failed(Error error) override { fail_for_good(error); }
  Applied applied_now() override;
  void try_install();
  void on_installed(const Applied& applied, Result<> result);

  Parts parts_;
  Reserve reserve_;
  Reserve install_room_;
  std::shared_ptr<StreamPins> pins_ = std::make_shared<StreamPins>();
  StateMachine state_;
  Flusher flusher_;
  RaftLog raft_log_;
  Roster roster_;
  std::unique_ptr<raft::Core> core_;
  std::optional<Appender> appender_;  // once the log is recovered
  Proposer proposer_;
  ReadGate reads_;
  MemberDesk desk_;
  std::unique_ptr<port::Timer> tick_timer_;
  std::unique_ptr<port::Timer> lazy_timer_;
  std::unique_ptr<port::Timer> campaign_timer_;
  raft::NodeId absent_leader_ = raft::kNobody;
  raft::Term absent_term_ = 0;
  raft::EntryId last_applied_;
  Mono next_hand_over_;
  uint64_t damage_known_ = 0;  // rows met before the last one
  raft::NodeId handed_to_ = raft::kNobody;
  raft::Index last_change_ = 0;       // proposed by this leader
  uint32_t silent_ticks_ = 0;         // since a leader was heard of
  std::vector<raft::Message> early_;  // for the leader that this one is about to be
  size_t early_bytes_ = 0;
  std::map<raft::NodeId, Mono> heard_;  // by the leader
  Standing told_;                       // what the listeners know
  bool members_changed_ = false;
  std::unique_ptr<RowLoader> loader_;
  raft::NodeId loading_from_ = raft::kNobody;
  std::optional<raft::Snapshot> installing_;
  std::deque<raft::Message> applying_;  // committed, in order
  size_t applied_in_first_ = 0;         // entries of the first one
  uint64_t entries_ = 0;
  raft::Index commit_asked_ = 0;  // to be made durable
  bool install_runs_ = false;
  bool pumping_ = false;
  bool starting_ = false;
  bool failed_ = false;
  std::string damage_;  // why this member gave up
  bool closing_ = false;
  bool removed_ = false;  // from the members
  bool gone_ = false;     // being destroyed: nobody is told anything
};

}  // namespace coracle::store
