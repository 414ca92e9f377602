// SPDX-License-Identifier: GPL-2.0-or-later
// The server's side of SPDY/3.1 framing (draft-mbelshe-httpbis-spdy-00), as far as clients use it
// to carry several byte streams over one connection. Bytes in, events out, frames to send.
//
// Flow control is left to the connection below: the client is told of windows without end, and its
// own are not looked at, because the one SPDY client there is (moby/spdystream) never opens them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "http/message.h"

namespace coracle::http {

class SpdyInflater;

class SpdyEvents {
 public:
  // A new stream; headers in lower case. False: it is refused.
  virtual bool on_stream(uint32_t stream, const std::vector<Header>& headers) = 0;
  virtual void on_stream_data(uint32_t stream, std::string_view bytes) = 0;
  virtual void on_stream_end(uint32_t stream) = 0;    // the client sends no more
  virtual void on_stream_reset(uint32_t stream) = 0;  // neither side does
  virtual void on_goaway() = 0;                       // the client is about to leave
  virtual void on_spdy_out(std::string_view frames) = 0;

 protected:
  ~SpdyEvents() = default;
};

class Spdy {
 public:
  explicit Spdy(SpdyEvents& events);
  ~Spdy();
  void open();  // says what the client may send
  // False: the client does not keep to the protocol. An event may end it, by stop().
  bool receive(std::string_view bytes);
  void send(uint32_t stream, std::string_view bytes);
  void end(uint32_t stream);  // we send no more on it
  void reset(uint32_t stream);
  void say_goodbye();
  void stop() { stopped_ = true; }

 private:
  static constexpr size_t kHeadBytes = 8;
  static constexpr size_t kControlBytesMax = 16 * 1024;

  bool begin_frame();
  void take_data(std::string_view& bytes);
  bool end_control();
  bool open_stream();
  void data_frame(uint32_t stream, uint8_t flags, std::string_view bytes);
  void control_frame(uint16_t type, uint8_t flags, std::string_view payload);

  SpdyEvents& events_;
  std::unique_ptr<SpdyInflater> inflater_;
  std::string head_;
  std::string control_;
  bool in_frame_ = false;
  bool is_control_ = false;
  uint16_t type_ = 0;
  uint8_t flags_ = 0;
  uint32_t stream_ = 0;  // of a data frame
  size_t left_ = 0;
  uint32_t last_stream_ = 0;  // opened by the client
  bool replied_ = false;      // our header stream has begun
  bool stopped_ = false;
  bool broken_ = false;
};

}  // namespace coracle::http
