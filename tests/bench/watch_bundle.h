// SPDX-License-Identifier: GPL-2.0-or-later
// Watches of one path over one HTTP/2 connection, as client-go multiplexes them.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>

#include <nghttp2/nghttp2.h>

#include "base/owned.h"
#include "http/secure_stream.h"
#include "tests/bench/target.h"

namespace coracle::bench {

inline constexpr size_t kWatchesPerBundle = 100;  // what servers allow (http2 default of Go too)

class WatchLines {
 public:
  virtual void on_line(std::string_view line) = 0;  // one event of one watch
  virtual void on_lost(std::string_view why) = 0;   // a watch was refused or ended

 protected:
  ~WatchLines() = default;
};

class WatchBundle final : http::SecureEvents {
 public:
  // `path` with its query. `watches` <= kWatchesPerBundle.
  WatchBundle(port_linux::Machine& machine, const Target& target, WatchLines& lines);
  void open(std::string path, size_t watches);

 private:
  void on_open() override;
  void on_plain(std::string_view bytes) override;
  void on_turn() override;
  void on_sent() override {}
  void on_ended(std::string_view why) override;
  void submit();
  static int on_header(nghttp2_session* session,
                       const nghttp2_frame* frame,
                       const uint8_t* name,
                       size_t name_bytes,
                       const uint8_t* value,
                       size_t value_bytes,
                       uint8_t flags,
                       void* self) noexcept;
  static int on_data(nghttp2_session* session,
                     uint8_t flags,
                     int32_t stream,
                     const uint8_t* bytes,
                     size_t count,
                     void* self) noexcept;
  static int on_close(nghttp2_session* session,
                      int32_t stream,
                      uint32_t error,
                      void* self) noexcept;

  port_linux::Machine& machine_;
  const port::Endpoint server_;
  WatchLines& lines_;
  std::string path_;
  size_t watches_ = 0;
  Owned<nghttp2_session, nghttp2_session_del> session_;
  std::unordered_map<int32_t, std::string> line_of_;  // what came of its next line, by stream
  http::SecureStream stream_;
};

}  // namespace coracle::bench
