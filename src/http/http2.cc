// SPDX-License-Identifier: GPL-2.0-or-later
// HTTP/2 on one connection (RFC 9113) by nghttp2, which sees only memory: frames in through
// receive(), frames out in turn().
#include <algorithm>

#include <nghttp2/nghttp2.h>

#include "base/bytes.h"
#include "base/owned.h"
#include "http/connection.h"
#include "http/exchange.h"
#include "http/syntax.h"

namespace coracle::http {
namespace {

constexpr uint32_t kStreamWindowBytes = 256 * 1024;
constexpr int32_t kConnectionWindowBytes = 1024 * 1024;

// CVE-2023-44487: streams that the client opens and resets cost the server more than the client.
constexpr int64_t kResetsBurst = 500;
constexpr int64_t kResetsPerSecond = 50;

using Session = Owned<nghttp2_session, nghttp2_session_del>;
using Callbacks = Owned<nghttp2_session_callbacks, nghttp2_session_callbacks_del>;
using Options = Owned<nghttp2_option, nghttp2_option_del>;

class Http2 final : public Protocol {
 public:
  explicit Http2(Connection& connection);

  void receive(std::string_view plain) override;
  void turn() override;
  void sent() override { turn(); }
  void gone() override;
  void stop() override;
  void timed_out() override;

 private:
  static Http2& of(void* self) { return *static_cast<Http2*>(self); }
  static Callbacks callbacks();
  static int on_begin_headers(nghttp2_session*, const nghttp2_frame* frame, void* self);
  static int on_header(nghttp2_session*,
                       const nghttp2_frame* frame,
                       const uint8_t* name,
                       size_t name_bytes,
                       const uint8_t* value,
                       size_t value_bytes,
                       uint8_t,
                       void* self);
  static int on_invalid_header(
      nghttp2_session*, const nghttp2_frame*, nghttp2_rcbuf*, nghttp2_rcbuf*, uint8_t, void*);
  static int on_data(
      nghttp2_session*, uint8_t, int32_t id, const uint8_t* data, size_t bytes, void* self);
  static int on_frame(nghttp2_session*, const nghttp2_frame* frame, void* self);
  static int on_frame_sent(nghttp2_session* session, const nghttp2_frame* frame, void* self);
  static int on_stream_close(nghttp2_session*, int32_t id, uint32_t, void* self);
  static int send_data(nghttp2_session*,
                       nghttp2_frame*,
                       const uint8_t* head,
                       size_t bytes,
                       nghttp2_data_source* source,
                       void* self);

  Exchange* find(int32_t id) {
    return static_cast<Exchange*>(nghttp2_session_get_stream_user_data(session_.get(), id));
  }
  bool may_reset_again();
  void tell_drained();
  void set_deadline();
  void go_away(uint32_t error);

  Connection& connection_;
  Session session_;
  std::vector<std::unique_ptr<Exchange>> exchanges_;
  int64_t resets_left_ = kResetsBurst;
  Mono resets_since_;
};

Callbacks Http2::callbacks() {
  nghttp2_session_callbacks* made = nullptr;
  ASSERT(nghttp2_session_callbacks_new(&made) == 0);
  nghttp2_session_callbacks_set_on_begin_headers_callback(made, on_begin_headers);
  nghttp2_session_callbacks_set_on_header_callback(made, on_header);
  nghttp2_session_callbacks_set_on_invalid_header_callback2(made, on_invalid_header);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(made, on_data);
  nghttp2_session_callbacks_set_on_frame_recv_callback(made, on_frame);
  nghttp2_session_callbacks_set_on_frame_send_callback(made, on_frame_sent);
  nghttp2_session_callbacks_set_on_stream_close_callback(made, on_stream_close);
  nghttp2_session_callbacks_set_send_data_callback(made, send_data);
  return Callbacks(made);
}

Http2::Http2(Connection& connection)
    : connection_(connection),
      resets_since_(connection.clock().now()) {
  nghttp2_option* option = nullptr;
  ASSERT(nghttp2_option_new(&option) == 0);
  const Options options(option);
  nghttp2_option_set_no_closed_streams(option, 1);
  nghttp2_session* session = nullptr;
  ASSERT(nghttp2_session_server_new2(&session, callbacks().get(), this, option) == 0);
  session_.reset(session);
  const nghttp2_settings_entry settings[] = {
      {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, limits::kStreamsPerConnectionMax},
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, kStreamWindowBytes},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, limits::kHeaderBytesMax},
  };
  ASSERT(nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, settings, std::size(settings)) == 0);
  ASSERT(nghttp2_session_set_local_window_size(session, NGHTTP2_FLAG_NONE, 0,
                                               kConnectionWindowBytes) == 0);
  connection.stream().wake();
  set_deadline();
}

void Http2::receive(std::string_view plain) {
  const auto* bytes = reinterpret_cast<const uint8_t*>(plain.data());
  if (nghttp2_session_mem_recv(session_.get(), bytes, plain.size()) < 0) {
    go_away(NGHTTP2_PROTOCOL_ERROR);
  }
  connection_.stream().wake();
}

void Http2::turn() {
  while (connection_.stream().unsent() < limits::kSendBufferBytesMax) {
    const uint8_t* bytes = nullptr;
    const ssize_t count = nghttp2_session_mem_send(session_.get(), &bytes);
    if (count < 0) return connection_.finish();
    if (count == 0) break;
    connection_.stream().write({reinterpret_cast<const char*>(bytes), static_cast<size_t>(count)});
  }
  tell_drained();
  const bool over = nghttp2_session_want_read(session_.get()) == 0 &&
                    nghttp2_session_want_write(session_.get()) == 0;
  if (over) return connection_.finish();
  set_deadline();
}

void Http2::tell_drained() {
  for (size_t i = 0; i < exchanges_.size(); i++)
    exchanges_[i]->tell_drained();
}

void Http2::gone() {
  for (const auto& each : std::exchange(exchanges_, {}))
    each->tell_gone();
}

void Http2::stop() {
  go_away(NGHTTP2_NO_ERROR);
}

// What was begun may finish; the client repeats the rest elsewhere.
void Http2::go_away(uint32_t error) {
  const int32_t last = nghttp2_session_get_last_proc_stream_id(session_.get());
  if (error == NGHTTP2_NO_ERROR) {
    nghttp2_submit_goaway(session_.get(), NGHTTP2_FLAG_NONE, last, error, nullptr, 0);
  } else {
    nghttp2_session_terminate_session2(session_.get(), last, error);
  }
  connection_.stream().wake();
}

void Http2::timed_out() {
  const Mono too_old = connection_.clock().now() + limits::kRequestTimeout * -1;
  for (const auto& each : exchanges_) {
    if (!each->is_receiving() || each->began() > too_old) continue;
    nghttp2_submit_rst_stream(session_.get(), NGHTTP2_FLAG_NONE, each->id(), NGHTTP2_CANCEL);
  }
  if (exchanges_.empty()) go_away(NGHTTP2_NO_ERROR);
  connection_.stream().wake();
}

void Http2::set_deadline() {
  if (exchanges_.empty()) return connection_.expire_after(limits::kIdleTimeout);
  // Streams are in order of their beginning.
  for (const auto& each : exchanges_) {
    if (!each->is_receiving()) continue;
    return connection_.expire_after(each->began() + limits::kRequestTimeout -
                                    connection_.clock().now());
  }
  connection_.expire_never();
}

int Http2::on_begin_headers(nghttp2_session* session, const nghttp2_frame* frame, void* self) {
  if (frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0;
  Http2& http2 = of(self);
  http2.exchanges_.push_back(
      std::make_unique<Exchange>(http2.connection_, session, frame->hd.stream_id));
  nghttp2_session_set_stream_user_data(session, frame->hd.stream_id, http2.exchanges_.back().get());
  return 0;
}

// NOLINTNEXTLINE(readability-function-size): the library says what is passed.
int Http2::on_header(nghttp2_session*,
                     const nghttp2_frame* frame,
                     const uint8_t* name,
                     size_t name_bytes,
                     const uint8_t* value,
                     size_t value_bytes,
                     uint8_t,
                     void* self) {
  Exchange* exchange = of(self).find(frame->hd.stream_id);
  if (exchange == nullptr || frame->headers.cat != NGHTTP2_HCAT_REQUEST)
    return 0;  // trailers are dropped
  exchange->add_header({reinterpret_cast<const char*>(name), name_bytes},
                       {reinterpret_cast<const char*>(value), value_bytes});
  return 0;
}

// Left alone, nghttp2 would drop the field and go on.
int Http2::on_invalid_header(
    nghttp2_session*, const nghttp2_frame*, nghttp2_rcbuf*, nghttp2_rcbuf*, uint8_t, void*) {
  return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

int Http2::on_data(
    nghttp2_session*, uint8_t, int32_t id, const uint8_t* data, size_t bytes, void* self) {
  if (Exchange* exchange = of(self).find(id)) {
    exchange->add_body({reinterpret_cast<const char*>(data), bytes});
  }
  return 0;
}

int Http2::on_frame(nghttp2_session*, const nghttp2_frame* frame, void* self) {
  Http2& http2 = of(self);
  if (frame->hd.type == NGHTTP2_RST_STREAM && !http2.may_reset_again()) {
    http2.go_away(NGHTTP2_ENHANCE_YOUR_CALM);
    return 0;
  }
  if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA) return 0;
  Exchange* exchange = http2.find(frame->hd.stream_id);
  if (exchange == nullptr) return 0;
  const bool is_head =
      frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST;
  const bool ends = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
  if (is_head) exchange->end_head(ends);
  if (ends) exchange->end_body();
  return 0;
}

int Http2::on_frame_sent(nghttp2_session* session, const nghttp2_frame* frame, void* self) {
  if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0) return 0;
  const Exchange* exchange = of(self).find(frame->hd.stream_id);
  // Answered before the body was read: tell the client to spare it (RFC 9113 8.1).
  if (exchange != nullptr && exchange->is_receiving()) {
    nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id, NGHTTP2_NO_ERROR);
  }
  return 0;
}

int Http2::on_stream_close(nghttp2_session*, int32_t id, uint32_t, void* self) {
  auto& all = of(self).exchanges_;
  const auto found =
      std::find_if(all.begin(), all.end(), [id](const auto& each) { return each->id() == id; });
  if (found == all.end()) return 0;
  const std::unique_ptr<Exchange> closed = std::move(*found);
  all.erase(found);
  closed->tell_gone();
  return 0;
}

int Http2::send_data(nghttp2_session*,
                     nghttp2_frame*,
                     const uint8_t* head,
                     size_t bytes,
                     nghttp2_data_source* source,
                     void* self) {
  constexpr size_t kFrameHeadBytes = 9;
  SecureStream& stream = of(self).connection_.stream();
  if (stream.unsent() >= limits::kSendBufferBytesMax) return NGHTTP2_ERR_WOULDBLOCK;
  stream.write({reinterpret_cast<const char*>(head), kFrameHeadBytes});
  static_cast<Exchange*>(source->ptr)->move_body_to(stream, bytes);
  return 0;
}

bool Http2::may_reset_again() {
  const Mono now = connection_.clock().now();
  const int64_t refill = (now - resets_since_).seconds() * kResetsPerSecond;
  if (refill > 0) {
    resets_left_ = std::min(kResetsBurst, resets_left_ + refill);
    resets_since_ = now;
  }
  return resets_left_-- > 0;
}

}  // namespace

std::unique_ptr<Protocol> speak_http2(Connection& connection) {
  return std::make_unique<Http2>(connection);
}

}  // namespace coracle::http
