// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/peer_side.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/log.h"
#include "pki/member_name.h"

namespace coracle::daemon {

namespace {

constexpr uint16_t kPeerPort = 6444;
constexpr Duration kTellAgain = seconds(2);
constexpr Duration kSearchFirst = seconds(1);

bool is_loopback(Ip4 ip) {
  return ip.value >> 24 == 127;
}

}  // namespace

PeerSide::PeerSide(port_linux::Machine& machine, const Layout& layout)
    : machine_(machine),
      layout_(layout),
      reachable_(!is_loopback(layout.bind_address) && !is_loopback(layout.node_ip)),
      timer_(machine.clock().timer(*this)),
      search_(machine.clock().timer(*this)) {}

PeerSide::~PeerSide() = default;

void PeerSide::close() {
  if (membership_ == nullptr) return;
  membership_->unlisten(*this);
  membership_->forget(*this);
  membership_ = nullptr;
}

store::Member PeerSide::self() const {
  store::Member self;
  self.name = layout_.node_name;
  if (reachable_) {
    self.addresses = {join({layout_.node_ip.text(), ":", std::to_string(kPeerPort)})};
    self.api_address = layout_.advertised;
  }
  return self;
}

Result<peer::Credentials> PeerSide::credentials(const Identity& identity,
                                                const IdentityOptions& options) {
  const std::string name =
      pki::member_common_name(membership_->cluster(), membership_->standing().self);
  const pki::KeyAndCertificate own =
      TRY(member_certificate(options, identity.peer_authority, name, machine_.disk(),
                             machine_.random(), machine_.clock().trusted()));
  return peer::Credentials{identity.peer_authority.certificate_pem, own.certificate_pem,
                           own.key_pem};
}

Result<> PeerSide::open(store::Membership& membership,
                        const Identity& identity,
                        const IdentityOptions& options) {
  if (!reachable_) return {};
  membership_ = &membership;
  peer::PeersOptions peers;
  peers.cluster = membership.cluster();
  peers.self = membership.standing().self;
  peers.listen = {{layout_.bind_address.text(), kPeerPort}};
  peers.build = CORACLE_VERSION;
  const peer::Credentials own = TRY(credentials(identity, options));
  peers_ = TRY(peer::Peers::open(std::move(peers), own, machine_.clock(), machine_.network(),
                                 machine_.random())
                   .with("peers"));
  BeaconOptions beacon;
  beacon.authority_pem = identity.ca_pem;
  beacon.member = membership.standing().self;
  beacon.peer_port = kPeerPort;
  beacon.api_port = layout_.port;
  BeaconListener& finds = *this;
  if (auto made = Beacon::open(beacon, machine_.datagrams(), machine_.links(), finds))
    beacon_ = std::move(*made);
  else
    LOG(kWarn, "daemon: cannot look for servers", kv("why", made.error().message));
  line_.connect(*peers_);
  membership.listen(*this);
  timer_->arm(machine_.clock().now());
  return {};
}

Result<> PeerSide::renew(const Identity& identity, const IdentityOptions& options) {
  if (peers_ == nullptr) return {};
  const peer::Credentials own = TRY(credentials(identity, options));
  return peers_->use_credentials(own);
}

void PeerSide::on_standing() {
  if (!telling_) timer_->arm(machine_.clock().now());
}

void PeerSide::on_alarm(port::Timer& timer) {
  if (&timer == search_.get()) return search();
  const bool lonely = membership_ != nullptr && membership_->members().size() > 1 &&
                      membership_->standing().leader == raft::kNobody;
  if (lonely && !search_->armed()) search_->arm(machine_.clock().now() + kSearchFirst);
  tell_addresses();
}

// All addresses may have changed at once: whoever is near is asked, now and then, until somebody
// leads.
void PeerSide::search() {
  const bool lonely = membership_ != nullptr && beacon_ != nullptr &&
                      membership_->standing().leader == raft::kNobody &&
                      !membership_->standing().removed;
  if (!lonely) {
    searches_ = 0;
    return;
  }
  beacon_->call();
  const int64_t doublings = std::min(++searches_, uint32_t{4});
  search_->arm(machine_.clock().now() + kSearchFirst * (int64_t{1} << doublings));
}

void PeerSide::on_found(uint64_t member, const port::Endpoint& server) {
  if (peers_ != nullptr) peers_->hint(member, server);
}

void PeerSide::tell_addresses() {
  if (membership_ == nullptr || telling_) return;
  const store::Standing standing = membership_->standing();
  if (standing.leader == raft::kNobody) return;
  for (const store::Member& member : membership_->members()) {
    if (member.id != standing.self) continue;
    store::Member now = self();
    if (member.addresses == now.addresses && member.api_address == now.api_address) return;
    now.id = member.id;
    now.role = member.role;
    now.wants_vote = member.wants_vote;
    now.name = member.name;
    telling_ = true;
    LOG(kInfo, "daemon: the address of this server changed",
        kv("from", member.addresses.empty() ? std::string("none") : member.addresses.front()),
        kv("to", now.addresses.front()));
    return membership_->put_member(std::move(now), *this);
  }
}

void PeerSide::on_membership(Result<> outcome) {
  telling_ = false;
  if (!outcome) timer_->arm(machine_.clock().now() + kTellAgain);
}

}  // namespace coracle::daemon
