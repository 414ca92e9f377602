// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/client.h"

#include <algorithm>
#include <deque>

#include "base/bytes.h"
#include "base/limits.h"
#include "http/response_parser.h"
#include "http/secure_stream.h"
#include "http/syntax.h"

namespace coracle::http {
namespace {

constexpr Duration kConnectTimeout = seconds(10);
constexpr Duration kAnswerTimeout = seconds(75);  // above the server's own limit of a request
constexpr Duration kIdleTimeout =
    seconds(60);  // below the server's, so that it rarely closes first

struct Pending {
  std::string bytes;  // of the whole request
  ClientEvents* events = nullptr;
  bool head_only = false;
  bool repeatable = false;  // may be sent again if a kept connection turns out dead
};

bool is_line_safe(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) > 0x20 && c != 0x7f; });
}

// Empty if something in the request would break its framing.
std::string write_request(const Request& request, const port::Endpoint& server) {
  const bool sound = is_token(request.method) && request.path.starts_with('/') &&
                     is_line_safe(request.path) && is_line_safe(request.query);
  if (!sound) return {};
  std::string out = join({request.method, " ", request.path, request.query.empty() ? "" : "?",
                          request.query, " HTTP/1.1\r\n"});
  if (request.header("host").empty())
    out += join({"host: ", server.host, ":", std::to_string(server.port), "\r\n"});
  for (const Header& each : request.headers) {
    if (!is_token(each.name) || !is_field_value(each.value)) return {};
    out.append(each.name).append(": ").append(each.value).append("\r\n");
  }
  const bool may_have_body = request.method != "GET" && request.method != "HEAD";
  if (may_have_body || !request.body.empty()) {
    out += join({"content-length: ", std::to_string(request.body.size()), "\r\n"});
  }
  return out.append("\r\n").append(request.body);
}

}  // namespace

// Events go out only from the loop's calls, never from inside send(): work begins at the end of the
// turn.
class Client::State final : public SecureEvents, public port::TurnEnd, public port::Alarm {
 public:
  State(port::Clock& clock,
        port::Network& network,
        port::Endpoint server,
        std::shared_ptr<const TlsClientContext> tls)
      : clock_(clock),
        network_(network),
        server_(std::move(server)),
        tls_(std::move(tls)),
        timer_(clock.timer(*this)) {}
  ~State() { clock_.cancel_turn_end(*this); }

  void send(const Request& request, ClientEvents& events);
  void close();
  void pause(bool paused) {
    if (stream_ != nullptr) stream_->pause(paused);
  }

  void on_open() override;
  void on_plain(std::string_view bytes) override;
  void on_turn() override {}
  void on_sent() override {}
  void on_ended(std::string_view why) override;
  void on_turn_end() override;
  void on_alarm(port::Timer& timer) override;

 private:
  void begin_next();
  void connect();
  void take_answer(std::string_view& input);
  void answered();
  void lose(std::string_view why);
  void disconnect();

  port::Clock& clock_;
  port::Network& network_;
  const port::Endpoint server_;
  const std::shared_ptr<const TlsClientContext> tls_;
  std::unique_ptr<port::Timer> timer_;
  TlsTicket ticket_;
  std::unique_ptr<SecureStream> stream_;
  std::unique_ptr<SecureStream> old_;  // given up; freed at the end of the turn
  std::deque<Pending> waiting_;        // the first one is in progress if busy_
  ResponseParser parser_;
  bool open_ = false;
  bool busy_ = false;
  bool reused_ = false;  // an answer came over this connection already
};

void Client::State::send(const Request& request, ClientEvents& events) {
  const bool head_only = request.method == "HEAD";
  waiting_.push_back(
      {write_request(request, server_), &events, head_only, head_only || request.method == "GET"});
  clock_.at_turn_end(*this);
}

void Client::State::close() {
  waiting_.clear();
  disconnect();
}

void Client::State::disconnect() {
  timer_->disarm();
  open_ = busy_ = reused_ = false;
  if (stream_ == nullptr) return;
  old_ = std::move(stream_);
  clock_.at_turn_end(*this);
}

void Client::State::on_turn_end() {
  old_.reset();
  begin_next();
}

void Client::State::begin_next() {
  while (!busy_ && !waiting_.empty() && waiting_.front().bytes.empty()) {
    ClientEvents& events = *waiting_.front().events;
    waiting_.pop_front();
    events.on_failed("malformed request");
  }
  if (busy_ || waiting_.empty() || old_ != nullptr) return;
  if (stream_ == nullptr) return connect();
  if (!open_) return;
  busy_ = true;
  parser_.restart(waiting_.front().head_only);
  stream_->write(waiting_.front().bytes);
  timer_->arm(clock_.now() + kAnswerTimeout);
}

void Client::State::connect() {
  auto session = std::make_unique<TlsSession>(tls_, clock_.trusted(), ticket_);
  stream_ = std::make_unique<SecureStream>(clock_, std::move(session), *this);
  stream_->connect(network_, server_);
  timer_->arm(clock_.now() + kConnectTimeout);
}

void Client::State::on_open() {
  if (stream_ == nullptr) return;
  open_ = true;
  begin_next();
}

void Client::State::on_plain(std::string_view bytes) {
  while (stream_ != nullptr && !bytes.empty()) {
    if (!busy_) return disconnect();  // nobody asked: 408 or noise
    take_answer(bytes);
  }
}

// At most one step that tells the listener: it may close or send from inside.
void Client::State::take_answer(std::string_view& input) {
  std::string_view data;
  ClientEvents& events = *waiting_.front().events;
  for (;;) {
    switch (parser_.next(input, data)) {
      case ResponseParser::Step::kMore:
        return;
      case ResponseParser::Step::kHead:
        timer_->disarm();
        events.on_head(parser_.status(), parser_.headers());
        break;
      case ResponseParser::Step::kData:
        events.on_body(data);
        break;
      case ResponseParser::Step::kEnd:
        return answered();
      case ResponseParser::Step::kBad:
        return lose("malformed answer");
    }
    if (!busy_) return;  // closed from inside
  }
}

void Client::State::answered() {
  if (!reused_) stream_->tls().save(ticket_);
  ClientEvents& events = *waiting_.front().events;
  waiting_.pop_front();
  busy_ = false;
  reused_ = true;
  if (parser_.keeps_alive()) {
    timer_->arm(clock_.now() + kIdleTimeout);
  } else {
    disconnect();
  }
  clock_.at_turn_end(*this);
  events.on_end();
}

void Client::State::on_ended(std::string_view why) {
  if (stream_ == nullptr) return;
  if (busy_ && parser_.end_of_input() == ResponseParser::Step::kEnd) return answered();
  lose(why);
}

// The connection is of no more use. A request that cannot have been seen goes out again over a new
// one.
void Client::State::lose(std::string_view why) {
  const std::string reason(why);
  const bool stale = busy_ && reused_ && !parser_.started() && waiting_.front().repeatable;
  const bool was_open = open_;
  const bool was_busy = busy_;
  disconnect();
  if (stale || (was_open && !was_busy)) return;
  // No connection at all: nobody who waits will get further.
  std::deque<Pending> failed;
  if (was_open) {
    failed.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  } else {
    failed.swap(waiting_);
  }
  for (const Pending& each : failed)
    each.events->on_failed(reason);
}

void Client::State::on_alarm(port::Timer&) {
  if (stream_ == nullptr) return;
  if (open_ && !busy_) return disconnect();
  lose(open_ ? "no answer in time" : "no connection in time");
}

Client::Client(port::Clock& clock,
               port::Network& network,
               port::Endpoint server,
               std::shared_ptr<const TlsClientContext> tls)
    : state_(std::make_unique<State>(clock, network, std::move(server), std::move(tls))) {}
Client::~Client() = default;
void Client::send(const Request& request, ClientEvents& events) {
  state_->send(request, events);
}
void Client::pause(bool paused) {
  state_->pause(paused);
}
void Client::close() {
  state_->close();
}

}  // namespace coracle::http
