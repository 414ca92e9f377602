// SPDX-License-Identifier: GPL-2.0-or-later
#include "proxy/dns_server.h"

#include <algorithm>

#include "base/log.h"

namespace coracle::proxy {
namespace {

constexpr Duration kListenAgain = seconds(5);
constexpr Duration kIdleTimeout = seconds(10);
constexpr size_t kConnectionsMax = 32;         // the one that is silent the longest is closed
constexpr size_t kQueryBytesMax = 4096;        // over TCP; longer: closed
constexpr size_t kUnreadBytesMax = 64 * 1024;  // of answers; a reader that is slower is closed
constexpr size_t kStreamBytesMax = 65'535;

}  // namespace

class DnsServer::Connection final : public port::StreamEvents {
 public:
  Connection(DnsServer& owner, uint64_t id, std::unique_ptr<port::Stream> stream_in)
      : stream(std::move(stream_in)),
        owner_(owner),
        id_(id) {}
  std::unique_ptr<port::Stream> stream;
  std::string inbox;
  Mono heard;

 private:
  void on_bytes(std::string_view bytes) override { owner_.heard(id_, bytes); }
  void on_closed(std::string_view) override { owner_.close(id_); }
  DnsServer& owner_;
  uint64_t id_;
};

DnsServer::DnsServer(api::Client& client,
                     const SliceIndex& slices,
                     const DnsPorts& ports,
                     DnsServerOptions options)
    : ports_(ports),
      options_(std::move(options)),
      zone_(client, slices, options_.zone),
      forwarder_(ports, {options_.zone.dns_address.text(), options_.gateway.text()}, *this),
      retry_(ports.clock.timer(*this)),
      idle_(ports.clock.timer(*this)) {}

DnsServer::~DnsServer() = default;

void DnsServer::start() {
  const Result<> listening = listen();
  if (listening) return;
  LOG(kWarn, "proxy: dns not served yet", kv("error", listening.error().message));
  retry_->arm(ports_.clock.now() + kListenAgain);
}

Result<> DnsServer::listen() {
  const port::Endpoint at{options_.gateway.text(), kDnsListenPort};
  if (!datagrams_) datagrams_ = TRY(ports_.datagrams.bind(at, *this));
  if (!listener_) listener_ = TRY(ports_.network.listen(at, *this));
  return {};
}

void DnsServer::on_alarm(port::Timer& timer) {
  const Mono now = ports_.clock.now();
  if (&timer == retry_.get()) {
    if (!listen()) return retry_->arm(now + kListenAgain);
    LOG(kInfo, "proxy: dns served");
    return;
  }
  std::erase_if(connections_,
                [now](const auto& each) { return now >= each.second->heard + kIdleTimeout; });
  if (!connections_.empty()) idle_->arm(now + kIdleTimeout);
}

// The gateway is reachable from the node's own network as well; strangers get no resolver.
bool DnsServer::is_served(const port::Endpoint& from) const {
  const std::optional<Ip4> address = parse_ip4(from.host);
  return address && (options_.zone.pod_cidr.contains(*address) || address->value >> 24 == 127);
}

void DnsServer::on_datagram(std::string_view bytes, const port::Endpoint& from) {
  if (is_served(from)) take({0, from}, bytes);
}

void DnsServer::on_accept(std::unique_ptr<port::Stream> stream) {
  if (!is_served(stream->peer())) return;
  if (connections_.size() >= kConnectionsMax) {
    connections_.erase(std::min_element(
        connections_.begin(), connections_.end(),
        [](const auto& a, const auto& b) { return a.second->heard < b.second->heard; }));
  }
  const uint64_t id = next_++;
  auto connection = std::make_unique<Connection>(*this, id, std::move(stream));
  connection->heard = ports_.clock.now();
  connection->stream->listen_to(*connection);
  connections_[id] = std::move(connection);
  if (!idle_->armed()) idle_->arm(ports_.clock.now() + kIdleTimeout);
}

void DnsServer::close(uint64_t connection) {
  connections_.erase(connection);
  if (connections_.empty()) idle_->disarm();
}

// RFC 7766: each message behind its length; answers in any order.
void DnsServer::heard(uint64_t id, std::string_view bytes) {
  const auto found = connections_.find(id);
  if (found == connections_.end()) return;
  found->second->heard = ports_.clock.now();
  std::string inbox = std::move(found->second->inbox.append(bytes));
  size_t at = 0;
  while (inbox.size() - at >= 2) {
    const size_t length =
        size_t{static_cast<uint8_t>(inbox[at])} << 8 | static_cast<uint8_t>(inbox[at + 1]);
    if (length > kQueryBytesMax) return close(id);
    if (inbox.size() - at < 2 + length) break;
    take({id, {}}, std::string_view(inbox).substr(at + 2, length));
    at += 2 + length;
    if (!connections_.contains(id)) return;
  }
  connections_[id]->inbox = inbox.substr(at);
}

size_t DnsServer::room_for(const Asker& asker, const DnsQuery& query) const {
  if (asker.connection != 0) return kStreamBytesMax;
  return std::min<size_t>(query.payload, kDnsPayloadBytesMax);
}

void DnsServer::take(const Asker& asker, std::string_view bytes) {
  const DnsParsed parsed = parse_query(bytes);
  const DnsQuery& query = parsed.query;
  if (parsed.verdict == DnsVerdict::kIgnore) return;
  const size_t room = room_for(asker, query);
  if (parsed.verdict == DnsVerdict::kRefuse)
    return reply(asker, encode_answer(query, {parsed.rcode, false, {}, {}, {}}, room));
  std::optional<DnsAnswer> own = zone_.answer(query.question);
  if (!own) return forward(asker, query, {});
  const uint16_t type = query.question.type;
  const bool leads_outside = !own->answers.empty() &&
                             own->answers.back().type == dns_type::kCname &&
                             (type == dns_type::kA || type == dns_type::kAaaa);
  if (leads_outside) return forward(asker, query, std::move(own->answers));
  reply(asker, encode_answer(query, *own, room));
}

// With aliases, the question is for the last one's target: stub resolvers do not follow them.
void DnsServer::forward(const Asker& asker, const DnsQuery& query, std::vector<DnsRecord> aliases) {
  Waiting waiting{asker, query, std::move(aliases)};
  DnsQuery question = query;
  if (!waiting.aliases.empty()) question.question.name = waiting.aliases.back().data;
  if (const auto known = forwarder_.remembered(question, kStreamBytesMax))
    return answer_forwarded(waiting, *known);
  const uint64_t token = next_++;
  if (!forwarder_.ask(token, question, asker.connection != 0)) return give_up(asker, query);
  waiting_.emplace(token, std::move(waiting));
}

void DnsServer::on_forwarded(uint64_t token, std::string_view message) {
  const auto found = waiting_.find(token);
  if (found == waiting_.end()) return;
  const Waiting waiting = std::move(found->second);
  waiting_.erase(found);
  if (message.empty()) return give_up(waiting.asker, waiting.query);
  answer_forwarded(waiting, message);
}

void DnsServer::answer_forwarded(const Waiting& waiting, std::string_view message) {
  const size_t room = room_for(waiting.asker, waiting.query);
  if (waiting.aliases.empty()) {
    const std::string bytes = readdress(message, waiting.query, 0, room);
    if (bytes.empty()) return give_up(waiting.asker, waiting.query);
    return reply(waiting.asker, bytes);
  }
  DnsAnswer answer{static_cast<Rcode>(rcode_of(message)), false, waiting.aliases, {}, {}};
  for (DnsRecord& record : addresses_in(message))
    answer.answers.push_back(std::move(record));
  reply(waiting.asker, encode_answer(waiting.query, answer, room));
}

void DnsServer::give_up(const Asker& asker, const DnsQuery& query) {
  const DnsAnswer failure{Rcode::kServerFailure, false, {}, {}, {}};
  reply(asker, encode_answer(query, failure, room_for(asker, query)));
}

void DnsServer::reply(const Asker& asker, const std::string& bytes) {
  if (asker.connection == 0) {
    static_cast<void>(datagrams_->send(bytes, asker.from));  // who misses it asks again
    return;
  }
  const auto found = connections_.find(asker.connection);
  if (found == connections_.end()) return;
  port::Stream& stream = *found->second->stream;
  if (stream.queued() > kUnreadBytesMax) return close(asker.connection);
  std::string framed;
  put_u16(framed, static_cast<uint16_t>(bytes.size()));
  stream.send(framed.append(bytes));
}

}  // namespace coracle::proxy
