// SPDX-License-Identifier: GPL-2.0-or-later
// The same over real sockets: two members on the loopback of this machine, in one loop.
#include <gtest/gtest.h>

#include "tests/unit/peer/members.h"
#include "tests/unit/port_linux/linux_port.h"

namespace coracle::peer {
namespace {

constexpr Duration kSoon = seconds(10);

struct Loopback : ::testing::Test {
  struct End {
    End(port_linux::LinuxPort& port, raft::NodeId id) {
      PeersOptions options;
      options.cluster = kCluster;
      options.self = id;
      options.listen = {{"127.0.0.1", 0}};
      auto opened = Peers::open(options, Authority::ours().member(id), port.clock(), port.network(),
                                port.random());
      EXPECT_TRUE(opened) << opened.error().message;
      peers = std::move(*opened);
      address = {id, {peers->local()}};
    }
    store::PeerAddress address;
    Recorder heard;
    std::unique_ptr<Peers> peers;
  };
  Loopback() {
    for (End* each : {&one, &two}) {
      each->peers->set_members(std::vector<store::PeerAddress>{one.address, two.address});
      each->peers->start(each->heard);
    }
  }
  bool connected() {
    return one.peers->contacts()[0].connected && two.peers->contacts()[0].connected;
  }
  port_linux::LinuxPort port;
  End one{port, 1};
  End two{port, 2};
};

TEST_F(Loopback, CarriesMessagesOfAllSizesBothWays) {
  ASSERT_TRUE(port.run_until([&] { return connected(); }, kSoon));
  for (raft::Index index = 1; index <= 100; index++) {
    one.peers->send(append(1, 2, index, 50 * index));
    two.peers->send(beat(2, 1));
  }
  one.peers->send(append(1, 2, 101, 3'000'000));
  ASSERT_TRUE(port.run_until([&] { return two.heard.messages.size() == 101; }, kSoon));
  ASSERT_TRUE(port.run_until([&] { return one.heard.messages.size() == 100; }, kSoon));
  EXPECT_EQ(two.heard.messages[100].entries[0].data.size(), 3'000'000u);
  EXPECT_TRUE(one.heard.unreachable.empty());
}

TEST_F(Loopback, CarriesASnapshot) {
  struct Rows final : store::SnapshotSource {
    Result<bool> next(std::string& chunk) override {
      if (left == 0) return false;
      chunk.assign(store::kSnapshotChunkBytesMax, static_cast<char>(left--));
      return true;
    }
    int left = 500;
  };
  ASSERT_TRUE(port.run_until([&] { return connected(); }, kSoon));
  raft::Message message{.type = raft::MessageType::kSnapshot, .to = 2, .from = 1, .term = 1};
  message.snapshot = {.index = 9, .term = 1};
  one.peers->send_snapshot(message, std::make_unique<Rows>());
  ASSERT_TRUE(port.run_until([&] { return one.heard.sent == 1; }, kSoon));
  EXPECT_EQ(two.heard.rows.size(), 500 * store::kSnapshotChunkBytesMax);
}

TEST_F(Loopback, ConnectsAgainAfterARestart) {
  ASSERT_TRUE(port.run_until([&] { return connected(); }, kSoon));
  const port::Endpoint at = two.peers->local();
  two.peers->stop();
  ASSERT_TRUE(port.run_until([&] { return !one.peers->contacts()[0].connected; }, kSoon));
  PeersOptions options;
  options.cluster = kCluster;
  options.self = 2;
  options.listen = {at};
  two.peers =
      Peers::open(options, Authority::ours().member(2), port.clock(), port.network(), port.random())
          .value();
  two.peers->set_members(std::vector<store::PeerAddress>{one.address});
  two.peers->start(two.heard);
  EXPECT_TRUE(port.run_until([&] { return connected(); }, kSoon));
}

}  // namespace
}  // namespace coracle::peer
