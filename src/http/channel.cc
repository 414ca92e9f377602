// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/channel.h"

#include <algorithm>

#include <nghttp2/nghttp2.h>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/owned.h"
#include "http/secure_stream.h"

namespace coracle::http {
namespace {

constexpr Duration kOpenTimeout = seconds(4);  // TCP and TLS; a small board computes for a while
constexpr Duration kQuietMax = seconds(8);     // then the server is asked for a sign of life
constexpr Duration kQuietAsking = seconds(1);  // likewise while an answer is awaited
constexpr Duration kEchoTimeout = seconds(2);
constexpr int32_t kConnectionWindowBytes = 1024 * 1024;

using Session = Owned<nghttp2_session, nghttp2_session_del>;
using Callbacks = Owned<nghttp2_session_callbacks, nghttp2_session_callbacks_del>;

struct Asked {
  int32_t id = 0;
  ClientEvents* events = nullptr;  // null: forgotten
  std::string body;
  size_t sent = 0;
  int status = 0;
  std::vector<Header> headers;
  bool answered = false;  // its head has come
  bool complete = false;
};

nghttp2_nv field(std::string_view name, std::string_view value) {
  auto* n = reinterpret_cast<uint8_t*>(const_cast<char*>(name.data()));
  auto* v = reinterpret_cast<uint8_t*>(const_cast<char*>(value.data()));
  return {n, v, name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
}

std::string_view text(const uint8_t* bytes, size_t count) {
  return {reinterpret_cast<const char*>(bytes), count};
}

// NOLINTNEXTLINE(readability-function-size): the library says what is passed.
ssize_t read_body(nghttp2_session*,
                  int32_t,
                  uint8_t* out,
                  size_t room,
                  uint32_t* flags,
                  nghttp2_data_source* source,
                  void*) {
  Asked& asked = *static_cast<Asked*>(source->ptr);
  const size_t bytes = asked.body.copy(reinterpret_cast<char*>(out), room, asked.sent);
  asked.sent += bytes;
  if (asked.sent == asked.body.size()) {
    *flags |= NGHTTP2_DATA_FLAG_EOF;
    std::string().swap(asked.body);
    asked.sent = 0;
  }
  return static_cast<ssize_t>(bytes);
}

}  // namespace

class Channel::State final : SecureEvents, port::Alarm {
 public:
  State(port::Clock& clock,
        port::Network& network,
        port::Endpoint server,
        std::shared_ptr<const TlsClientContext> tls,
        ChannelEvents& events);

  void send(Request request, ClientEvents& events);
  void forget(ClientEvents& events);
  bool open() const { return open_ && !over_; }

 private:
  static State& of(void* self) { return *static_cast<State*>(self); }
  static int on_header(nghttp2_session*,
                       const nghttp2_frame* frame,
                       const uint8_t* name,
                       size_t name_bytes,
                       const uint8_t* value,
                       size_t value_bytes,
                       uint8_t,
                       void* self);
  static int on_data(
      nghttp2_session*, uint8_t, int32_t id, const uint8_t* data, size_t bytes, void* self);
  static int on_frame(nghttp2_session*, const nghttp2_frame* frame, void* self);
  static int on_stream_close(nghttp2_session*, int32_t id, uint32_t error, void* self);

  void on_open() override;
  void on_plain(std::string_view bytes) override;
  void on_turn() override;
  void on_sent() override { stream_.wake(); }
  void on_ended(std::string_view why) override { lose(why); }
  void on_alarm(port::Timer& timer) override;

  Asked* find(int32_t id) {
    return static_cast<Asked*>(nghttp2_session_get_stream_user_data(session_.get(), id));
  }
  bool awaits() const;
  void watch_over();
  void lose(std::string_view why);

  port::Clock& clock_;
  const port::Endpoint server_;
  const std::string authority_;
  ChannelEvents& events_;
  std::unique_ptr<port::Timer> timer_;
  SecureStream stream_;
  Session session_;
  std::vector<std::unique_ptr<Asked>> asked_;
  Mono quiet_since_;
  bool echo_awaited_ = false;
  bool open_ = false;
  bool over_ = false;
};

Channel::State::State(port::Clock& clock,
                      port::Network& network,
                      port::Endpoint server,
                      std::shared_ptr<const TlsClientContext> tls,
                      ChannelEvents& events)
    : clock_(clock),
      server_(std::move(server)),
      authority_(join({server_.host, ":", std::to_string(server_.port)})),
      events_(events),
      timer_(clock.timer(*this)),
      stream_(clock,
              std::make_unique<TlsSession>(std::move(tls), clock.trusted(), TlsTicket()),
              *this) {
  stream_.connect(network, server_);
  timer_->arm(clock.now() + kOpenTimeout);
}

void Channel::State::on_open() {
  if (over_) return;
  if (!stream_.tls().chose_http2()) return lose("the server does not speak HTTP/2");
  nghttp2_session_callbacks* made = nullptr;
  ASSERT(nghttp2_session_callbacks_new(&made) == 0);
  const Callbacks callbacks(made);
  nghttp2_session_callbacks_set_on_header_callback(made, on_header);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(made, on_data);
  nghttp2_session_callbacks_set_on_frame_recv_callback(made, on_frame);
  nghttp2_session_callbacks_set_on_stream_close_callback(made, on_stream_close);
  nghttp2_session* session = nullptr;
  ASSERT(nghttp2_session_client_new(&session, made, this) == 0);
  session_.reset(session);
  const nghttp2_settings_entry settings[] = {{NGHTTP2_SETTINGS_ENABLE_PUSH, 0}};
  nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, settings, std::size(settings));
  nghttp2_session_set_local_window_size(session, NGHTTP2_FLAG_NONE, 0, kConnectionWindowBytes);
  open_ = true;
  quiet_since_ = clock_.now();
  stream_.wake();
  watch_over();
  events_.on_channel_open();
}

void Channel::State::send(Request request, ClientEvents& events) {
  if (!open()) return;
  if (!awaits()) quiet_since_ = clock_.now();
  auto asked = std::make_unique<Asked>();
  asked->events = &events;
  asked->body = std::move(request.body);
  std::string path = std::move(request.path);
  if (!request.query.empty()) path += "?" + request.query;
  std::vector<nghttp2_nv> fields = {field(":method", request.method), field(":scheme", "https"),
                                    field(":authority", authority_), field(":path", path)};
  for (const Header& each : request.headers)
    fields.push_back(field(each.name, each.value));
  nghttp2_data_provider body{};
  body.source.ptr = asked.get();
  body.read_callback = read_body;
  asked->id = nghttp2_submit_request(session_.get(), nullptr, fields.data(), fields.size(),
                                     asked->body.empty() ? nullptr : &body, asked.get());
  ASSERT(asked->id > 0);  // ids last for 2^30 requests; a connection does not live as long
  asked_.push_back(std::move(asked));
  stream_.wake();
  watch_over();
}

void Channel::State::forget(ClientEvents& events) {
  for (const auto& each : asked_) {
    if (each->events != &events) continue;
    each->events = nullptr;
    if (open()) {
      nghttp2_submit_rst_stream(session_.get(), NGHTTP2_FLAG_NONE, each->id, NGHTTP2_CANCEL);
      stream_.wake();
    }
  }
}

void Channel::State::on_plain(std::string_view bytes) {
  if (!open()) return;
  quiet_since_ = clock_.now();
  echo_awaited_ = false;
  const auto* at = reinterpret_cast<const uint8_t*>(bytes.data());
  const ssize_t taken = nghttp2_session_mem_recv(session_.get(), at, bytes.size());
  if (taken < 0) return lose(nghttp2_strerror(static_cast<int>(taken)));
  stream_.wake();
}

void Channel::State::on_turn() {
  if (!open()) return;
  while (stream_.unsent() < limits::kSendBufferBytesMax) {
    const uint8_t* bytes = nullptr;
    const ssize_t count = nghttp2_session_mem_send(session_.get(), &bytes);
    if (count < 0) return lose(nghttp2_strerror(static_cast<int>(count)));
    if (count == 0) break;
    stream_.write(text(bytes, static_cast<size_t>(count)));
  }
  const bool wanted = nghttp2_session_want_read(session_.get()) != 0 ||
                      nghttp2_session_want_write(session_.get()) != 0;
  if (!wanted) lose("the server said goodbye");
}

// NOLINTNEXTLINE(readability-function-size): the library says what is passed.
int Channel::State::on_header(nghttp2_session*,
                              const nghttp2_frame* frame,
                              const uint8_t* name,
                              size_t name_bytes,
                              const uint8_t* value,
                              size_t value_bytes,
                              uint8_t,
                              void* self) {
  Asked* asked = of(self).find(frame->hd.stream_id);
  if (asked == nullptr || asked->answered) return 0;  // trailers
  const std::string_view key = text(name, name_bytes);
  const std::string_view content = text(value, value_bytes);
  if (key == ":status")
    asked->status = static_cast<int>(parse_unsigned(content).value_or(0));
  else
    asked->headers.push_back({std::string(key), std::string(content)});
  return 0;
}

int Channel::State::on_data(
    nghttp2_session*, uint8_t, int32_t id, const uint8_t* data, size_t bytes, void* self) {
  Asked* asked = of(self).find(id);
  if (asked != nullptr && asked->events != nullptr) asked->events->on_body(text(data, bytes));
  return 0;
}

int Channel::State::on_frame(nghttp2_session*, const nghttp2_frame* frame, void* self) {
  if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA) return 0;
  Asked* asked = of(self).find(frame->hd.stream_id);
  if (asked == nullptr) return 0;
  if (frame->hd.type == NGHTTP2_HEADERS && !asked->answered && asked->status >= 200) {
    asked->answered = true;
    const std::vector<Header> headers = std::move(asked->headers);
    if (asked->events != nullptr) asked->events->on_head(asked->status, headers);
  }
  if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) asked->complete = true;
  return 0;
}

int Channel::State::on_stream_close(nghttp2_session*, int32_t id, uint32_t error, void* self) {
  State& state = of(self);
  auto& all = state.asked_;
  const auto found =
      std::find_if(all.begin(), all.end(), [id](const auto& each) { return each->id == id; });
  if (found == all.end()) return 0;
  const std::unique_ptr<Asked> closed = std::move(*found);
  all.erase(found);
  if (closed->events == nullptr) return 0;
  // A server that answers before it read the whole body resets without an error (RFC 9113 8.1).
  if (closed->complete && closed->answered) {
    closed->events->on_end();
  } else {
    closed->events->on_failed(error == NGHTTP2_REFUSED_STREAM ? "refused by the server"
                                                              : "the answer was cut off");
  }
  return 0;
}

bool Channel::State::awaits() const {
  return std::any_of(asked_.begin(), asked_.end(),
                     [](const auto& each) { return !each->answered && each->events != nullptr; });
}

void Channel::State::watch_over() {
  if (echo_awaited_) return;
  const Mono at = quiet_since_ + (awaits() ? kQuietAsking : kQuietMax);
  timer_->arm(std::max(at, clock_.now() + milliseconds(1)));
}

void Channel::State::on_alarm(port::Timer&) {
  if (over_) return;
  if (!open_) return lose("no connection in time");
  if (echo_awaited_) return lose("no sign of life from the server");
  const Duration quiet = clock_.now() - quiet_since_;
  if (quiet < (awaits() ? kQuietAsking : kQuietMax)) return watch_over();
  nghttp2_submit_ping(session_.get(), NGHTTP2_FLAG_NONE, nullptr);
  stream_.wake();
  echo_awaited_ = true;
  timer_->arm(clock_.now() + kEchoTimeout);
}

void Channel::State::lose(std::string_view why) {
  if (over_) return;
  over_ = true;
  timer_->disarm();
  const std::string reason(why);
  while (!asked_.empty()) {  // one by one: who is told may forget another
    const std::unique_ptr<Asked> failed = std::move(asked_.back());
    asked_.pop_back();
    if (failed->events != nullptr) failed->events->on_failed(reason);
  }
  stream_.finish();
  events_.on_channel_closed(reason);
}

Channel::Channel(port::Clock& clock,
                 port::Network& network,
                 port::Endpoint server,
                 std::shared_ptr<const TlsClientContext> tls,
                 ChannelEvents& events)
    : state_(std::make_unique<State>(clock, network, std::move(server), std::move(tls), events)) {}
Channel::~Channel() = default;
void Channel::send(Request request, ClientEvents& events) {
  if (!mark_.name.empty()) request.headers.push_back(mark_);
  state_->send(std::move(request), events);
}
void Channel::forget(ClientEvents& events) {
  state_->forget(events);
}
bool Channel::open() const {
  return state_->open();
}

}  // namespace coracle::http
