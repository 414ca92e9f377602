// SPDX-License-Identifier: GPL-2.0-or-later
#include "peer/peers.h"

#include <algorithm>
#include <utility>

#include "base/bytes.h"
#include "base/log.h"
#include "peer/bounds.h"
#include "peer/remedy.h"
#include "pki/certificate.h"
#include "pki/member_name.h"

namespace coracle::peer {
namespace {

constexpr std::string_view kNobodyListens = "connection refused";  // in the words of port/net.h

}  // namespace

Peers::Peers(PeersOptions options, port::Clock& clock, port::Network& network, port::Random& random)
    : options_(std::move(options)),
      clock_(clock),
      network_(network),
      random_(random),
      around_{clock, delivery_, own_, *this} {
  own_.cluster = options_.cluster;
  own_.from = options_.self;
  own_.instance = random.next();
  own_.build = options_.build;
}

Peers::~Peers() {
  delivery_.events = nullptr;
  clock_.cancel_turn_end(*this);
}

Result<std::unique_ptr<Peers>> Peers::open(PeersOptions options,
                                           const Credentials& credentials,
                                           port::Clock& clock,
                                           port::Network& network,
                                           port::Random& random) {
  std::unique_ptr<Peers> peers(new Peers(std::move(options), clock, network, random));
  TRY(peers->use_credentials(credentials));
  for (const port::Endpoint& at : peers->options_.listen) {
    peers->listeners_.push_back(TRY(network.listen(at, *peers).with("peers")));
  }
  if (!peers->listeners_.empty()) peers->own_.port = peers->local().port;
  return peers;
}

Result<> Peers::use_credentials(const Credentials& credentials) {
  const auto facts = TRY(pki::read_certificate(credentials.certificate_pem).with("peers"));
  const auto name = pki::parse_member_common_name(facts.common_name);
  if (name != pki::MemberName{options_.cluster, options_.self}) {
    return fail(Code::kInternal,
                join({"peers: the certificate is of \"", facts.common_name, "\", not of member ",
                      pki::member_common_name(options_.cluster, options_.self)}));
  }
  http::TlsServerOptions server;
  server.certificate_pem = credentials.certificate_pem;
  server.key_pem = credentials.key_pem;
  server.client_ca_pem = credentials.authority_pem;
  server.http2 = false;
  server.require_client = true;
  http::TlsClientOptions client;
  client.ca_pem = credentials.authority_pem;
  client.certificate_pem = credentials.certificate_pem;
  client.key_pem = credentials.key_pem;
  client.any_server = true;  // it is judged by its certificate's name, wherever it lives
  auto server_tls = TRY(http::make_tls_server(server, random_).with("peers"));
  client_tls_ = TRY(http::make_tls_client(client, random_).with("peers"));
  server_tls_ = std::move(server_tls);
  return {};
}

void Peers::hint(raft::NodeId member, const port::Endpoint& at) {
  Remote* const known = find(member);
  if (known == nullptr) return;
  known->learn(at);
  if (known->current != nullptr) {
    if (known->current->address().host != at.host) known->current->probe();
    return;
  }
  if (known->calling != nullptr) {
    if (clock_.now() - known->calling->began() < kHintPatience) return;
    known->calling->cut("it seems to be elsewhere");
  }
  known->call_now();
}

port::Endpoint Peers::local() const {
  ASSERT(!listeners_.empty());
  return listeners_.front()->local();
}

std::vector<Contact> Peers::contacts() const {
  std::vector<Contact> all;
  for (const auto& [id, each] : remotes_) {
    Contact contact;
    contact.member = id;
    contact.connected = each->current != nullptr;
    if (contact.connected) contact.address = each->current->address();
    if (contact.connected) contact.build = each->current->hello().build;
    all.push_back(std::move(contact));
  }
  return all;
}

void Peers::start(store::TransportEvents& events) {
  delivery_.events = &events;
  for (const auto& [id, each] : remotes_)
    each->want_call();
}

void Peers::stop() {
  delivery_.events = nullptr;
  listeners_.clear();
  for (const auto& [id, each] : remotes_) {
    each->unlist();
    each->current = each->calling = each->contender = nullptr;
  }
  for (size_t i = 0; i < links_.size(); i++)
    links_[i]->cut("this member stops");
}

Remote* Peers::find(raft::NodeId id) {
  const auto found = remotes_.find(id);
  return found == remotes_.end() ? nullptr : found->second.get();
}

Remote& Peers::remote(raft::NodeId id) {
  std::unique_ptr<Remote>& found = remotes_[id];
  if (found != nullptr) return *found;
  RemoteOwner& owner = *this;
  const Duration patience = options_.self > id ? kPatience : Duration();
  found = std::make_unique<Remote>(id, patience, clock_, owner);
  return *found;
}

void Peers::set_members(std::span<const store::PeerAddress> members) {
  const auto is_member = [&](raft::NodeId id) {
    return std::any_of(members.begin(), members.end(),
                       [&](const store::PeerAddress& each) { return each.id == id; });
  };
  for (const auto& [id, each] : remotes_) {
    if (each->listed() && !is_member(id)) remove(*each);
  }
  for (const store::PeerAddress& member : members) {
    if (member.id == options_.self) continue;
    std::erase(removed_, member.id);
    remote(member.id).list(member.endpoints);
  }
}

void Peers::remove(Remote& gone) {
  gone.unlist();
  if (removed_.size() >= kRemovedMax) removed_.erase(removed_.begin());
  removed_.push_back(gone.id());
  LOG(kInfo, "peer: removed", kv("member", gone.id()));
  if (gone.current != nullptr) gone.current->refuse(removal(gone.id()));
  if (gone.calling != nullptr) gone.calling->leave("removed");
  if (gone.contender != nullptr) gone.contender->refuse(removal(gone.id()));
  gone.current = gone.calling = gone.contender = nullptr;
  clock_.at_turn_end(*this);
}

bool Peers::was_removed(raft::NodeId id) const {
  return std::find(removed_.begin(), removed_.end(), id) != removed_.end();
}

void Peers::send(raft::Message message) {
  Remote* to = find(message.to);
  if (to == nullptr) return;  // no longer, or not yet, a member
  if (to->current != nullptr && to->current->outbox().push(std::move(message))) {
    return to->current->wake();
  }
  to->unreachable = true;
  clock_.at_turn_end(*this);
}

void Peers::send_snapshot(raft::Message message, std::unique_ptr<store::SnapshotSource> rows) {
  Remote& to = remote(message.to);
  if (to.current != nullptr && to.current->outbox().start_snapshot(message, std::move(rows))) {
    LOG(kInfo, "peer: snapshot begun", kv("member", to.id()), kv("index", message.snapshot.index));
    return to.current->wake();
  }
  to.snapshot_failed = true;
  clock_.at_turn_end(*this);
}

void Peers::call(Remote& to) {
  if (delivery_.events == nullptr || to.current != nullptr || to.calling != nullptr) return;
  const std::optional<port::Endpoint> endpoint = to.next_endpoint();
  if (!endpoint) return;
  links_.push_back(std::make_unique<Link>(around_, to.id()));
  to.calling = links_.back().get();
  to.calling->call(network_, *endpoint, client_tls_);
}

void Peers::on_accept(std::unique_ptr<port::Stream> stream) {
  if (delivery_.events == nullptr || !make_room()) return;  // closes it
  links_.push_back(std::make_unique<Link>(around_, raft::kNobody));
  links_.back()->accept(std::move(stream), server_tls_);
}

// Who has not shown yet what it is gives way to who comes now.
bool Peers::make_room() {
  size_t greeters = 0;
  Link* oldest = nullptr;
  for (const auto& each : links_) {
    if (each->side() != Link::Side::kCalled || each->is_open() || each->is_over()) continue;
    greeters++;
    if (oldest == nullptr) oldest = each.get();
  }
  if (greeters >= kGreetersMax) oldest->cut("too many connections at once");
  return links_.size() < kLinksMax;
}

void Peers::on_greeted(Link& link) {
  if (was_removed(link.member())) return link.refuse(removal(link.member()));
  if (is_fenced(link.member(), link.hello().instance)) return link.refuse(copied(link.member()));
  Remote& from = remote(link.member());
  Link* old = from.current;
  if (old == nullptr && from.contender == nullptr) return link.admit();
  if (from.contender != nullptr) return link.leave("others of its name are being judged");
  if (old->hello().instance != link.hello().instance) {
    from.contender = &link;
    link.hold();
    return old->probe();
  }
  if (!prefers(link, *old)) return link.leave("there is a connection already");
  from.current = nullptr;
  from.unreachable = true;  // what waited in the old one is lost
  clock_.at_turn_end(*this);
  old->leave("there is a newer connection");
  link.admit();
}

void Peers::on_open(Link& link) {
  Remote& other = remote(link.member());
  other.current = &link;
  if (other.calling == &link) other.calling = nullptr;
  if (link.side() == Link::Side::kCalled && link.hello().port != 0) {
    other.learn({link.address().host, link.hello().port});
  }
  LOG(kInfo, "peer: connected", kv("member", link.member()), kv("address", link.address().host),
      kv("version", link.hello().build));
  tell_others(link);
}

void Peers::on_own_removal() {
  if (delivery_.events != nullptr) delivery_.events->on_removed();
}

void Peers::on_snapshot_settled(Link& link, bool failed, std::string_view why) {
  if (failed) {
    LOG(kWarn, "peer: snapshot broke off", kv("member", link.member()), kv("error", why));
  } else {
    LOG(kInfo, "peer: snapshot sent", kv("member", link.member()));
  }
  if (delivery_.events != nullptr) delivery_.events->on_snapshot_sent(link.member(), failed);
}

void Peers::on_retired(Link& link) {
  clock_.at_turn_end(*this);
  if (delivery_.events == nullptr) return;
  const bool was_open = link.opened() != Mono();
  for (const auto& [id, each] : remotes_) {
    if (each->contender == &link) each->contender = nullptr;
    if (each->calling == &link) {
      each->calling = nullptr;
      each->absent = link.why() == kNobodyListens;
      say_lost(*each, link);
      each->failed(random_, link.was_refused());
      return;
    }
    if (each->current == &link) return lost(*each, link);
  }
  if (!was_open) say_refused(link);
}

void Peers::lost(Remote& from, const Link& link) {
  if (clock_.now() - link.opened() >= kSteady) from.succeeded();
  say_lost(from, link);
  from.current = nullptr;
  from.unreachable = true;
  if (from.contender != nullptr) return settle_contest(from);
  from.failed(random_, link.was_refused());
}

void Peers::say_lost(Remote& from, const Link& link) {
  if (link.in_peace() || !from.news.is_new(link.why(), clock_.now())) return;
  LOG(kWarn, link.opened() != Mono() ? "peer: lost" : "peer: not reached", kv("member", from.id()),
      kv("address", link.address().host), kv("error", with_remedy(link.why())));
}

// Anybody may knock; the log must not fill with it.
void Peers::say_refused(const Link& link) {
  if (link.in_peace()) return;
  if (!refusals_.is_new(link.address().host + link.why(), clock_.now())) return;
  LOG(kWarn, "peer: refused a connection", kv("address", link.address().host),
      kv("member", link.member()), kv("error", with_remedy(link.why())),
      kv("untold", refusals_.take_unsaid()));
}

void Peers::tell_store(Link& gone) {
  gone.close_inbox();
  if (!gone.outbox().has_snapshot() || delivery_.events == nullptr) return;
  LOG(kWarn, "peer: snapshot broke off", kv("member", gone.member()), kv("error", gone.why()));
  delivery_.events->on_snapshot_sent(gone.member(), true);
}

void Peers::tell_store(Remote& other) {
  store::TransportEvents* events = delivery_.events;
  const bool unreachable = std::exchange(other.unreachable, false);
  const bool failed = std::exchange(other.snapshot_failed, false);
  const bool absent = std::exchange(other.absent, false);
  if (unreachable && events != nullptr) events->on_unreachable(other.id());
  if (failed && events != nullptr) events->on_snapshot_sent(other.id(), true);
  if (absent && events != nullptr) events->on_absent(other.id());
}

// The store hears everything here and in the events of links, never from inside its own calls.
void Peers::on_turn_end() {
  const auto is_retired = [](const auto& each) { return each->phase() == Link::Phase::kRetired; };
  const auto first_gone = std::stable_partition(
      links_.begin(), links_.end(), [&](const auto& each) { return !is_retired(each); });
  std::vector<std::unique_ptr<Link>> gone(std::make_move_iterator(first_gone),
                                          std::make_move_iterator(links_.end()));
  links_.erase(first_gone, links_.end());
  for (const auto& each : gone)
    tell_store(*each);
  for (const auto& [id, each] : remotes_)
    tell_store(*each);
  std::erase_if(remotes_, [](const auto& each) {
    const Remote& other = *each.second;
    return !other.listed() && other.current == nullptr && other.calling == nullptr &&
           other.contender == nullptr && !other.unreachable && !other.snapshot_failed;
  });
}

}  // namespace coracle::peer
