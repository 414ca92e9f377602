// SPDX-License-Identifier: GPL-2.0-or-later
// How this server reaches the other members of the store: its certificate, its port 6444, and its
// addresses as the others know them, which follow when the device's address changes.
#pragma once

#include <memory>
#include <string>

#include "daemon/beacon.h"
#include "daemon/identity.h"
#include "daemon/layout.h"
#include "daemon/peer_line.h"
#include "peer/peers.h"
#include "port/linux/machine.h"
#include "store/store.h"

namespace coracle::daemon {

class PeerSide final : store::MembershipWaiter,
                       store::StandingListener,
                       BeaconListener,
                       port::Alarm {
 public:
  PeerSide(port_linux::Machine& machine, const Layout& layout);
  ~PeerSide();
  PeerSide(const PeerSide&) = delete;
  PeerSide& operator=(const PeerSide&) = delete;

  // For the store; null on a server that only this machine can reach.
  store::Transport* transport() { return reachable_ ? &line_ : nullptr; }
  store::Member self() const;  // as the others shall know it
  // Once the store is open and says who we are.
  Result<> open(store::Membership& membership,
                const Identity& identity,
                const IdentityOptions& options);
  Result<> renew(const Identity& identity, const IdentityOptions& options);
  void close();  // before the store goes

 private:
  Result<peer::Credentials> credentials(const Identity& identity, const IdentityOptions& options);
  void on_membership(Result<> outcome) override;
  void on_standing() override;
  void on_alarm(port::Timer& timer) override;
  void on_found(uint64_t member, const port::Endpoint& server) override;
  void search();
  void tell_addresses();

  port_linux::Machine& machine_;
  const Layout& layout_;
  const bool reachable_;
  PeerLine line_;
  std::unique_ptr<peer::Peers> peers_;
  store::Membership* membership_ = nullptr;
  bool telling_ = false;
  std::unique_ptr<port::Timer> timer_;
  std::unique_ptr<Beacon> beacon_;
  std::unique_ptr<port::Timer> search_;  // while there is no leader
  uint32_t searches_ = 0;
};

}  // namespace coracle::daemon
