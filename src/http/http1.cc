// SPDX-License-Identifier: GPL-2.0-or-later
// HTTP/1.1 on one connection: a request, its answer, the next request.
#include <array>
#include <cstdio>

#include "base/bytes.h"
#include "http/connection.h"
#include "http/request_parser.h"
#include "http/syntax.h"

namespace coracle::http {
namespace {

constexpr size_t kPipelinedBytesMax = 16 * 1024;  // then reading pauses until the answer is out

class Http1 final : public Protocol, public Response, private BodyBudget::Listener {
 public:
  explicit Http1(Connection& connection)
      : connection_(connection),
        share_(connection.bodies(), *this) {
    connection.expire_after(limits::kHeaderReadTimeout);
  }

  void receive(std::string_view plain) override;
  void turn() override;
  void sent() override;
  void gone() override;
  void stop() override;
  void timed_out() override;

  void start(int status, std::span<const Header> headers) override;
  void write(std::string_view bytes) override;
  void finish() override;
  size_t backlog() const override { return connection_.stream().unsent(); }
  void vouch() override { connection_.vouch(); }
  bool upgrade(std::span<const Header> headers, Upgraded& to) override;
  void pause(bool paused) override { connection_.stream().pause(paused); }

 private:
  enum class Delimiter : uint8_t { kLength, kChunks, kClose, kNoBody };
  enum class Awaited : uint8_t { kNothing, kRequest, kHead, kBody };

  void process(std::string_view& input);
  void dispatch();
  void on_room() override;
  bool is_busy() const { return answering_ || held_; }
  void refuse(int status, std::string_view why);
  void set_deadline();
  std::string head(int status, std::span<const Header> headers);

  Connection& connection_;
  RequestParser parser_;
  Upgraded* upgraded_ = nullptr;
  BodyBudget::Share share_;
  std::string pipelined_;
  Delimiter delimiter_ = Delimiter::kLength;
  Awaited awaited_ = Awaited::kHead;  // what the deadline is for
  size_t length_left_ = 0;
  bool answering_ = false;
  bool held_ = false;  // the request is whole and waits for room
  bool started_ = false;
  bool head_only_ = false;
  bool keeps_alive_ = true;
  bool stopping_ = false;
  bool above_ = false;  // backlog() was above the bound
  bool processing_ = false;
};

void Http1::receive(std::string_view plain) {
  if (connection_.stream().finishing()) return;
  if (upgraded_ != nullptr && pipelined_.empty()) return upgraded_->on_bytes(plain);
  if (!is_busy() && pipelined_.empty()) process(plain);
  if (connection_.stream().finishing()) return;
  pipelined_.append(plain);
  if (pipelined_.size() > kPipelinedBytesMax) connection_.stream().pause(true);
}

// Requests one after another, as long as they are answered at once.
void Http1::process(std::string_view& input) {
  processing_ = true;
  while (!is_busy() && !input.empty() && !connection_.stream().finishing()) {
    const RequestParser::Phase phase = parser_.feed(input);
    if (phase == RequestParser::Phase::kRefused) {
      refuse(parser_.refusal().status, parser_.refusal().why);
    } else if (!share_.grow_to(parser_.request().body.size())) {
      refuse(429, "too many large requests");
    } else if (phase == RequestParser::Phase::kDone) {
      held_ = !share_.begin_work();
      if (held_) {
        connection_.expire_never();
      } else {
        dispatch();
      }
    } else if (phase == RequestParser::Phase::kBody && parser_.take_continue()) {
      connection_.stream().write("HTTP/1.1 100 Continue\r\n\r\n");
    }
  }
  processing_ = false;
  if (!is_busy() && !connection_.stream().finishing()) set_deadline();
}

// Each part of a request has one deadline: bytes that drip in do not move it.
void Http1::set_deadline() {
  Awaited next = parser_.started() ? Awaited::kHead : Awaited::kRequest;
  if (parser_.phase() == RequestParser::Phase::kBody) next = Awaited::kBody;
  if (std::exchange(awaited_, next) == next) return;
  if (next == Awaited::kBody) return connection_.expire_after(limits::kRequestTimeout);
  connection_.expire_after(next == Awaited::kHead ? limits::kHeaderReadTimeout
                                                  : limits::kIdleTimeout);
}

void Http1::dispatch() {
  Request request = std::move(parser_.request());
  request.peer = connection_.peer();
  request.peer_address = connection_.peer_address();
  keeps_alive_ = parser_.keeps_alive() && !stopping_;
  head_only_ = request.method == "HEAD";
  delimiter_ = parser_.is_http10() ? Delimiter::kClose : Delimiter::kChunks;
  parser_.restart();
  answering_ = true;
  started_ = false;
  awaited_ = Awaited::kNothing;
  connection_.expire_never();
  connection_.site().on_request(std::move(request), *this);
}

void Http1::on_room() {
  held_ = false;
  dispatch();
}

void Http1::turn() {
  if (upgraded_ != nullptr && !pipelined_.empty()) {
    const std::string early = std::exchange(pipelined_, {});
    return upgraded_->on_bytes(early);
  }
  if (is_busy() || pipelined_.empty()) return;
  std::string input = std::exchange(pipelined_, {});
  std::string_view rest = input;
  process(rest);
  if (connection_.stream().finishing()) return;
  pipelined_.assign(rest);
  if (pipelined_.size() <= kPipelinedBytesMax) connection_.stream().pause(false);
}

void Http1::sent() {
  if (!std::exchange(above_, false) || !answering_) return;
  connection_.site().on_drained(*this);
}

void Http1::gone() {
  held_ = false;
  share_.give_back();
  upgraded_ = nullptr;
  if (std::exchange(answering_, false)) connection_.site().on_gone(*this);
}

void Http1::stop() {
  stopping_ = true;
  keeps_alive_ = false;
  if (!is_busy() && !parser_.started()) connection_.finish();
}

void Http1::timed_out() {
  if (!parser_.started()) return connection_.finish();  // idle
  refuse(408, "the request took too long");
}

// Framing is lost or not worth keeping: answer and close.
void Http1::refuse(int status, std::string_view why) {
  delimiter_ = Delimiter::kLength;
  head_only_ = keeps_alive_ = false;
  answering_ = true;
  answer_refusal(connection_.site(), status, why);
}

std::string Http1::head(int status, std::span<const Header> headers) {
  std::string out = join({"HTTP/1.1 ", std::to_string(status), " ", status_phrase(status), "\r\n"});
  bool has_length = false;
  for (const Header& each : headers) {
    out.append(each.name).append(": ").append(each.value).append("\r\n");
    if (each.name != "content-length") continue;
    has_length = true;
    length_left_ = static_cast<size_t>(parse_unsigned(each.value).value_or(0));
  }
  if (!has_body(status)) {
    delimiter_ = Delimiter::kNoBody;
  } else if (has_length) {
    delimiter_ = Delimiter::kLength;
  } else if (delimiter_ == Delimiter::kChunks) {
    out += "transfer-encoding: chunked\r\n";
  } else {
    delimiter_ = Delimiter::kClose;  // HTTP/1.0
    keeps_alive_ = false;
  }
  out.append("date: ").append(http_date(connection_.clock().wall()));
  out += "\r\nx-content-type-options: nosniff\r\n";
  if (!keeps_alive_) out += "connection: close\r\n";
  return out += "\r\n";
}

void Http1::start(int status, std::span<const Header> headers) {
  ASSERT(answering_ && !started_);
  started_ = true;
  connection_.stream().write(head(status, headers));
}

bool Http1::upgrade(std::span<const Header> headers, Upgraded& to) {
  ASSERT(answering_ && !started_);
  if (delimiter_ == Delimiter::kClose) return false;  // HTTP/1.0
  std::string out = "HTTP/1.1 101 Switching Protocols\r\n";
  for (const Header& each : headers)
    out.append(each.name).append(": ").append(each.value).append("\r\n");
  connection_.stream().write(out += "\r\n");
  started_ = true;
  keeps_alive_ = head_only_ = false;
  delimiter_ = Delimiter::kClose;
  upgraded_ = &to;
  if (!pipelined_.empty()) connection_.stream().wake();
  return true;
}

void Http1::write(std::string_view bytes) {
  ASSERT(started_);
  if (head_only_ || delimiter_ == Delimiter::kNoBody || bytes.empty()) return;
  SecureStream& stream = connection_.stream();
  if (delimiter_ == Delimiter::kLength) {
    ASSERT(bytes.size() <= length_left_);
    length_left_ -= bytes.size();
    stream.write(bytes);
  } else if (delimiter_ == Delimiter::kClose) {
    stream.write(bytes);
  } else {
    char size[24];
    const int digits = std::snprintf(size, sizeof size, "%zx\r\n", bytes.size());
    stream.write({size, static_cast<size_t>(digits)});
    stream.write(bytes);
    stream.write("\r\n");
  }
  above_ = above_ || backlog() >= kDrainBytes;
}

void Http1::finish() {
  ASSERT(started_);
  const bool cut_short = delimiter_ == Delimiter::kLength && length_left_ > 0 && !head_only_;
  if (delimiter_ == Delimiter::kChunks && !head_only_) connection_.stream().write("0\r\n\r\n");
  length_left_ = 0;
  upgraded_ = nullptr;
  answering_ = started_ = above_ = false;
  share_.give_back();
  if (!keeps_alive_ || cut_short) return connection_.finish();
  if (processing_) return;  // process() goes on with the next request
  set_deadline();
  if (!pipelined_.empty()) connection_.stream().wake();
}

}  // namespace

void Response::answer(int status,
                      std::string_view content_type,
                      std::string_view body,
                      std::span<const Header> more) {
  std::vector<Header> headers = {{"content-type", std::string(content_type)},
                                 {"content-length", std::to_string(body.size())}};
  headers.insert(headers.end(), more.begin(), more.end());
  start(status, headers);
  write(body);
  finish();
}

void Response::answer_refusal(Site& site, int status, std::string_view why) {
  std::string body = site.refusal(status, why);
  const std::string_view type =
      body.empty() ? "text/plain; charset=utf-8" : std::string_view("application/json");
  if (body.empty())
    body = join({std::to_string(status), " ", status_phrase(status), ": ", why, "\n"});
  const Header retry[] = {{"retry-after", "1"}};
  answer(status, type, body, {retry, status == 429 ? size_t{1} : size_t{0}});
}

std::unique_ptr<Protocol> speak_http1(Connection& connection) {
  return std::make_unique<Http1>(connection);
}

}  // namespace coracle::http
