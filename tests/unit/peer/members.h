// SPDX-License-Identifier: GPL-2.0-or-later
// Members of a store without a store: each writes down what its transport tells it.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "peer/peers.h"
#include "pki/certificate.h"
#include "pki/member_name.h"
#include "port/sim/world.h"

namespace coracle::peer {

inline constexpr uint64_t kCluster = 0xc0ac1e;
inline constexpr uint16_t kPort = 6444;

// Certificates of one authority; each is made once, keys are slow.
class Authority {
 public:
  explicit Authority(uint64_t seed) : random_(seed) {
    pki::CertificateOptions options;
    options.common_name = "coracle-members";
    options.usage = pki::Usage::kAuthority;
    options.not_after = Wall() + kCentury;
    own_ = *pki::self_signed(options, random_);
  }
  Credentials issue(pki::CertificateOptions options) {
    options.usage = pki::Usage::kServerAndClient;
    if (options.not_after == Wall()) options.not_after = Wall() + kCentury;
    const pki::KeyAndCertificate made = *pki::issue(options, own_, random_);
    return {own_.certificate_pem, made.certificate_pem, made.key_pem};
  }
  const Credentials& member(raft::NodeId id, uint64_t cluster = kCluster) {
    Credentials& found = members_[{cluster, id}];
    if (!found.key_pem.empty()) return found;
    pki::CertificateOptions options;
    options.common_name = pki::member_common_name(cluster, id);
    options.organizations = {std::string(pki::kMembersOrganization)};
    return found = issue(options);
  }
  static Authority& ours() {
    static Authority authority(1);
    return authority;
  }
  static Authority& others() {
    static Authority authority(2);
    return authority;
  }

 private:
  static constexpr Duration kCentury = seconds(3'000'000'000);
  port_sim::Dice random_;
  pki::KeyAndCertificate own_;
  std::map<std::pair<uint64_t, raft::NodeId>, Credentials> members_;
};

struct Recorder final : store::TransportEvents {
  void on_message(raft::NodeId from, raft::Message message) override {
    EXPECT_EQ(from, message.from);
    messages.push_back(std::move(message));
  }
  void on_unreachable(raft::NodeId member) override { unreachable[member]++; }
  void on_snapshot_sent(raft::NodeId, bool failed) override { (failed ? failed_ : sent)++; }
  Result<> on_snapshot_begin(raft::NodeId, const raft::Message& message) override {
    if (refuses) return fail(Code::kUnavailable, "not now");
    begun++;
    expected = message.snapshot.index;
    rows.clear();
    chunks = 0;
    return {};
  }
  Result<> on_snapshot_chunk(raft::NodeId, std::string_view chunk) override {
    rows.append(chunk);
    if (++chunks == refuses_chunk) return fail(Code::kIo, "disk full");
    return {};
  }
  Result<> on_snapshot_end(raft::NodeId, raft::Message message) override {
    EXPECT_EQ(message.snapshot.index, expected);
    ended++;
    return {};
  }
  void on_snapshot_broken(raft::NodeId) override { broken++; }

  std::vector<raft::Message> messages;
  std::map<raft::NodeId, int> unreachable;
  bool refuses = false;
  int refuses_chunk = -1;
  raft::Index expected = 0;
  int begun = 0;
  int chunks = 0;
  int ended = 0;
  int broken = 0;
  int sent = 0;
  int failed_ = 0;
  std::string rows;
};

inline raft::Message beat(raft::NodeId from, raft::NodeId to) {
  return {.type = raft::MessageType::kHeartbeat, .to = to, .from = from, .term = 1};
}

inline raft::Message append(raft::NodeId from, raft::NodeId to, raft::Index index, size_t bytes) {
  raft::Message message{.type = raft::MessageType::kAppend, .to = to, .from = from, .term = 1};
  message.index = index - 1;
  message.log_term = 1;
  message.entries.push_back(
      {1, index, raft::EntryType::kNormal,
       raft::Payload(std::string(bytes, static_cast<char>('a' + index % 26)))});
  return message;
}

// On its own machine of a simulated world.
struct Member {
  Member(port_sim::World& world, raft::NodeId number, const Credentials& credentials)
      : Member(world, number, number, credentials) {}
  Member(port_sim::World& world,
         uint64_t machine_number,
         raft::NodeId number,
         const Credentials& credentials)
      : id(number),
        machine(world.machine("m" + std::to_string(machine_number))) {
    PeersOptions options;
    options.cluster = kCluster;
    options.self = id;
    options.listen = {{"0.0.0.0", kPort}};
    options.build = "v1";
    auto opened =
        Peers::open(options, credentials, machine.clock(), machine.network(), machine.random());
    EXPECT_TRUE(opened) << opened.error().message;
    peers = std::move(*opened);
  }
  Member(port_sim::World& world, raft::NodeId number)
      : Member(world, number, Authority::ours().member(number)) {}
  store::PeerAddress address() const { return {id, {{machine.address(), kPort}}}; }
  bool sees(raft::NodeId other) const {
    for (const Contact& each : peers->contacts())
      if (each.member == other) return each.connected;
    return false;
  }

  raft::NodeId id;
  port_sim::Machine& machine;
  Recorder heard;
  std::unique_ptr<Peers> peers;
};

// Members 1..n that know each other.
struct Members {
  explicit Members(uint64_t seed, size_t count) : world(seed) {
    for (raft::NodeId id = 1; id <= count; id++)
      all.push_back(std::make_unique<Member>(world, id));
    std::vector<store::PeerAddress> addresses;
    for (const auto& each : all)
      addresses.push_back(each->address());
    for (const auto& each : all) {
      each->peers->set_members(addresses);
      each->peers->start(each->heard);
    }
  }
  Member& operator[](raft::NodeId id) { return *all[id - 1]; }
  bool connected() {
    for (const auto& one : all) {
      for (const auto& other : all)
        if (one != other && !one->sees(other->id)) return false;
    }
    return true;
  }
  bool connect() {
    return world.run_until([&] { return connected(); }, seconds(10));
  }

  port_sim::World world;
  std::vector<std::unique_ptr<Member>> all;
};

}  // namespace coracle::peer
