// SPDX-License-Identifier: GPL-2.0-or-later
// The other members of the store, over mutual TLS: store::Transport on a port::Network. Every pair
// shares one connection, made by whoever comes first; where both call at once the call of the lower
// id stays. A member is known by its certificate, never by its address.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "peer/link.h"
#include "peer/remote.h"
#include "port/net.h"
#include "port/random.h"
#include "store/transport.h"

namespace coracle::peer {

struct PeersOptions {
  uint64_t cluster = 0;
  raft::NodeId self = raft::kNobody;
  std::vector<port::Endpoint> listen;  // all with the same port
  std::string build;                   // version, shown to the others
};

// See pki/member_name.h for what the certificate must say.
struct Credentials {
  std::string authority_pem;  // of members, and of nobody else
  std::string certificate_pem;
  std::string key_pem;
};

// How things stand with one other member, for people.
struct Contact {
  raft::NodeId member = raft::kNobody;
  bool connected = false;
  port::Endpoint address;  // if connected
  std::string build;
};

class Peers final : public store::Transport,
                    private port::Acceptor,
                    private LinkOwner,
                    private RemoteOwner,
                    private port::TurnEnd {
 public:
  static Result<std::unique_ptr<Peers>> open(PeersOptions options,
                                             const Credentials& credentials,
                                             port::Clock& clock,
                                             port::Network& network,
                                             port::Random& random);
  ~Peers() override;
  Peers(const Peers&) = delete;
  Peers& operator=(const Peers&) = delete;

  // Renewed ones: connections made from now on use them, the others go on.
  Result<> use_credentials(const Credentials& credentials);
  std::vector<Contact> contacts() const;
  // Perhaps it is there: tried at once, unless it is connected.
  void hint(raft::NodeId member, const port::Endpoint& at);
  port::Endpoint local() const;

  void start(store::TransportEvents& events) override;
  void stop() override;
  void set_members(std::span<const store::PeerAddress> members) override;
  void send(raft::Message message) override;
  void send_snapshot(raft::Message message, std::unique_ptr<store::SnapshotSource> rows) override;

 private:
  Peers(PeersOptions options, port::Clock& clock, port::Network& network, port::Random& random);

  void on_accept(std::unique_ptr<port::Stream> stream) override;
  void call(Remote& remote) override;
  void on_doubt_over(Remote& remote) override;
  void on_greeted(Link& link) override;
  void on_contest_over(Link& link) override;
  void on_open(Link& link) override;
  void on_retired(Link& link) override;
  void on_snapshot_settled(Link& link, bool failed, std::string_view why) override;
  void on_sighting(Link& link, const Sighting& sighting) override;
  void on_own_removal() override;
  void on_turn_end() override;

  bool make_room();
  Remote& remote(raft::NodeId id);
  Remote* find(raft::NodeId id);
  void remove(Remote& gone);
  bool was_removed(raft::NodeId id) const;
  void settle_contest(Remote& between);
  void tell_others(Link& fresh);
  void fence(Remote& remote, uint64_t other_instance);
  bool is_fenced(raft::NodeId member, uint64_t instance) const;
  void lost(Remote& remote, const Link& link);
  void say_lost(Remote& remote, const Link& link);
  void say_refused(const Link& link);
  void tell_store(Link& gone);
  void tell_store(Remote& remote);
  bool prefers(const Link& fresh, const Link& old) const;

  PeersOptions options_;
  port::Clock& clock_;
  port::Network& network_;
  port::Random& random_;
  Hello own_;
  Delivery delivery_;
  Link::Surroundings around_;
  std::shared_ptr<const http::TlsServerContext> server_tls_;
  std::shared_ptr<const http::TlsClientContext> client_tls_;
  std::vector<std::unique_ptr<port::Listener>> listeners_;
  std::map<raft::NodeId, std::unique_ptr<Remote>> remotes_;
  std::vector<std::unique_ptr<Link>> links_;  // in order of arrival
  std::vector<raft::NodeId> removed_;
  std::vector<std::pair<raft::NodeId, uint64_t>> fenced_;  // copies, by their instance
  News refusals_;
};

}  // namespace coracle::peer
