// SPDX-License-Identifier: GPL-2.0-or-later
// Three raft cores, each on its machine of a simulated world, agree over the transport: whatever is
// cut, restarted or far behind.
#include <gtest/gtest.h>

#include "raft/core.h"
#include "tests/unit/peer/members.h"
#include "tests/unit/raft/memory_storage.h"

namespace coracle::peer {
namespace {

constexpr size_t kRowBytes = 200;  // of each entry's state in a snapshot

// A member whose state is the list of all that was applied.
class Voter final : store::TransportEvents, port::Alarm, port::TurnEnd {
 public:
  Voter(port_sim::World& world, raft::NodeId id, raft::MemoryStorage& disk)
      : id_(id),
        machine_(world.machine("m" + std::to_string(id))),
        disk_(disk),
        timer_(machine_.clock().timer(*this)) {
    PeersOptions peers;
    peers.cluster = kCluster;
    peers.self = id;
    peers.listen = {{"0.0.0.0", kPort}};
    peers_ = Peers::open(peers, Authority::ours().member(id), machine_.clock(), machine_.network(),
                         machine_.random())
                 .value();
    raft::Options options;
    options.id = id;
    options.message_bytes_max = 64 * 1024;
    options.check_quorum = options.pre_vote = true;
    options.seed = machine_.random().next();
    applied = disk.conf_state().voters.empty() ? 0 : disk.first_index() - 1;
    options.applied = applied;
    core_ = raft::Core::open(options, disk_, nullptr).value();
    for (raft::Index index = 6; index <= applied; index++)
      state.push_back("");  // what a snapshot brought is not looked at again
    peers_->start(*this);
    on_alarm(*timer_);
  }
  ~Voter() { machine_.clock().cancel_turn_end(*this); }
  void know(const std::vector<store::PeerAddress>& all) { peers_->set_members(all); }
  store::PeerAddress address() const { return {id_, {{machine_.address(), kPort}}}; }
  bool leads() const { return core_->machine().role() == raft::Role::kLeader; }
  bool propose(const std::string& text) {
    raft::Input input{.kind = raft::Input::Kind::kPropose};
    input.data = raft::Payload(text);
    return give(std::move(input));
  }
  void compact() {
    raft::Snapshot snapshot{.index = applied, .term = *disk_.term(applied)};
    snapshot.conf_state = disk_.conf_state();
    disk_.serve(snapshot);
    disk_.compact(applied);
  }

  std::vector<std::string> state;
  raft::Index applied = 0;
  int snapshots = 0;

 private:
  // As many rows of nothing as there are entries.
  struct Rows final : store::SnapshotSource {
    explicit Rows(size_t count) : left(count) {}
    Result<bool> next(std::string& chunk) override {
      if (left == 0) return false;
      chunk.assign(kRowBytes, 'r');
      left--;
      return true;
    }
    size_t left;
  };

  bool give(raft::Input input) {
    const bool taken = core_->give(std::move(input)).has_value();
    machine_.clock().at_turn_end(*this);
    return taken;
  }
  void on_alarm(port::Timer&) override {
    give({});
    timer_->arm(machine_.clock().now() + milliseconds(100));
  }
  void on_turn_end() override {
    while (core_->has_effects())
      carry_out(core_->take_effects());
  }
  void carry_out(raft::Effects effects) {
    if (!effects.hard.empty()) disk_.set_hard_state(effects.hard);
    if (!effects.snapshot.empty()) {
      disk_.apply(effects.snapshot);
      applied = effects.snapshot.index;
      snapshots++;
    }
    disk_.append(effects.entries);
    for (raft::Message& message : effects.messages) {
      if (message.type != raft::MessageType::kSnapshot) {
        peers_->send(std::move(message));
        continue;
      }
      const size_t rows = message.snapshot.index;
      peers_->send_snapshot(std::move(message), std::make_unique<Rows>(rows));
    }
    for (const raft::Entry& entry : effects.committed) {
      ASSERT_EQ(entry.index, applied + 1);
      applied = entry.index;
      state.emplace_back(entry.data.view());
    }
    core_->advance();
  }

  void on_message(raft::NodeId, raft::Message message) override {
    raft::Input input{.kind = raft::Input::Kind::kMessage};
    input.message = std::move(message);
    give(std::move(input));
  }
  void on_unreachable(raft::NodeId member) override {
    give({.kind = raft::Input::Kind::kUnreachable, .node = member});
  }
  void on_snapshot_sent(raft::NodeId to, bool failed) override {
    give({.kind = raft::Input::Kind::kSnapshotDone, .node = to, .failed = failed});
  }
  Result<> on_snapshot_begin(raft::NodeId, const raft::Message&) override {
    rows_ = 0;
    return {};
  }
  Result<> on_snapshot_chunk(raft::NodeId, std::string_view chunk) override {
    EXPECT_EQ(chunk, std::string(kRowBytes, 'r'));
    rows_++;
    return {};
  }
  Result<> on_snapshot_end(raft::NodeId from, raft::Message message) override {
    EXPECT_EQ(rows_, message.snapshot.index);
    state.resize(message.snapshot.index - 5);
    on_message(from, std::move(message));
    return {};
  }
  void on_snapshot_broken(raft::NodeId) override {}

  raft::NodeId id_;
  port_sim::Machine& machine_;
  raft::MemoryStorage& disk_;
  std::unique_ptr<port::Timer> timer_;
  std::unique_ptr<raft::Core> core_;
  std::unique_ptr<Peers> peers_;
  size_t rows_ = 0;
};

struct RaftOverPeers : ::testing::Test {
  RaftOverPeers() {
    raft::Snapshot start{.index = 5, .term = 1};
    start.conf_state.voters = {1, 2, 3};
    for (raft::NodeId id = 1; id <= 3; id++) {
      disks[id - 1].apply(start);
      boot(id);
    }
  }
  void boot(raft::NodeId id) {
    voters[id - 1] = std::make_unique<Voter>(world, id, disks[id - 1]);
    std::vector<store::PeerAddress> all;
    for (uint32_t each = 1; each <= 3; each++)
      all.push_back({each, {{world.machine("m" + std::to_string(each)).address(), kPort}}});
    voters[id - 1]->know(all);
  }
  Voter* leader() {
    Voter* found = nullptr;
    for (const auto& each : voters) {
      if (each != nullptr && each->leads()) found = each.get();
    }
    return found;
  }
  raft::NodeId leader_id() { return leader()->address().id; }
  bool elect() {
    return world.run_until([&] { return leader() != nullptr; }, seconds(10));
  }
  bool write(const std::string& text) {
    if (!elect() || !leader()->propose(text)) return false;
    Voter& writer = *leader();
    return world.run_until([&] { return !writer.state.empty() && writer.state.back() == text; },
                           seconds(5));
  }
  bool agree() {
    return world.run_until(
        [&] {
          for (const auto& each : voters)
            if (each->applied != voters[0]->applied) return false;
          return true;
        },
        seconds(20));
  }
  void expect_same_state() {
    ASSERT_TRUE(agree());
    for (size_t i = 0; i < voters[0]->state.size(); i++) {
      for (const auto& each : voters) {
        const bool known = !each->state[i].empty() && !voters[0]->state[i].empty();
        EXPECT_TRUE(!known || each->state[i] == voters[0]->state[i]) << i;
      }
    }
  }
  void isolate(raft::NodeId id, bool is_cut) {
    const uint32_t number = world.machine("m" + std::to_string(id)).number();
    for (uint32_t other = 1; other <= 3; other++)
      if (other != number) world.net().cut(number, other, is_cut);
  }

  port_sim::World world{21};
  raft::MemoryStorage disks[3];
  std::unique_ptr<Voter> voters[3];
};

TEST_F(RaftOverPeers, ThreeMembersElectAndReplicate) {
  ASSERT_TRUE(elect());
  for (int i = 0; i < 50; i++)
    ASSERT_TRUE(write("entry " + std::to_string(i)));
  ASSERT_TRUE(write(std::string(1'000'000, 'x')));
  expect_same_state();
}

TEST_F(RaftOverPeers, TheOthersGoOnWithoutTheirLeaderWhichComesBack) {
  ASSERT_TRUE(write("before"));
  for (int round = 0; round < 3; round++) {
    const raft::NodeId old = leader_id();
    isolate(old, true);
    ASSERT_TRUE(world.run_until(
        [&] { return leader() != nullptr && leader_id() != old && !voters[old - 1]->leads(); },
        seconds(20)));
    ASSERT_TRUE(write("while it was away " + std::to_string(round)));
    isolate(old, false);
    expect_same_state();
  }
}

TEST_F(RaftOverPeers, RestartedMembersCatchUp) {
  for (raft::NodeId id = 1; id <= 3; id++) {
    ASSERT_TRUE(write("before " + std::to_string(id)));
    voters[id - 1].reset();
    world.run_for(seconds(5));
    ASSERT_TRUE(write("without " + std::to_string(id)));
    boot(id);
    expect_same_state();
  }
}

TEST_F(RaftOverPeers, AMemberFarBehindGetsASnapshot) {
  ASSERT_TRUE(elect());
  const raft::NodeId behind = leader_id() % 3 + 1;
  isolate(behind, true);
  for (int i = 0; i < 200; i++)
    ASSERT_TRUE(write("entry " + std::to_string(i)));
  for (const auto& each : voters)
    if (each->address().id != behind) each->compact();
  isolate(behind, false);
  expect_same_state();
  EXPECT_GE(voters[behind - 1]->snapshots, 1);
  ASSERT_TRUE(write("afterwards"));
  expect_same_state();
}

}  // namespace
}  // namespace coracle::peer
