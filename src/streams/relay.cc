// SPDX-License-Identifier: GPL-2.0-or-later
#include "streams/relay.h"

#include <algorithm>
#include <utility>

#include "base/bytes.h"
#include "base/limits.h"
#include "http/secure_stream.h"
#include "json/tree.h"

namespace coracle::streams {
namespace {

constexpr Duration kAnswerWithin = seconds(15);
constexpr size_t kAnswerBytesMax = 32 * 1024;
// What a client says about the way it wants to go on.
constexpr std::string_view kForwarded[] = {"connection",
                                           "upgrade",
                                           "sec-websocket-key",
                                           "sec-websocket-version",
                                           "sec-websocket-protocol",
                                           "x-stream-protocol-version"};

Code code_of(uint64_t status) {
  switch (status) {
    case 400:
      return Code::kBadRequest;
    case 403:
      return Code::kForbidden;
    case 404:
      return Code::kNotFound;
    case 429:
      return Code::kTooManyRequests;
    default:
      return Code::kUnavailable;
  }
}

class Relay final : public Session, http::Upgraded, http::SecureEvents, port::TurnEnd, port::Alarm {
 public:
  Relay(const RelayPlace& place, const Agent& agent, std::string head)
      : place_(place),
        head_(std::move(head)),
        timer_(place.clock.timer(*this)),
        agent_(
            place.clock,
            std::make_unique<http::TlsSession>(agent.tls, place.clock.trusted(), http::TlsTicket()),
            *this) {
    timer_->arm(place.clock.now() + kAnswerWithin);
    agent_.connect(place.network, agent.endpoint);
  }
  ~Relay() override { place_.clock.cancel_turn_end(*this); }
  void on_drained() override {
    if (!over_) agent_.pause(false);
  }

 private:
  void on_open() override { agent_.write(head_); }
  void on_plain(std::string_view bytes) override;
  void on_turn() override {}
  void on_sent() override {
    if (upgraded_ && !over_) place_.response.pause(false);
  }
  void on_ended(std::string_view why) override {
    if (upgraded_) return end();
    give_up(fail(Code::kUnavailable, join({"the node of this pod cannot be reached: ", why})));
  }
  void on_alarm(port::Timer&) override { on_ended("no answer in time"); }
  void on_bytes(std::string_view bytes) override;  // of the client
  void take_answer();
  void on_turn_end() override;
  void give_up(Error why) {
    if (over_) return;
    failure_ = std::move(why);
    end();
  }
  void end() {
    over_ = true;
    timer_->disarm();
    place_.clock.at_turn_end(*this);
  }

  const RelayPlace place_;
  const std::string head_;
  std::unique_ptr<port::Timer> timer_;
  std::string answer_;
  std::optional<Error> failure_;
  bool upgraded_ = false;
  bool over_ = false;
  http::SecureStream agent_;
};

void Relay::on_plain(std::string_view bytes) {
  if (over_) return;
  if (upgraded_) {
    place_.response.write(bytes);
    if (place_.response.backlog() >= limits::kSendBufferBytesMax) agent_.pause(true);
    return;
  }
  answer_ += bytes;
  if (answer_.size() > kAnswerBytesMax)
    return give_up(fail(Code::kUnavailable, "the node of this pod does not answer as it should"));
  take_answer();
}

// "HTTP/1.1 101 Switching Protocols", fields, an empty line; or a Status in the body.
void Relay::take_answer() {
  const size_t end = answer_.find("\r\n\r\n");
  if (end == std::string::npos) return;
  const std::string_view head = std::string_view(answer_).substr(0, end);
  const std::string_view rest = std::string_view(answer_).substr(end + 4);
  const uint64_t status = head.size() > 12 ? parse_unsigned(head.substr(9, 3)).value_or(0) : 0;
  std::vector<http::Header> headers;
  uint64_t length = 0;
  for (const std::string_view line : split(head, '\n')) {
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    headers.push_back(
        {std::string(line.substr(0, colon)), std::string(trim(line.substr(colon + 1)))});
    if (headers.back().name == "content-length")
      length = parse_unsigned(headers.back().value).value_or(0);
  }
  if (status != 101) {
    if (rest.size() < std::min<uint64_t>(length, kAnswerBytesMax)) return;
    json::Tree tree;
    const Result<json::Node> said = tree.parse(rest);
    const std::string_view message = said ? (*said)["message"].string() : std::string_view();
    return give_up(fail(code_of(status),
                        message.empty() ? "the node of this pod refuses" : std::string(message)));
  }
  timer_->disarm();
  if (!place_.response.upgrade(headers, *this))
    return give_up(fail(Code::kBadRequest, "unable to upgrade: HTTP/1.1 is needed"));
  upgraded_ = true;
  if (!rest.empty()) place_.response.write(rest);
}

void Relay::on_bytes(std::string_view bytes) {
  if (over_) return;
  agent_.write(bytes);
  if (agent_.unsent() >= limits::kSendBufferBytesMax) place_.response.pause(true);
}

void Relay::on_turn_end() {
  if (!over_) return;
  if (failure_) return place_.owner.on_session_failed(*std::exchange(failure_, std::nullopt));
  place_.response.finish();
  place_.owner.on_session_over();
}

}  // namespace

std::unique_ptr<Session> open_relay(const RelayPlace& place,
                                    const Agent& agent,
                                    const std::string& target) {
  std::string head =
      join({place.request.method, " ", target, " HTTP/1.1\r\nhost: ", agent.endpoint.host, "\r\n"});
  for (const http::Header& each : place.request.headers) {
    if (std::find(std::begin(kForwarded), std::end(kForwarded), each.name) != std::end(kForwarded))
      head += join({each.name, ": ", each.value, "\r\n"});
  }
  if (place.request.method == "POST") head += "content-length: 0\r\n";
  return std::make_unique<Relay>(place, agent, head += "\r\n");
}

}  // namespace coracle::streams
