// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/bench/watch_bundle.h"

#include <vector>

#include "base/bytes.h"

namespace coracle::bench {

namespace {

nghttp2_nv field(std::string_view name, std::string_view value) {
  const auto bytes = [](std::string_view text) {
    return const_cast<uint8_t*>(reinterpret_cast<const uint8_t*>(text.data()));
  };
  return {bytes(name), bytes(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
}

}  // namespace

WatchBundle::WatchBundle(port_linux::Machine& machine, const Target& target, WatchLines& lines)
    : machine_(machine),
      server_(target.server),
      lines_(lines),
      stream_(machine.clock(),
              std::make_unique<http::TlsSession>(
                  target.tls_http2, machine.clock().wall(), http::TlsTicket()),
              *this) {
  nghttp2_session_callbacks* callbacks = nullptr;
  nghttp2_session_callbacks_new(&callbacks);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
  nghttp2_session* session = nullptr;
  nghttp2_session_client_new(&session, callbacks, this);
  nghttp2_session_callbacks_del(callbacks);
  session_.reset(session);
  nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, nullptr, 0);
}

void WatchBundle::open(std::string path, size_t watches) {
  path_ = std::move(path);
  watches_ = watches;
  stream_.connect(machine_.network(), server_);
}

void WatchBundle::on_open() {
  if (!stream_.tls().chose_http2()) return lines_.on_lost("the server does not speak HTTP/2");
  for (size_t i = 0; i < watches_; i++)
    submit();
  stream_.wake();
}

void WatchBundle::submit() {
  const std::string authority = join({server_.host, ":", std::to_string(server_.port)});
  const nghttp2_nv fields[] = {field(":method", "GET"), field(":scheme", "https"),
                               field(":authority", authority), field(":path", path_),
                               field("accept", "application/json")};
  nghttp2_submit_request(session_.get(), nullptr, fields, std::size(fields), nullptr, nullptr);
}

void WatchBundle::on_plain(std::string_view bytes) {
  const auto* data = reinterpret_cast<const uint8_t*>(bytes.data());
  if (nghttp2_session_mem_recv(session_.get(), data, bytes.size()) < 0)
    return lines_.on_lost("malformed HTTP/2");
  stream_.wake();
}

void WatchBundle::on_turn() {
  const uint8_t* bytes = nullptr;
  for (;;) {
    const ssize_t count = nghttp2_session_mem_send(session_.get(), &bytes);
    if (count <= 0) return;
    stream_.write({reinterpret_cast<const char*>(bytes), static_cast<size_t>(count)});
  }
}

void WatchBundle::on_ended(std::string_view why) {
  lines_.on_lost(why);
}

int WatchBundle::on_header(nghttp2_session*,
                           const nghttp2_frame*,
                           const uint8_t* name,
                           size_t name_bytes,
                           const uint8_t* value,
                           size_t value_bytes,
                           uint8_t,
                           void* self) noexcept {
  const std::string_view key(reinterpret_cast<const char*>(name), name_bytes);
  const std::string_view text(reinterpret_cast<const char*>(value), value_bytes);
  if (key == ":status" && text != "200")
    static_cast<WatchBundle*>(self)->lines_.on_lost(join({"a watch was refused: ", text}));
  return 0;
}

int WatchBundle::on_data(nghttp2_session*,
                         uint8_t,
                         int32_t stream,
                         const uint8_t* bytes,
                         size_t count,
                         void* self) noexcept {
  auto& bundle = *static_cast<WatchBundle*>(self);
  std::string_view rest(reinterpret_cast<const char*>(bytes), count);
  std::string& line = bundle.line_of_[stream];
  for (;;) {
    const size_t end = rest.find('\n');
    line.append(rest.substr(0, end));
    if (end == std::string_view::npos) return 0;
    bundle.lines_.on_line(line);
    line.clear();
    rest.remove_prefix(end + 1);
  }
}

int WatchBundle::on_close(nghttp2_session*, int32_t, uint32_t, void* self) noexcept {
  static_cast<WatchBundle*>(self)->lines_.on_lost("a watch ended");
  return 0;
}

}  // namespace coracle::bench
