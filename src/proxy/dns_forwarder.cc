// SPDX-License-Identifier: GPL-2.0-or-later
#include "proxy/dns_forwarder.h"

#include <algorithm>

#include "base/bytes.h"

namespace coracle::proxy {
namespace {

constexpr const char* kResolverFile = "/etc/resolv.conf";
constexpr uint16_t kPort = 53;
constexpr size_t kServersMax = 3;
constexpr size_t kFlightsMax = 128;  // beyond: SERVFAIL at once
constexpr int kTriesMax = 3;
constexpr int kFailuresMax = 2;
constexpr Duration kPatience = seconds(2);  // per try
constexpr Duration kLeftAlone = seconds(3);
constexpr Duration kServersAge = seconds(5);  // then the file is read again, when somebody asks
constexpr size_t kEntries = 256;
constexpr size_t kEntryBytesMax = 512;
constexpr uint32_t kSecondsMax = 300;
constexpr size_t kStreamBytesMax = 2 + 65'535;

std::string key_of(const DnsQuery& query) {
  std::string key = query.question.name;
  for (char& c : key) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  put_u16(key, query.question.type);
  key.push_back(static_cast<char>((query.edns ? 1 : 0) | (query.dnssec_ok ? 2 : 0) |
                                  (query.checking_disabled ? 4 : 0)));
  return key;
}

size_t place_of(std::string_view key) {
  return crc32c(key) % kEntries;
}

}  // namespace

std::vector<std::string> name_servers_in(std::string_view text) {
  std::vector<std::string> servers;
  for (const std::string_view line : split(text, '\n')) {
    std::string_view rest = trim(line);
    if (!rest.starts_with("nameserver")) continue;
    rest.remove_prefix(10);
    if (rest.empty() || (rest[0] != ' ' && rest[0] != '\t')) continue;
    rest = trim(rest);
    rest = rest.substr(0, rest.find_first_of(" \t#;"));
    if (!rest.empty() && servers.size() < kServersMax) servers.emplace_back(rest);
  }
  return servers;
}

// One question on its way, to one server after the other.
class DnsForwarder::Flight final : public port::DatagramEvents, public port::StreamEvents {
 public:
  Flight(DnsForwarder& owner, uint64_t token_in, const DnsQuery& query_in, bool stream_in)
      : token(token_in),
        query(query_in),
        id(static_cast<uint16_t>(owner.ports_.random.next())),
        stream(stream_in),
        owner_(owner) {}

  bool start(const port::Endpoint& at) {
    close();
    if (stream) {
      connection_ = owner_.ports_.network.connect(at, *this);
      return true;
    }
    auto socket = owner_.ports_.datagrams.reach(at, *this);
    if (!socket) return false;
    socket_ = std::move(*socket);
    return static_cast<bool>(socket_->send(encode_question(query, id)));
  }
  void close() {
    socket_.reset();
    connection_.reset();
    inbox_.clear();
  }

  const uint64_t token;
  const DnsQuery query;
  const uint16_t id;
  const bool stream;
  size_t server = 0;  // index of the one that is asked
  int tries = 0;
  Mono deadline;

 private:
  void on_datagram(std::string_view bytes, const port::Endpoint&) override {
    if (answers_question(bytes, query.question, id)) owner_.landed(*this, bytes);
  }
  void on_unreachable() override { owner_.failed(*this); }
  void on_connected() override {
    const std::string question = encode_question(query, id);
    std::string framed;
    put_u16(framed, static_cast<uint16_t>(question.size()));
    connection_->send(framed.append(question));
  }
  void on_bytes(std::string_view bytes) override {
    inbox_.append(bytes.substr(0, kStreamBytesMax - std::min(kStreamBytesMax, inbox_.size())));
    if (inbox_.size() < 2) return;
    const size_t length =
        size_t{static_cast<uint8_t>(inbox_[0])} << 8 | static_cast<uint8_t>(inbox_[1]);
    if (inbox_.size() < 2 + length) return;
    const std::string message = inbox_.substr(2, length);
    if (answers_question(message, query.question, id)) return owner_.landed(*this, message);
    owner_.failed(*this);
  }
  void on_closed(std::string_view) override { owner_.failed(*this); }

  DnsForwarder& owner_;
  std::unique_ptr<port::Datagrams> socket_;
  std::unique_ptr<port::Stream> connection_;
  std::string inbox_;
};

DnsForwarder::DnsForwarder(const DnsPorts& ports,
                           std::vector<std::string> own,
                           DnsForwarderEvents& events)
    : ports_(ports),
      own_(std::move(own)),
      events_(events),
      timer_(ports.clock.timer(*this)) {}

DnsForwarder::~DnsForwarder() = default;

void DnsForwarder::read_servers() {
  const Mono now = ports_.clock.now();
  if (servers_read_ && now < *servers_read_ + kServersAge) return;
  servers_read_ = now;
  const Result<std::string> text = ports_.disk.read_file(kResolverFile);
  std::vector<Upstream> servers;
  for (const std::string& host : name_servers_in(text ? *text : std::string())) {
    if (std::find(own_.begin(), own_.end(), host) != own_.end()) continue;
    const auto known = std::find_if(servers_.begin(), servers_.end(),
                                    [&host](const Upstream& old) { return old.at.host == host; });
    servers.push_back(known != servers_.end() ? *known : Upstream{{host, kPort}, 0, {}});
  }
  servers_ = std::move(servers);
}

bool DnsForwarder::ask(uint64_t token, const DnsQuery& query, bool stream) {
  if (flights_.size() >= kFlightsMax) return false;
  read_servers();
  auto flight = std::make_unique<Flight>(*this, token, query, stream);
  if (!try_next(*flight)) return false;
  flights_.push_back(std::move(flight));
  arm();
  return true;
}

// Servers are asked in the order of the file; those that did not answer lately are passed over.
bool DnsForwarder::try_next(Flight& flight) {
  const Mono now = ports_.clock.now();
  const size_t first = flight.tries == 0 ? 0 : flight.server + 1;
  for (size_t i = 0; i < servers_.size() && flight.tries < kTriesMax; ++i) {
    const size_t index = (first + i) % servers_.size();
    Upstream& server = servers_[index];
    if (now < server.resumes) continue;
    flight.server = index;
    ++flight.tries;
    flight.deadline = now + kPatience;
    if (flight.start(server.at)) return true;
    server.resumes = now + kLeftAlone;  // there is no way to it
  }
  return false;
}

void DnsForwarder::failed(Flight& flight) {
  if (flight.server < servers_.size()) {
    Upstream& server = servers_[flight.server];
    if (++server.failures >= kFailuresMax) {
      server.failures = 0;
      server.resumes = ports_.clock.now() + kLeftAlone;
    }
  }
  flight.close();
  if (try_next(flight)) return arm();
  finish(flight, {});
}

void DnsForwarder::landed(Flight& flight, std::string_view message) {
  if (flight.server < servers_.size()) servers_[flight.server].failures = 0;
  const auto rcode = static_cast<Rcode>(rcode_of(message));
  const bool useless = rcode == Rcode::kServerFailure || rcode == Rcode::kRefused;
  if (useless && servers_.size() > 1) {
    const std::string kept(message);  // the socket that it came from closes
    if (try_next(flight)) return arm();
    return finish(flight, kept);
  }
  remember(flight.query, message);
  finish(flight, message);
}

// Called from inside an event of the flight: it lives until the end of this function.
void DnsForwarder::finish(Flight& flight, std::string_view message) {
  const auto found = std::find_if(
      flights_.begin(), flights_.end(),
      [&flight](const std::unique_ptr<Flight>& each) { return each.get() == &flight; });
  if (found == flights_.end()) return;
  const std::unique_ptr<Flight> kept = std::move(*found);
  flights_.erase(found);
  events_.on_forwarded(kept->token, message);
}

void DnsForwarder::arm() {
  if (flights_.empty()) return timer_->disarm();
  const auto next = std::min_element(flights_.begin(), flights_.end(),
                                     [](auto& a, auto& b) { return a->deadline < b->deadline; });
  timer_->arm((*next)->deadline);
}

void DnsForwarder::on_alarm(port::Timer&) {
  std::vector<uint64_t> late;
  for (const auto& flight : flights_) {
    if (flight->deadline <= ports_.clock.now()) late.push_back(flight->token);
  }
  for (const uint64_t token : late) {
    const auto found =
        std::find_if(flights_.begin(), flights_.end(),
                     [token](const std::unique_ptr<Flight>& each) { return each->token == token; });
    if (found != flights_.end()) failed(**found);
  }
  arm();
}

void DnsForwarder::remember(const DnsQuery& query, std::string_view message) {
  const auto rcode = static_cast<Rcode>(rcode_of(message));
  const bool lasting = rcode == Rcode::kNoError || rcode == Rcode::kNoSuchName;
  if (!lasting || is_truncated(message) || message.size() > kEntryBytesMax) return;
  const std::optional<uint32_t> keep = seconds_to_keep(message);
  if (!keep || *keep == 0) return;
  if (entries_.empty()) entries_.resize(kEntries);
  std::string key = key_of(query);
  const Mono now = ports_.clock.now();
  entries_[place_of(key)] = {key, std::string(message), now,
                             now + seconds(std::min(*keep, kSecondsMax))};
}

std::optional<std::string> DnsForwarder::remembered(const DnsQuery& query, size_t bytes_max) const {
  if (entries_.empty()) return std::nullopt;
  const std::string key = key_of(query);
  const Entry& entry = entries_[place_of(key)];
  const Mono now = ports_.clock.now();
  if (entry.key != key || now >= entry.ends) return std::nullopt;
  const auto age = static_cast<uint32_t>((now - entry.stored).ns / 1'000'000'000);
  return readdress(entry.message, query, age, bytes_max);
}

}  // namespace coracle::proxy
