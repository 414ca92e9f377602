// SPDX-License-Identifier: GPL-2.0-or-later
// The TCP connections into a pod that one client has asked for, each with a stream of data and one
// for errors; what carries the streams is not known here.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/pod_streams.h"
#include "base/result.h"
#include "port/net.h"

namespace coracle::streams {

class ForwardCarrier {
 public:
  virtual void send(uint32_t stream, std::string_view bytes) = 0;
  virtual void end(uint32_t stream) = 0;
  virtual bool is_full() const = 0;         // until Forwards::resume()
  virtual void hold_client(bool hold) = 0;  // it sends more than a pod takes
  virtual void on_forward_over() = 0;       // sweep() is due

 protected:
  ~ForwardCarrier() = default;
};

class Forward final : port::StreamEvents {
 public:
  Forward(api::PodStreams& pods, api::ObjectRef pod, uint16_t port, ForwardCarrier& carrier);
  void set_data(uint32_t stream) { data_ = stream; }
  void set_error(uint32_t stream) { error_ = stream; }
  bool is_whole() const { return data_ != 0 && error_ != 0; }
  bool has(uint32_t stream) const { return stream != 0 && (data_ == stream || error_ == stream); }
  bool is_data(uint32_t stream) const { return data_ == stream; }
  bool is_over() const { return over_; }
  bool holds_client() const { return holding_; }

  std::string request;  // the client's name for it

  void start();
  void take(std::string_view bytes);  // of the client
  void client_ended();
  void drop();
  void resume();

 private:
  void on_connected() override;
  void on_bytes(std::string_view bytes) override;
  void on_drained() override;
  void on_closed(std::string_view why) override;
  void connect(std::string_view host);
  void fail(std::string_view why);
  void finish();

  api::PodStreams& pods_;
  api::ObjectRef pod_;
  ForwardCarrier& carrier_;
  const uint16_t port_;
  uint32_t data_ = 0;
  uint32_t error_ = 0;
  std::unique_ptr<port::Stream> stream_;
  std::string early_;  // of the client, from before the connection
  std::string first_error_;
  bool started_ = false;
  bool connected_ = false;
  bool client_ended_ = false;
  bool holding_ = false;
  bool paused_ = false;
  bool over_ = false;
};

}  // namespace coracle::streams
